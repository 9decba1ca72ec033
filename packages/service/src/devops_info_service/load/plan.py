"""What a run of the load client sends, and its outcome."""

from collections.abc import Callable

import msgspec

from .addresses import Address


class Plan(msgspec.Struct, frozen=True):
    """What to send."""

    request: bytes
    """The bytes of each request."""
    addresses: tuple[Address, ...]
    """Those that are connected to in turn."""
    resolve: Callable[[], tuple[Address, ...]] | None
    """Gives others; called in a thread each second. None: there are no others."""
    connections: int
    seconds: float | None
    """No request starts after so many; None: no limit."""
    requests: int | None
    """The number of requests; None: no limit."""
    rate: float | None
    """Requests a second; None: a connection sends the next one when it has the response."""
    keep_alive: bool
    timeout_seconds: float
    """For a response, from the moment its request was due."""


class Result(msgspec.Struct, frozen=True):
    """The outcome of a run; durations in seconds."""

    requests: int
    """Those with a whole response, or a failure."""
    failures: dict[str, int]
    """By kind: a status below 200 or from 400 on is one."""
    retried: int
    """Sent again as the server had closed the kept connection before any byte of a response, which
    a client is to expect (RFC 9112, section 9.5); or to the name's next address, as one could not
    be connected to (RFC 1123, section 2.3)."""
    connections: int
    body_bytes: int
    seconds: float
    rate: float
    p50: float
    p90: float
    p99: float
    max: float
    """Of successful requests, from the moment each was due: a pause of the server counts for every
    request it has held up."""
