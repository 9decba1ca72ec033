"""Interfaces, addresses, routes, names, variables."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

from devops_info_service.facts.fact import Fact, Known, Unknown, derive, value_of

from .formatting import comma_list, count
from .property import Expect, Kind, Property
from .row import Row, row

if TYPE_CHECKING:
    from devops_info_service.facts.linux.addresses import Address, Route
    from devops_info_service.facts.linux.interfaces import Interface
    from devops_info_service.snapshot import PlatformSnapshot


def _interface(interface: "Interface") -> str:
    mtu, state = value_of(interface.mtu, "?"), value_of(interface.state, "?")
    return f"{interface.name} {state} (MTU {mtu})"


def _address(address: "Address") -> str:
    network = "" if address.prefix is None else f"/{address.prefix}"
    return f"{address.address}{network} {address.interface or ''}".strip()


def _route(route: "Route") -> str:
    via = f" via {route.gateway}" if route.gateway else ""
    return f"{route.destination}{via} on {route.interface}"


def _resolver(snapshot: "PlatformSnapshot") -> Iterable[Row]:
    fact = snapshot.network.resolver
    if isinstance(fact, Unknown):
        return (row("DNS", fact),)
    resolver = fact.value
    return (
        row("DNS servers", fact, lambda found: comma_list(found.servers)),
        Row("DNS search", comma_list(resolver.search)),
        Row("DNS ndots", str(resolver.ndots)),
        *(
            Row(f"DNS, {cost.name}", f"{count(cost.tried, 'name')} tried, {cost.queries} queries")
            for cost in resolver.costs
        ),
    )


def _services(snapshot: "PlatformSnapshot") -> tuple[Row]:
    found = (f"{each.name} {each.host}:{each.port}" for each in snapshot.network.services)
    return (Row("services", comma_list(found)),)


def _variables(snapshot: "PlatformSnapshot") -> Iterable[Row]:
    environment = snapshot.network.environment
    hidden = [each.name for each in environment if each.redacted]
    return (
        *(Row(f"${each.name}", each.value or "") for each in environment if not each.redacted),
        Row("variables not shown", ", ".join(hidden) or "none"),
    )


def _unlisted(snapshot: "PlatformSnapshot") -> Iterable[Row]:
    network = snapshot.network
    unlisted = dict(network.unlisted)
    if isinstance(network.resolver, Known) and network.resolver.value.unlisted:
        unlisted["DNS settings"] = network.resolver.value.unlisted
    return (Row(f"{name} not listed", f"{number} more") for name, number in unlisted.items())


def _of_resolver(name: str, kind: Kind, meaning: str) -> Property:
    """Return the expectation of one setting of the resolver, which is one fact as a whole."""

    def read(snapshot: "PlatformSnapshot") -> Fact[Any]:
        return derive(snapshot.network.resolver, lambda found: getattr(found, name))

    return Property("network.resolver", expect=Expect(f"dns.{name}", kind, meaning, read=read))


def _mtu(snapshot: "PlatformSnapshot") -> Fact[int]:
    """Return the smallest MTU of the interfaces of the default routes."""
    network = snapshot.network
    if isinstance(network.routes, Unknown):
        return network.routes
    if isinstance(network.interfaces, Unknown):
        return network.interfaces
    out = {
        route.interface
        for route in network.routes.value
        if route.destination in {"0.0.0.0/0", "::/0"} and route.interface != "lo"
    }
    found = [each.mtu for each in network.interfaces.value if each.name in out]
    if not found:
        return Unknown("no interface has a default route")
    # An unknown MTU may be the smallest.
    return min(found, key=lambda fact: value_of(fact, -1))


NETWORK: Final = (
    Property(
        "network.interfaces",
        "interfaces",
        lambda found: comma_list(map(_interface, found)),
        "network",
        expect=Expect("network.mtu", "bytes", "of the interface of the default route", read=_mtu),
    ),
    Property(
        "network.addresses", "addresses", lambda found: comma_list(map(_address, found)), "network"
    ),
    Property("network.routes", "routes", lambda found: comma_list(map(_route, found)), "network"),
    Property("network.resolver", shown="network", rows=_resolver),
    _of_resolver("ndots", "count", "dots from which on a name is tried as it is first"),
    _of_resolver("servers", "set", "the servers that are queried"),
    _of_resolver("search", "set", "the search domains"),
    _of_resolver("timeout_seconds", "count", "seconds for one server"),
    _of_resolver("attempts", "count", "rounds over all servers"),
    Property(
        "network.unprivileged_port_start",
        "unprivileged ports",
        lambda port: f"from {port}",
        "network",
    ),
    Property("network.services", shown="network", rows=_services),
    Property("network.environment", shown="network", rows=_variables),
    Property("network.unlisted", shown="network", rows=_unlisted),
)
