"""The client that forwarding headers name; they are trusted from listed proxies only.

Sources: RFC 7239 (Forwarded), nginx's ngx_http_realip_module (X-Real-IP), and the common practice
of proxies for X-Forwarded-For, which no standard defines.

A chain is read from its right end, written by the nearest proxy, to the left, up to the first
address that is not trusted: that is the client. Entries left of it can be forged. A chain with an
error anywhere is not used at all.
"""

import string
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

import msgspec

from .cidr import Cidr, format_address, packed_address
from .message import Client, Handler, Request, Response

MAX_HOPS: Final = 32
"""Entries of a chain: every proxy adds one, and a path with more is a loop. Each costs some
2 us, of which a head could otherwise make 10 ms."""

MAX_CHAIN_BYTES: Final = 4096
"""Of one field: 128 bytes a hop, twice the longest that is written with port, protocol and names.
RFC 7239's grammar is read by the character, 16 KiB of it in 3 ms."""

MAX_KNOWN: Final = 1024
"""Addresses whose result is cached: proxies are few."""

_MAX_PORT: Final = 65535
_TOKEN: Final = frozenset(string.ascii_letters + string.digits + "!#$%&'*+-.^_`|~")
_OBFUSCATED: Final = frozenset(string.ascii_letters + string.digits + "._-")
_DELETE: Final = "\x7f"

Chain = Sequence[Client | None]
"""From the client's end to this server's; None is an address that is withheld."""


class TrustedProxies:
    """The trusted proxies, and the field they write."""

    def __init__(self, networks: Sequence[Cidr], field: str) -> None:
        self._networks = networks
        self._fields = tuple(_CHAINS) if field == "any" else (field,)
        self._known: dict[str, bool] = {}

    def trusts(self, address: str) -> bool:
        """Return whether the forwarding headers of *address* are trusted."""
        known = self._known.get(address)
        if known is None:
            if len(self._known) >= MAX_KNOWN:
                self._known.clear()
            known = self._holds(address)
            self._known[address] = known
        return known

    def _holds(self, address: str) -> bool:
        try:
            # A link-local address is followed by its interface.
            packed = packed_address(address.partition("%")[0])
        except ValueError:
            # A peer that has closed has no address.
            return False
        return any(network.contains(packed) for network in self._networks)

    def resolve(self, peer: Client, headers: Mapping[bytes, bytes]) -> Client:
        """Return the client that *peer*, a trusted proxy, names; *peer* if its headers disagree."""
        found = None
        for field in self._fields:
            value = headers.get(field.encode())
            if value is None:
                continue
            try:
                client = self._walk(_CHAINS[field](value), peer)
            except ValueError:
                return peer
            if found is not None and client.address != found.address:
                # The proxy wrote one of them, and passed on the other from the client.
                return peer
            found = client if found is None else found
        return found or peer

    def _walk(self, chain: Chain, peer: Client) -> Client:
        client = peer
        for hop in reversed(chain):
            if hop is None:
                break
            client = hop
            if not self.trusts(hop.address):
                break
        return client


def resolve_client(handler: Handler, proxies: TrustedProxies) -> Handler:
    """Wrap *handler*: it gets the client that a trusted proxy names."""

    def resolved(request: Request) -> Response:
        peer = request.client
        if proxies.trusts(peer.address):
            client = proxies.resolve(peer, request.headers)
            if client is not peer:
                request = msgspec.structs.replace(request, client=client, peer=peer)
        return handler(request)

    return resolved


def parse_claims(headers: Mapping[bytes, bytes]) -> Iterator[tuple[str, bytes, Chain | None]]:
    """Yield each forwarding field, its value, and its chain; None: the chain has an error."""
    for field, read in _CHAINS.items():
        value = headers.get(field.encode())
        if value is None:
            continue
        try:
            yield field, value, read(value)
        except ValueError:
            yield field, value, None


# Each of these parses one field, and raises ValueError for an invalid one.


def x_forwarded_for(value: bytes) -> Chain:
    """Parse a list of addresses, with or without ports."""
    return [_node(part.strip(" \t")) for part in _text(value).split(",")]


