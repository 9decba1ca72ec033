"""resolv.conf files made by the C library's own rules, read a second time as its source does.

The judge walks the text by the character, as glibc's resolv/res_init.c (res_vconf_init,
res_setoptions) does with pointers; it shares no code with the reader.
"""

import ipaddress
from typing import Final, NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from devops_info_service.facts.linux.resolver import parse_resolver

blanks = st.text(" \t", min_size=1, max_size=3)
domains = st.from_regex(r"[a-z0-9]{1,6}(\.[a-z0-9]{1,5}){0,2}\.?", fullmatch=True) | st.just(".")
SHORT: Final = {"10.1": "10.0.0.1", "0x7f.1": "127.0.0.1", "010.0.0.1": "8.0.0.1", "1": "0.0.0.1"}
"""Addresses as inet_aton(3) completes them."""
addresses = st.one_of(
    st.ip_addresses(v=4).map(str),
    st.sampled_from(sorted(SHORT)),
    st.ip_addresses(v=6).map(str),
    st.ip_addresses(v=6, network="fe80::/64").map(lambda each: f"{each}%eth0"),
    st.sampled_from(["dns.example", "10.0.0.256", "10.0.0.1;x", "::g", "10.0.0.1\r", "1.2.3.4.5"]),
)
numbers = st.one_of(
    st.integers(-40, 40).map(str),
    st.sampled_from(["", "x", "5x", "+3", " 4", "\t7", "99999999999", "0005", "- 1"]),
)
options = st.one_of(
    st.builds("{}:{}".format, st.sampled_from(["ndots", "timeout", "attempts"]), numbers),
    st.sampled_from(["rotate", "edns0", "ndots", "xndots:7", "NDOTS:7", "trust-ad"]),
)
option_lists = st.lists(st.tuples(options, blanks), max_size=4).map(
    lambda each: "".join(option + blank for option, blank in each)
)


@st.composite
def lines(draw: st.DrawFn) -> str:
    """Make a line of resolv.conf(5), or a line that it does not take."""
    kind = draw(st.integers(0, 9))
    names = draw(st.lists(domains, max_size=4))
    rest = draw(blanks).join(names) + draw(st.just("") | blanks)
    keyword = draw(
        st.sampled_from(["nameserver", "search", "domain", "options", "Search", "lookup", ""])
    )
    if kind == 0:
        return draw(st.sampled_from("#; \t")) + keyword + draw(blanks) + rest
    if kind == 1:
        return keyword + rest
    if keyword == "nameserver":
        tail = draw(st.just("") | blanks.map("{}x".format))
        return f"{keyword}{draw(blanks)}{draw(addresses)}{tail}"
    return f"{keyword}{draw(blanks)}{draw(option_lists) if keyword == 'options' else rest}"


class Settings(NamedTuple):
    """The settings in force."""

    servers: tuple[str, ...]
    search: tuple[str, ...]
    ndots: int
    timeout_seconds: int
    attempts: int


class Judge:
    """res_init.c: one pass over the file, with the state that it keeps."""

    def __init__(self, localdomain: str | None) -> None:
        self.servers: list[str] = []
        self.search: list[str] | None = None
        self.is_fixed = localdomain is not None
        self.numbers = {"ndots": 1, "timeout": 5, "attempts": 2}
        if localdomain is not None:
            local = until(localdomain, "\n")
            self.search = [until(local, " \t"), *split(local[len(until(local, " \t")) :])]

    def line(self, text: str) -> None:
        """Take a line: its keyword is followed by a blank."""
        keyword = until(text, " \t")
        rest = text[len(keyword) :]
        found = split(rest)
        if keyword == "options" and rest:
            self.options(rest)
        elif keyword == "nameserver" and found:
            self.server(found[0])
        elif keyword in {"search", "domain"} and found and not self.is_fixed:
            self.search = found if keyword == "search" else found[:1]

    def server(self, address: str) -> None:
        """Take an address, in one of its forms."""
        host, percent, _ = address.partition("%")
        if address in SHORT:
            self.servers.append(SHORT[address])
        elif is_v4(address):
            self.servers.append(address)
        elif ":" in host and is_v6(host):
            self.servers.append(address if percent else host)

    def options(self, text: str) -> None:
        """Walk over the words; atoi(3) reads on from where a number should begin."""
        at = 0
        while at < len(text):
            while at < len(text) and text[at] in " \t":
                at += 1
            for name in self.numbers:
                if text.startswith(f"{name}:", at):
                    self.numbers[name] = atoi(text[at + len(name) + 1 :])
            while at < len(text) and text[at] not in " \t":
                at += 1

    def settings(self, hostname: str) -> Settings:
        """Return the settings at the end."""
        search = self.search
        if search is None:
            search = [hostname[hostname.index(".") + 1 :]] if "." in hostname else []
        ndots = self.numbers["ndots"]
        return Settings(
            servers=tuple((self.servers or ["127.0.0.1"])[:3]),
            search=tuple(each.removesuffix(".") or "." for each in search),
            ndots=15 if ndots > 15 else ndots & 15,  # an unsigned field of four bits
            timeout_seconds=max(0, min(self.numbers["timeout"], 30)),
            attempts=max(0, min(self.numbers["attempts"], 5)),
        )


def until(text: str, stops: str) -> str:
    """Return the text before the first of *stops*."""
    for at, character in enumerate(text):
        if character in stops:
            return text[:at]
    return text


def split(text: str) -> list[str]:
    """Return the words between blanks and tabs."""
    found, word = [], ""
    for character in f"{text} ":
        if character not in " \t":
            word += character
        elif word:
            found.append(word)
            word = ""
    return found


def atoi(text: str) -> int:
    """Read a number as strtol(3) with base 10, 0 if there is none."""
    at = 0
    while text[at : at + 1] in {" ", "\t", "\r", "\v", "\f"}:
        at += 1
    sign = -1 if text[at : at + 1] == "-" else 1
    at += text[at : at + 1] in {"-", "+"}
    value = 0
    while text[at : at + 1] in set("0123456789"):
        value = value * 10 + int(text[at])
        at += 1
    return sign * value


def is_v4(text: str) -> bool:
    parts = text.split(".")
    return len(parts) == 4 and all(
        each.isascii() and each.isdigit() and (each == "0" or each[0] != "0") and int(each) < 256
        for each in parts
    )


def is_v6(text: str) -> bool:
    try:
        ipaddress.IPv6Address(text)
    except ValueError:
        return False
    return True


@given(
    st.lists(lines(), max_size=8),
    st.none() | st.tuples(st.just("") | blanks, st.lists(domains, max_size=3)).map(
        lambda each: each[0] + " ".join(each[1])
    ),
    option_lists,
    st.sampled_from(["host", "host.example.org", "host."]),
)  # fmt: skip
def test_file(file: list[str], localdomain: str | None, res_options: str, hostname: str) -> None:
    """Every file has the settings that the library would take from it."""
    judge = Judge(localdomain)
    for line in file:
        judge.line(line)
    judge.options(res_options)

    found = parse_resolver(
        "".join(f"{line}\n" for line in file),
        localdomain=localdomain,
        res_options=res_options,
        hostname=hostname,
    )

    assert judge.settings(hostname) == Settings(
        found.servers, found.search, found.ndots, found.timeout_seconds, found.attempts
    )
