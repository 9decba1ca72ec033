"""The protocol of bytes that are not an HTTP request, such as TLS to this port.

By the first bytes alone, so that it is the same however TCP divides them. Imported with the first
such bytes.
"""

from typing import Final

_TOKEN_START: Final = frozenset(
    b"!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
)
"""RFC 9110, section 5.6.2: a method is a token."""

_PROXY_IS_OFF: Final = "PROXY_PROTOCOL is not set"

_STARTS: Final = (
    # RFC 8446, section 5.1: a record of type handshake.
    (b"\x16", "TLS, and this port speaks plain HTTP: use http://, or a proxy that ends TLS"),
    # RFC 5246, appendix E.2: a length with its first bit set.
    (b"\x80", "TLS, as SSL 2.0 begins it, and this port speaks plain HTTP"),
    # The PROXY protocol, sections 2.1 and 2.2; the CRLFs before the NUL are not a request line.
    (b"PROX", f"a PROXY header, and {_PROXY_IS_OFF}"),
    (b"\0", f"a NUL, as in a PROXY header of version 2, and {_PROXY_IS_OFF}"),
    (b"SS", "SSH, and this port speaks HTTP"),
)


def reason_of(start: bytes) -> str:
    """Return the reason to reject a line by *start*, its first bytes; empty for a method."""
    for known, reason in _STARTS:
        if start.startswith(known):
            return reason
    if start[:1] and start[0] not in _TOKEN_START:
        return "not an HTTP/1.1 request: it does not begin with a method"
    return ""
