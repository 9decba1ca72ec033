"""The DNS resolver's settings, and the queries that they cost a name.

As glibc reads them; musl reads no variables, derives no domain, and bounds its numbers elsewhere.

Source: resolv.conf(5); glibc, resolv/res_init.c and res_query.c; musl, src/network/resolvconf.c.
"""

import socket
from collections.abc import Iterable
from typing import Final

import msgspec

from devops_info_service.facts.fact import Evidence, Fact, Known, Unknown, truncate
from devops_info_service.facts.forms import DOMAIN, OPTION, SERVER, is_address
from devops_info_service.facts.lines import BLANKS, lines, words
from devops_info_service.facts.system_files import SystemFiles

RESOLV_CONF: Final = "/etc/resolv.conf"
HOSTNAME: Final = "/proc/sys/kernel/hostname"
MAX_SERVERS: Final = 3
"""MAXNS of glibc and musl: those after the third are never queried."""
MAX_LISTED: Final = 64
"""Of search domains, of options, of servers that are not queried: kubelet writes a handful, and
refuses more than 32 domains."""
MAXIMA: Final = {"ndots": 15, "timeout": 30, "attempts": 5}
"""RES_MAXNDOTS, RES_MAXRETRANS, RES_MAXRETRY: larger numbers are capped, silently."""
DEFAULTS: Final = {"ndots": 1, "timeout": 5, "attempts": 2}
LOCAL_SERVER: Final = "127.0.0.1"
"""Queried if no server is named."""
ROOT: Final = "."
"""A search domain that leaves the name as it is."""
WITHHELD_DOMAIN: Final = "(withheld)"
"""In place of a search domain that is not of a domain's form: it counts, and is not shown."""
RECORD_TYPES: Final = 2
"""A and AAAA: a program that takes both kinds of addresses queries both."""
_ATON: Final = frozenset("0123456789abcdefABCDEFxX.")
C_SPACES: Final = " \t\n\v\f\r"
"""Passed over before a number by atoi(3)."""
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
    """Read ``/etc/resolv.conf``, and the variables that amend it."""
    file = tree.read(RESOLV_CONF)
    if isinstance(file.content, Unknown):
        return file.content
    environ = tree.environ()
    resolver = parse_resolver(
        file.content,
        localdomain=environ.get("LOCALDOMAIN"),
        res_options=environ.get("RES_OPTIONS", ""),
        hostname=tree.read(HOSTNAME).text.rstrip("\n"),
    )
    # Not the whole file: a comment may hold anything.
    seen = (
        *(f"nameserver {each}" for each in resolver.servers + resolver.ignored_servers),
        " ".join(("search", *resolver.search)) if resolver.search else "",
        " ".join(("options", *resolver.options)) if resolver.options else "",
    )
    names = [name for name in ("LOCALDOMAIN", "RES_OPTIONS") if name in environ]
    amended = tuple([Evidence("environment", name, "") for name in names])
    return Known(resolver, (file.evidence("", " / ".join(filter(None, seen))), *amended))


def parse_resolver(
    text: str, *, localdomain: str | None = None, res_options: str = "", hostname: str = ""
) -> Resolver:
    """Take the lines of a known form; skip the rest, as the C library does.

    *localdomain* takes the place of the search list, *res_options* follow the file's options, and
    the domain of *hostname* is searched if nothing else is.
    """
    servers: list[str] = []
    domains: list[str] | None = None
    lists: list[str] = []
    for line in lines(text):
        # A string of C ends at a NUL; a keyword starts its line.
        line = line.partition("\0")[0]  # noqa: PLW2901
        keyword, values = _keyword(line)
        if keyword == "nameserver" and values and (server := _server(values[0])):
            servers.append(server)
        elif keyword == "options":
            lists.append(line[len(keyword) :])
        elif keyword == "search" and values:
            domains = values  # The last line wins, of whichever of the two.
        elif keyword == "domain" and values:
            domains = values[:1]
    lists.append(res_options)
    options = [option for each in lists for option in words(each)]
    if localdomain is not None:
        # An empty name at the start is one as well.
        start = localdomain.partition("\n")[0]
        domains = ([ROOT] if start.lstrip(BLANKS) != start or not start else []) + words(start)
    elif domains is None:
        domains = [hostname.partition(".")[2] or ROOT] if "." in hostname else []
    search = tuple(map(_domain, domains))
    shown_options = [option for option in options if OPTION.holds(option)]
    ndots = _number(lists, "ndots")
    listed = servers or [LOCAL_SERVER]
    return Resolver(
        servers=tuple([truncate(server) for server in listed[:MAX_SERVERS]]),
        ignored_servers=tuple([truncate(server) for server in servers[MAX_SERVERS:][:MAX_LISTED]]),
        search=tuple([truncate(domain) for domain in search[:MAX_LISTED]]),
        ndots=ndots,
        timeout_seconds=_number(lists, "timeout"),
        attempts=_number(lists, "attempts"),
        options=tuple([truncate(option) for option in shown_options[:MAX_LISTED]]),
        costs=tuple([cost(name, ndots, search) for name in _EXAMPLES]),
        unlisted=max(0, len(servers) - MAX_SERVERS - MAX_LISTED)
        + max(0, len(search) - MAX_LISTED)
        + len(options)
        - len(shown_options[:MAX_LISTED]),
    )


def _keyword(line: str) -> tuple[str, list[str]]:
    keyword, *values = line.replace("\t", " ").split(" ")
    return keyword, [value for value in values if value]


def _server(text: str) -> str | None:
    """Return the address as inet_aton(3) or inet_pton(3) takes it: ``10.1`` is 10.0.0.1."""
    address = text.partition("%")[0]
    if ":" in address:
        if not is_address(address):
            return None
        return text if SERVER.holds(text) else address
    if set(text) - _ATON:
        return None  # inet_aton(3) itself lets white space follow.
    try:
        return socket.inet_ntoa(socket.inet_aton(text))
    except (OSError, ValueError):
        return None


def _domain(text: str) -> str:
    # A first or last dot leaves a name the same. One in capitals may be a secret: it is withheld.
    name = text.removeprefix(".").removesuffix(".")
    if not name:
        return ROOT
    return name if DOMAIN.holds(name) else WITHHELD_DOMAIN


def _number(lists: Iterable[str], name: str) -> int:
    """Return the last number of option *name* in *lists* of options, as glibc reads it."""
    found = DEFAULTS[name]
    for options in lists:
        # Where a word starts, not only its own text: atoi(3) skips blanks, "ndots: 2" is 2.
        for start, character in enumerate(options):
            before = options[start - 1] if start else BLANKS[0]
            if before in BLANKS and character == name[0] and options.startswith(f"{name}:", start):
                found = _atoi(options[start + len(name) + 1 :])
    if name == "ndots" and found < 0:
        return found & MAXIMA[name]  # Four bits without a sign.
    return max(0, min(found, MAXIMA[name]))


def _atoi(text: str) -> int:
    """Read a number up to the first other byte; 0 if there is none."""
    text = text.lstrip(C_SPACES)
    sign, text = (-1, text[1:]) if text[:1] == "-" else (1, text.removeprefix("+"))
    digits = text[: len(text) - len(text.lstrip("0123456789"))]
    return sign * int(digits[:9] or "0")


def cost(name: str, ndots: int, search: tuple[str, ...]) -> LookUp:
    """Count the queries for *name*, which exists only as it is written."""
    if name.count(".") >= ndots:
        tried = 1
    else:
        tried = (search.index(ROOT) if ROOT in search else len(search)) + 1
    return LookUp(name, tried, tried * RECORD_TYPES)
