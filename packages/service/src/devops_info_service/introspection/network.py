"""How this process is connected: interfaces, addresses, routes, names, services.

Everything is of this network namespace: ``/proc/net`` leads to ``/proc/self/net``.

Source: proc_net(5), Documentation/networking/proc_net_tcp.rst for the byte order.
"""

from typing import Final

import msgspec

from . import parse
from .addresses import Address, Route, read_addresses, read_routes
from .facts import Evidence, Fact, Known, Unknown
from .redact import Variable, environment
from .resolver import Resolver, read_resolver
from .servicelinks import Service, read_links
from .source import Tree

CLASS: Final = "/sys/class/net"
MAX_INTERFACES: Final = 64
"""Listed: a pod has two, a node a few hundred, and nobody reads those."""


class Interface(msgspec.Struct, frozen=True):
    """One interface."""

    name: str
    mtu: Fact[int]
    """Bytes; 50 or so less than 1500 is an overlay's tunnel."""
    state: Fact[str]
    mac: Fact[str]


class Network(msgspec.Struct, frozen=True):
    """All of it."""

    interfaces: Fact[tuple[Interface, ...]]
    addresses: Fact[tuple[Address, ...]]
    routes: Fact[tuple[Route, ...]]
    resolver: Fact[Resolver]
    unprivileged_port_start: Fact[int]
    """Ports from here on need no capability; 0 in most containers."""
    services: tuple[Service, ...]
    environment: tuple[Variable, ...]
    """All variables by name; values only where harmless."""


def read_network(tree: Tree, allowed: frozenset[str] = frozenset()) -> Network:
    """Read all of it once; *allowed* are names of variables whose values may be shown."""
    environ = tree.environ()
    links = read_links(environ)
    ports = "/proc/sys/net/ipv4/ip_unprivileged_port_start"
    return Network(
        interfaces=_interfaces(tree),
        addresses=read_addresses(tree),
        routes=read_routes(tree),
        resolver=read_resolver(tree),
        unprivileged_port_start=tree.read(ports).whole(parse.count),
        services=links.services,
        environment=environment(environ, allowed, links),
    )


def _interfaces(tree: Tree) -> Fact[tuple[Interface, ...]]:
    names = tree.names(CLASS)
    if isinstance(names, Unknown):
        return names
    found = tuple(
        Interface(
            name=name,
            mtu=tree.read(f"{CLASS}/{name}/mtu").whole(parse.count),
            state=tree.read(f"{CLASS}/{name}/operstate").whole(parse.word),
            mac=tree.read(f"{CLASS}/{name}/address").whole(parse.word),
        )
        for name in names[:MAX_INTERFACES]
        if name != "bonding_masters"
    )
    return Known(found, (Evidence(CLASS, "", f"{len(names)} entries"),))
