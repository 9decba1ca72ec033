"""How this process is connected: interfaces, addresses, routes, names, services.

Everything is of this network namespace: ``/proc/net`` leads to ``/proc/self/net``.

Source: proc_net(5), Documentation/networking/proc_net_tcp.rst for the byte order.
"""

from typing import Final, TypeVar

import msgspec

from devops_info_service.facts import parse
from devops_info_service.facts.fact import Fact, Known, Unknown, truncate
from devops_info_service.facts.system_files import SystemFiles

from .addresses import (
    MAX_ADDRESSES,
    Address,
    Route,
    read_addresses,
    read_routes,
)
from .environment import Variable, environment
from .interfaces import MAX_INTERFACES, Interface, read_interfaces
from .resolver import Resolver, read_resolver
from .service_links import Links, ServiceLink, links_of

MAX_VARIABLES: Final = 512
"""Listed; a container has some 20, and 7 more for each service of its namespace."""
MAX_SERVICES: Final = 256
"""Listed."""
MAX_NAME: Final = 256
"""Characters shown of a variable's name; the kernel allows 128 KiB."""
MAX_VALUE: Final = 4096
"""Characters shown of a variable's value: a long PATH."""

T = TypeVar("T")


class Network(msgspec.Struct, frozen=True):
    """The network of this namespace."""

    interfaces: Fact[tuple[Interface, ...]]
    addresses: Fact[tuple[Address, ...]]
    routes: Fact[tuple[Route, ...]]
    resolver: Fact[Resolver]
    unprivileged_port_start: Fact[int]
    """Ports from here on need no capability; 0 in most containers."""
    services: tuple[ServiceLink, ...]
    environment: tuple[Variable, ...]
    """Variables by name; values only where harmless. Of more than ``MAX_VARIABLES`` those that are
    made for services come last."""
    unlisted: dict[str, int]
    """How many more there are of each of these, where not all are listed."""


def read_network(tree: SystemFiles, allowed: frozenset[str] = frozenset()) -> Network:
    """Read all of it once; *allowed* are names of variables whose values may be shown."""
    environ = tree.environ()
    links = links_of(environ)
    ports = "/proc/sys/net/ipv4/ip_unprivileged_port_start"
    names = _listed(environ, links)
    first = {name: environ[name] for name in names[:MAX_VARIABLES]}
    shown = environment(first, allowed, links)
    interfaces, more_interfaces = _cut(read_interfaces(tree), MAX_INTERFACES)
    addresses, more_addresses = _cut(read_addresses(tree), 2 * MAX_ADDRESSES)
    routes, more_routes = read_routes(tree)
    unlisted = {
        "interfaces": more_interfaces,
        "addresses": more_addresses,
        "routes": more_routes,
        "services": len(links.services) - MAX_SERVICES,
        "environment": len(names) - MAX_VARIABLES,
    }
    return Network(
        interfaces=interfaces,
        addresses=addresses,
        routes=routes,
        resolver=read_resolver(tree),
        unprivileged_port_start=tree.read(ports).parse(parse.count),
        services=links.services[:MAX_SERVICES],
        environment=tuple(map(_shortened, shown)),
        unlisted={name: count for name, count in unlisted.items() if count > 0},
    )


def _listed(environ: dict[str, str], links: Links) -> list[str]:
    """Return the names in the order in which they are worth a place."""
    if len(environ) <= MAX_VARIABLES:
        return list(environ)
    made = [name for name in environ if name in links.variables]
    return [*sorted(environ.keys() - made), *sorted(made)]


def _shortened(variable: Variable) -> Variable:
    value = None if variable.value is None else truncate(variable.value, MAX_VALUE)
    return Variable(truncate(variable.name, MAX_NAME), value, variable.redacted)


def _cut(fact: Fact[tuple[T, ...]], most: int) -> tuple[Fact[tuple[T, ...]], int]:
    """Keep the first *most*, and count the rest."""
    if isinstance(fact, Unknown) or len(fact.value) <= most:
        return fact, 0
    return Known(fact.value[:most], fact.evidence), len(fact.value) - most
