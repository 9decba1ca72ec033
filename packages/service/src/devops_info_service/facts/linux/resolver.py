"""The DNS resolver's settings, and the queries that they cost a name.

Source: resolv.conf(5) for glibc; musl differs where noted.
"""

from typing import Final

import msgspec

from devops_info_service.facts.fact import Fact, Known, Unknown, truncate
from devops_info_service.facts.forms import DOMAIN, OPTION, SERVER
from devops_info_service.facts.lines import lines, words
from devops_info_service.facts.system_files import SystemFiles

RESOLV_CONF: Final = "/etc/resolv.conf"
MAX_SERVERS: Final = 3
"""MAXNS of glibc and musl: those after the third are never queried."""
MAX_LISTED: Final = 64
"""Of search domains, of options, of servers that are not queried: kubelet writes a handful, and
refuses more than 32 domains."""
MAX_NDOTS: Final = 15
"""RES_MAXNDOTS of glibc; musl has the same."""
DEFAULT_NDOTS: Final = 1
RECORD_TYPES: Final = 2
"""A and AAAA: a program that takes both kinds of addresses queries both."""
_EXAMPLES: Final = ("service", "service.namespace", "api.example.com", "a.b.c.example.com")


class LookUp(msgspec.Struct, frozen=True):
    """The cost of one name of which only the full form exists."""

    name: str
    tried: int
    """Names queried until the response, the last one included."""
    queries: int
    """Packets: each name for each kind of address."""


class Resolver(msgspec.Struct, frozen=True):
    """The settings in force."""

    servers: tuple[str, ...]
    """Those that are queried."""
    ignored_servers: tuple[str, ...]
    search: tuple[str, ...]
    ndots: int
    """A name with fewer dots is tried under each search domain first."""
    timeout_seconds: int
    """For one server; 5 unless set."""
    attempts: int
    """Rounds over all servers; 2 unless set."""
    options: tuple[str, ...]
    costs: tuple[LookUp, ...]
    """Of names outside the cluster; a trailing dot makes each cost one name."""
    unlisted: int
    """Servers that are not queried; domains and options beyond ``MAX_LISTED``. All count."""


def read_resolver(tree: SystemFiles) -> Fact[Resolver]:
    """Read ``/etc/resolv.conf``."""
    file = tree.read(RESOLV_CONF)
    if isinstance(file.content, Unknown):
        return file.content
    resolver = parse_resolver(file.content)
    # Not the whole file: a comment may hold anything.
    seen = (
        *(f"nameserver {each}" for each in resolver.servers + resolver.ignored_servers),
        " ".join(("search", *resolver.search)) if resolver.search else "",
        " ".join(("options", *resolver.options)) if resolver.options else "",
    )
    return Known(resolver, (file.evidence("", " / ".join(filter(None, seen))),))


def parse_resolver(text: str) -> Resolver:
    """Take the lines of a known form; skip the rest, as the C library does."""
    servers: list[str] = []
    search: tuple[str, ...] = ()
    options: list[str] = []
    for line in lines(text):
        match words(line):
            case ["nameserver", server, *_]:
                servers += [server] if SERVER.holds(server) else []
            case ["search" | "domain", *domains]:
                # The last line wins.
                stripped = (domain.rstrip(".") for domain in domains)
                search = tuple(domain for domain in stripped if DOMAIN.holds(domain))
            case ["options", *given]:
                options += filter(OPTION.holds, given)
            case _:
                pass
    ndots = min(_option(options, "ndots", DEFAULT_NDOTS), MAX_NDOTS)
    return Resolver(
        servers=tuple(truncate(server) for server in servers[:MAX_SERVERS]),
        ignored_servers=tuple(truncate(server) for server in servers[MAX_SERVERS:][:MAX_LISTED]),
        search=tuple(truncate(domain) for domain in search[:MAX_LISTED]),
        ndots=ndots,
        timeout_seconds=_option(options, "timeout", 5),
        attempts=_option(options, "attempts", 2),
        options=tuple(truncate(option) for option in options[:MAX_LISTED]),
        costs=tuple(cost(name, ndots, search) for name in _EXAMPLES),
        unlisted=sum(
            max(0, len(each) - MAX_LISTED) for each in (servers[MAX_SERVERS:], search, options)
        ),
    )


def _option(options: list[str], name: str, default: int) -> int:
    for option in reversed(options):
        key, _, number = option.partition(":")
        if key == name and number.isascii() and number.isdigit() and len(number) <= 4:  # noqa: PLR2004
            return int(number)
    return default


def cost(name: str, ndots: int, search: tuple[str, ...]) -> LookUp:
    """Count the queries for *name*, which exists only as it is written."""
    tried = 1 if name.count(".") >= ndots else len(search) + 1
    return LookUp(name, tried, tried * RECORD_TYPES)
