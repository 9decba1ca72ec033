"""Tables of /proc/net as the kernel prints them, of networks that the standard library judges.

Source: Linux, net/ipv4/fib_trie.c (fib_route_seq_show, fib_triestat), net/ipv6/addrconf.c
(if6_seq_show) and net/ipv6/route.c (rt6_info_route).
"""

import ipaddress
import socket
import sys
from collections.abc import Callable
from typing import NamedTuple

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from devops_info_service.facts.fact import Known
from devops_info_service.facts.linux.addresses import (
    addresses_v6,
    read_addresses,
    routes_v4,
    routes_v6,
)
from devops_info_service.facts.system_files import SystemFiles

NAMES = st.sampled_from(["eth0", "eth1", "bond0.7", "wg-a", "tun:1"])
HEAD = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"


class Made(NamedTuple):
    """A route, and its flags."""

    network: ipaddress.IPv4Network
    gateway: ipaddress.IPv4Address | None
    interface: str
    metric: int
    rejects: bool


@st.composite
def routes(draw: st.DrawFn) -> Made:
    """Make a route into few networks, so that prefixes lie in each other."""
    address = ipaddress.IPv4Address(draw(st.integers(0, 2**32 - 1)) & 0x0A0F_0FFF | 0x0A00_0000)
    network = ipaddress.IPv4Network((address, draw(st.integers(0, 32))), strict=False)
    gateway = draw(st.none() | st.integers(1, 2**32 - 1).map(ipaddress.IPv4Address))
    return Made(
        network, gateway, draw(NAMES), draw(st.integers(0, 2**32 - 1)), draw(st.integers(0, 9)) == 0
    )


def number(address: ipaddress.IPv4Address | int) -> str:
    return f"{int.from_bytes(int(address).to_bytes(4, 'big'), sys.byteorder):08X}"


def line(route: Made) -> str:
    flags = 1 | (2 if route.gateway else 0) | (0x200 if route.rejects else 0)
    gateway = number(route.gateway or 0)
    destination, mask = number(route.network.network_address), number(route.network.netmask)
    # Printed by %d, though it has 32 bits without a sign.
    metric = route.metric - 2**32 if route.metric >= 2**31 else route.metric
    columns = (destination, gateway, f"{flags:04X}", "0", "0", str(metric), mask)
    return "\t".join([route.interface, *columns, "0", "0", "0"]).ljust(127) + "\n"


@given(st.lists(routes(), max_size=8))
def test_routes(made: list[Made]) -> None:
    """Each route comes back, but those that only refuse."""
    found = routes_v4(HEAD + "".join(map(line, made)))

    assert [(each.destination, each.gateway, each.interface, each.metric) for each in found] == [
        (
            str(each.network),
            str(each.gateway) if each.gateway else None,
            each.interface,
            each.metric,
        )
        for each in made
        if not each.rejects
    ]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(routes(), max_size=6),
    st.sets(st.ip_addresses(v=4, network="10.0.0.0/12"), min_size=1, max_size=3),
)
def test_longest_prefix(
    tree_of: Callable[..., SystemFiles], made: list[Made], own: set[ipaddress.IPv4Address]
) -> None:
    """An address is on the smallest connected network, and on its interface if there is one."""
    trie = "Main:\n" + "".join(f"        |-- {each}\n           /32 host LOCAL\n" for each in own)
    fact = read_addresses(
        tree_of({"/proc/net/route": HEAD + "".join(map(line, made)), "/proc/net/fib_trie": trie})
    )

    assert isinstance(fact, Known)
    assert len(fact.value) == len(own)
    for each in fact.value:
        address = ipaddress.IPv4Address(each.address)
        near = [
            route
            for route in made
            if not route.rejects and not route.gateway and route.network.prefixlen
            and address in route.network
        ]  # fmt: skip
        longest = max((route.network.prefixlen for route in near), default=None)
        names = {route.interface for route in near if route.network.prefixlen == longest}
        assert each.prefix == longest
        assert each.interface == (names.pop() if len(names) == 1 else None)


scopes = st.sampled_from([(0x00, "global"), (0x10, "host"), (0x20, "link"), (0x40, "site")])


@given(
    st.lists(
        st.tuples(st.ip_addresses(v=6), st.integers(1, 999), st.integers(0, 128), scopes, NAMES),
        max_size=5,
    )
)
def test_addresses_v6(
    made: list[tuple[ipaddress.IPv6Address, int, int, tuple[int, str], str]],
) -> None:
    """The columns are right-aligned names and numbers in hexadecimal digits."""
    text = "".join(
        f"{int(address):032x} {index:02x} {prefix:02x} {scope:02x} 80 {name:>8}\n"
        for address, index, prefix, (scope, _), name in made
    )

    found = [
        (ipaddress.IPv6Address(each.address), each.prefix, each.scope, each.interface)
        for each in addresses_v6(text)
    ]

    assert found == [
        (address, prefix, scope, name) for address, _, prefix, (_, scope), name in made
    ]


@given(
    st.lists(
        st.tuples(
            st.ip_addresses(v=6).filter(lambda each: not each.is_multicast),
            st.integers(0, 128),
            st.none() | st.ip_addresses(v=6).filter(int),
            st.integers(0, 2**32 - 1),
            st.sampled_from([0x1, 0x3, 0x401, 0x8000_0001, 0x200, 0x201, 0x0]),
            NAMES,
        ),
        max_size=6,
    )
)
def test_routes_v6(
    made: list[tuple[ipaddress.IPv6Address, int, ipaddress.IPv6Address | None, int, int, str]],
) -> None:
    """Routes that are up are there, but those of the host's own addresses and those that refuse."""
    text = "".join(
        f"{int(address):032x} {prefix:02x} {0:032x} 00 {int(gateway or 0):032x}"
        f" {metric:08x} {1:08x} {0:08x} {flags:08x} {name:>8}\n"
        for address, prefix, gateway, metric, flags, name in made
    )

    assert [
        (each.destination, each.gateway, each.metric, each.interface) for each in routes_v6(text)
    ] == [
        (f"{spelled(address)}/{prefix}", spelled(gateway) if gateway else None, metric, name)
        for address, prefix, gateway, metric, flags, name in made
        if flags & 1 and not flags & 0x8000_0200
    ]


def spelled(address: ipaddress.IPv6Address) -> str:
    """Return the spelling of inet_ntop(3), which shows a mapped address by its dots."""
    return socket.inet_ntop(socket.AF_INET6, address.packed)