def x_real_ip(value: bytes) -> Chain:
    """Parse one address."""
    return [_node(_text(value))]


def forwarded(value: bytes) -> Chain:
    """Parse RFC 7239's list of elements with their ``for``.

    Empty elements of the list are skipped (RFC 9110, section 5.6.1.2); a pair may be missing before
    or behind each semicolon. Blanks around a semicolon are taken, which the grammar does not have.
    """
    text, at = _text(value), 0
    chain: list[Client | None] = []
    while True:
        at = _blanks(text, at)
        start = at
        names: dict[str, str] = {}
        while at < len(text) and text[at] != ",":
            if text[at] != ";":
                name, at = _token(text, at)
                if text[at : at + 1] != "=" or name.lower() in names:
                    raise ValueError(text)
                names[name.lower()], at = _value(text, at + 1)
                at = _blanks(text, at)
                if text[at : at + 1] not in {"", ",", ";"}:
                    raise ValueError(text)
            if text[at : at + 1] == ";":
                at = _blanks(text, at + 1)
        if at > start:
            # A proxy need not name its client; then the entries left of it are withheld.
            chain.append(_bracketed(names["for"]) if "for" in names else None)
        if at == len(text):
            return chain
        at += 1


_CHAINS: Final[Mapping[str, Callable[[bytes], Chain]]] = {
    "x-forwarded-for": x_forwarded_for,
    "forwarded": forwarded,
    "x-real-ip": x_real_ip,
}


def _text(value: bytes) -> str:
    if value.count(b",") >= MAX_HOPS:
        raise ValueError(f"more than {MAX_HOPS} hops")
    if len(value) > MAX_CHAIN_BYTES:
        raise ValueError(f"more than {MAX_CHAIN_BYTES} bytes")
    # A quoted string may hold bytes from 0x80 (obs-text); no address and no name does.
    return value.decode("latin-1")


def _node(text: str) -> Client | None:
    """Parse ``node [":" port]`` (RFC 7239, section 6), or an IPv6 address without brackets."""
    if text[:1] != "[" and text.count(":") > 1:
        return _client(text, "")
    return _bracketed(text)


def _bracketed(text: str) -> Client | None:
    """Parse ``node [":" port]`` (RFC 7239, section 6); None: the address is withheld."""
    if text[:1] == "[":
        address, bracket, port = text[1:].partition("]")
        if not bracket or ":" not in address or port[:1] not in {"", ":"} or port == ":":
            raise ValueError(text)
        return _client(address, port[1:])
    name, colon, port = text.partition(":")
    if colon and not port:
        raise ValueError(text)
    if name.lower() == "unknown" or _is_obfuscated(name):
        _port(port)
        return None
    if ":" in port:
        raise ValueError(text)
    return _client(name, port)


def _client(address: str, port: str) -> Client:
    return Client(format_address(packed_address(address)), _port(port))


def _port(text: str) -> int:
    """Return the port, 0 if there is none or it is obfuscated."""
    if not text or _is_obfuscated(text):
        return 0
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(_MAX_PORT))):
        raise ValueError(text)
    if int(text) > _MAX_PORT:
        raise ValueError(text)
    return int(text)


def _is_obfuscated(text: str) -> bool:
    """Return whether *text* is an ``obfnode`` or an ``obfport`` (RFC 7239, section 6.3)."""
    return text[:1] == "_" and len(text) > 1 and set(text) <= _OBFUSCATED


def _token(text: str, at: int) -> tuple[str, int]:
    end = at
    while end < len(text) and text[end] in _TOKEN:
        end += 1
    if end == at:
        raise ValueError(text)
    return text[at:end], end


def _value(text: str, at: int) -> tuple[str, int]:
    if text[at : at + 1] != '"':
        return _token(text, at)
    value = ""
    at += 1
    while text[at : at + 1] != '"':
        at += text[at : at + 1] == "\\"
        if at >= len(text) or (text[at] < " " and text[at] != "\t") or text[at] == _DELETE:
            raise ValueError(text)
        value += text[at]
        at += 1
    return value, at + 1


def _blanks(text: str, at: int) -> int:
    while text[at : at + 1] in {" ", "\t"}:
        at += 1
    return at
