"""How a request came here: its connection, and what header fields claim about its client."""

import msgspec

from devops_info_service.facts.fact import truncate
from devops_info_service.http.wire.forwarded import Chain, TrustedProxies, parse_claims
from devops_info_service.http.wire.message import Client, Request


class Hop(msgspec.Struct, frozen=True):
    """One address in a chain of proxies."""

    address: str | None
    """``None``: the field withholds it (RFC 7239, section 6: ``unknown`` and ``_names``)."""
    trusted: bool
    """Whether ``TRUSTED_PROXIES`` lists it."""


class ForwardedClaim(msgspec.Struct, frozen=True):
    """What one header field claims about the client; any client can send one."""

    field: str
    value: str
    """As sent, truncated to 200 characters."""
    hops: tuple[Hop, ...] | None
    """From the client to this service; ``None``: the field is malformed and ignored."""


class ClientPath(msgspec.Struct, frozen=True):
    """The path of one request from the client to this service."""

    client: Client
    """The sender of the request, after trusted proxies."""
    peer: Client
    """The other end of the connection, as the kernel or a PROXY header names it."""
    peer_trusted: bool
    """Whether the peer's claims about the client are trusted."""
    protocol: str
    forwarded: tuple[ForwardedClaim, ...]


def client_path(request: Request, proxies: TrustedProxies) -> ClientPath:
    """Return how *request* came here, with each claim its header fields make."""
    peer = request.peer or request.client
    return ClientPath(
        request.client,
        peer,
        proxies.trusts(peer.address),
        f"HTTP/{request.version}",
        tuple(
            [
                # Bytes from a client: invalid UTF-8 becomes a replacement character.
                ForwardedClaim(
                    field, truncate(value.decode("utf-8", "replace")), _hops(chain, proxies)
                )
                for field, value, chain in parse_claims(request.headers)
            ]
        ),
    )


def _hops(chain: Chain | None, proxies: TrustedProxies) -> tuple[Hop, ...] | None:
    if chain is None:
        return None
    return tuple(
        [
            Hop(None, trusted=False)
            if hop is None
            else Hop(hop.address, trusted=proxies.trusts(hop.address))
            for hop in chain
        ]
    )
