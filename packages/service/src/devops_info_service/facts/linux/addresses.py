"""IP addresses and routes out of ``/proc/net``: the kernel's tables, in its own number forms."""

import socket
import sys
from collections.abc import Sequence
from typing import Final, TypeAlias

import msgspec

from devops_info_service.facts import parse
from devops_info_service.facts.fact import Evidence, Fact, Known, Unknown, evidence_of, value_of
from devops_info_service.facts.lines import lines, words
from devops_info_service.facts.system_files import SystemFiles

FIB_TRIE: Final = "/proc/net/fib_trie"
IF_INET6: Final = "/proc/net/if_inet6"
ROUTE: Final = "/proc/net/route"
ROUTE6: Final = "/proc/net/ipv6_route"
MAX_ROUTES: Final = 256
"""Listed of each family; a router's full table has a million."""
MAX_ADDRESSES: Final = 256
"""Listed; a node of a large cluster has thousands: every service's (IPVS)."""
_BITS: Final = 32
"""Of an IPv4 address."""
_UP: Final = 0x0001
_REJECT: Final = 0x0200
_LOCAL: Final = 0x8000_0000
_SCOPES: Final = {0x00: "global", 0x10: "host", 0x20: "link", 0x40: "site"}


class Address(msgspec.Struct, frozen=True):
    """One address."""

    address: str
    prefix: int | None
    """Bits of the network; ``None``: the kernel's table does not have it."""
    interface: str | None
    scope: str


class Route(msgspec.Struct, frozen=True):
    """One route."""

    destination: str
    """Network and prefix; ``0.0.0.0/0`` and ``::/0`` are the default."""
    gateway: str | None
    """``None``: on this network."""
    interface: str
    metric: int


def read_addresses(tree: SystemFiles) -> Fact[tuple[Address, ...]]:
    """Read both families; a family that the kernel lacks is left out."""
    routes = value_of(tree.read(ROUTE).parse(routes_v4), ())
    old = tree.read(FIB_TRIE).parse(local_addresses)
    new = tree.read(IF_INET6).parse(addresses_v6)
    if isinstance(old, Unknown) and isinstance(new, Unknown):
        return old
    found: list[Address] = []
    if isinstance(old, Known):
        networks = _connected(routes)
        found += [_placed(address, networks) for address in old.value[:MAX_ADDRESSES]]
        found += [Address(address, None, None, "global") for address in old.value[MAX_ADDRESSES:]]
    if isinstance(new, Known):
        found += new.value
    seen = tuple(
        [Evidence(each.file, "", f"{len(found)} addresses") for each in evidence_of(old, new)]
    )
    return Known(tuple(found), seen)


def read_routes(tree: SystemFiles) -> tuple[Fact[tuple[Route, ...]], int]:
    """Read both families; return the first ``MAX_ROUTES`` of each, and how many more there are."""
    old = tree.read(ROUTE).parse(routes_v4)
    new = tree.read(ROUTE6).parse(routes_v6)
    tables = [value_of(each, ()) for each in (old, new)]
    found = tuple([route for table in tables for route in table[:MAX_ROUTES]])
    more = sum(map(len, tables)) - len(found)
    if isinstance(old, Unknown):
        return old, more
    seen = tuple(
        [Evidence(each.file, "", f"{len(found)} routes") for each in evidence_of(old, new)]
    )
    return Known(found, seen), more


def local_addresses(text: str) -> tuple[str, ...]:
    """Take the host's own addresses out of the tree of ``fib_trie``."""
    found: dict[str, None] = {}
    leaf = ""
    for line in lines(text):
        parts = words(line)
        if parts[:1] == ["|--"] and len(parts) > 1:
            leaf = parts[1]
        elif parts[:3] == ["/32", "host", "LOCAL"] and leaf:
            found[_checked(leaf)] = None
    return tuple(found)


def _checked(address: str) -> str:
    try:
        socket.inet_pton(socket.AF_INET, address)
    except OSError as exc:
        raise ValueError(address) from exc
    return address


Networks: TypeAlias = dict[int, dict[int, set[str]]]
"""Length of the prefix -> its bits -> interfaces; the longest first."""


def _connected(routes: Sequence[Route]) -> Networks:
    """Sort the networks that are reached without a gateway."""
    found: Networks = {}
    for route in routes:
        network, _, length = route.destination.partition("/")
        if route.gateway is None and (prefix := int(length)):
            bits = _number(network) >> (_BITS - prefix)
            found.setdefault(prefix, {}).setdefault(bits, set()).add(route.interface)
    return dict(sorted(found.items(), reverse=True))


def _placed(address: str, networks: Networks) -> Address:
    """Find prefix and interface by the smallest of the *networks* that hold the address.

    Two interfaces on the same network leave the interface open.
    """
    if address.startswith("127."):
        return Address(address, None, "lo", "host")
    number = _number(address)
    for prefix, by_bits in networks.items():
        if interfaces := by_bits.get(number >> (_BITS - prefix)):
            interface = next(iter(interfaces)) if len(interfaces) == 1 else None
            return Address(address, prefix, interface, "global")
    return Address(address, None, None, "global")


def _number(address: str) -> int:
    return int.from_bytes(socket.inet_pton(socket.AF_INET, address), "big")


def addresses_v6(text: str) -> tuple[Address, ...]:
    """Parse ``if_inet6``: address, index, prefix, scope, flags, name."""
    found = []
    for line in lines(text):
        number, _, prefix, scope, _, name = words(line)
        found.append(
            Address(
                address=_v6(number),
                prefix=parse.mask(prefix),
                interface=name,
                scope=_SCOPES.get(parse.mask(scope), scope),
            )
        )
    return tuple(found)


def routes_v4(text: str) -> tuple[Route, ...]:
    """Parse ``route``: numbers are hexadecimal, in the byte order of the machine."""
    found = []
    for line in lines(text)[1:]:
        name, destination, gateway, flags, _, _, metric, mask, *_ = line.split("\t")
        if not parse.mask(flags) & _UP or parse.mask(flags) & _REJECT:
            continue
        prefix = parse.mask(mask).bit_count()
        found.append(
            Route(
                destination=f"{_v4(destination)}/{prefix}",
                gateway=None if not parse.mask(gateway) else _v4(gateway),
                interface=name,
                # Written by %d, though it has 32 bits without a sign.
                metric=parse.signed(metric) % 2**32,
            )
        )
    return tuple(found)


def _v4(number: str) -> str:
    value = parse.mask(number)
    if value >= 2**32:
        raise ValueError(number)
    return socket.inet_ntop(socket.AF_INET, value.to_bytes(4, sys.byteorder))


def routes_v6(text: str) -> tuple[Route, ...]:
    """Parse ``ipv6_route``; the kernel's own entries for each address are left out."""
    found = []
    for line in lines(text):
        destination, length, _, _, gateway, metric, _, _, flags, name = words(line)
        bits = parse.mask(flags)
        own = bits & _LOCAL or name == "lo" or destination.startswith("ff")
        if own or not bits & _UP or bits & _REJECT:
            continue
        found.append(
            Route(
                destination=f"{_v6(destination)}/{parse.mask(length)}",
                gateway=None if not gateway.strip("0") else _v6(gateway),
                interface=name,
                metric=parse.mask(metric),
            )
        )
    return tuple(found)


def _v6(number: str) -> str:
    if len(number) != 32:  # noqa: PLR2004 (hexadecimal digits of 128 bits)
        raise ValueError(number)
    return socket.inet_ntop(socket.AF_INET6, bytes.fromhex(number))
