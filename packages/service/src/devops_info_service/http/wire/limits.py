"""What the engine grants to clients, and how many processes it may have."""

from typing import Annotated, Final

import msgspec

MAX_WORKERS: Final = 256
"""More than CPUs a container is given; bounds what workers share."""

MAX_PROCESSES: Final = 2 * MAX_WORKERS
"""Workers at a time: a reload has two generations for a while."""


_MIB: Final = 1024 * 1024
_HOUR: Final = 3600


class Integer(msgspec.Struct, frozen=True):
    """The range of a whole number, and its line of help."""

    low: int
    high: int
    help: str


class Limits(msgspec.Struct, frozen=True):
    """What one process grants to clients."""

    max_request_line_bytes: Annotated[int, Integer(64, _MIB, "longest request line, in bytes")] = (
        8 * 1024
    )
    """Bytes; 414 above. RFC 9112, section 3, recommends at least 8,000."""

    max_head_bytes: Annotated[
        int, Integer(256, _MIB, "longest request line and fields, in bytes")
    ] = 16 * 1024
    """Bytes of request line and fields; 431 above. Node.js grants the same, nginx 32 KiB."""

    max_fields: Annotated[int, Integer(1, 10_000, "most header fields of a request")] = 100
    """Header fields of a request; 431 above. Apache httpd's number."""

    max_body_bytes: Annotated[int, Integer(0, 1024 * _MIB, "longest request body, in bytes")] = (
        10 * 1024 * 1024
    )
    """Bytes; 413 above, from its length or a chunk's size alone. Bodies are read and dropped."""

    header_timeout_seconds: Annotated[
        int, Integer(1, _HOUR, "seconds for a request's head to arrive")
    ] = 10
    """Seconds from a request's first byte to the end of its head, which is one or two packets;
    408 after."""

    body_grace_seconds: Annotated[
        int, Integer(1, _HOUR, "seconds before the rate of a body counts")
    ] = 20
    """Seconds a body may take before its rate is checked. Apache's RequestReadTimeout."""

    min_body_bytes_per_second: Annotated[
        int, Integer(0, _MIB, "rate below which a body is too slow")
    ] = 500
    """Average below which a body is given up with 408. Apache's RequestReadTimeout."""

    keepalive_timeout_seconds: Annotated[
        int, Integer(1, 24 * _HOUR, "seconds a connection may wait for a request")
    ] = 75
    """Seconds without a request. nginx's number, and above the 60 of common load balancers, so
    that the balancer closes first and never meets a connection that is being closed."""

    write_timeout_seconds: Annotated[
        int, Integer(1, _HOUR, "seconds a peer may leave responses unread")
    ] = 30
    """Seconds, in total, that a peer may leave responses unread; then it is cut off."""

    min_response_bytes_per_second: Annotated[
        int, Integer(0, _MIB, "rate below which a peer reads too slowly")
    ] = 240
    """The rate at which reading earns those seconds back; at 0 any byte earns all. Kestrel's
    MinResponseDataRate, IIS's minBytesPerSecond."""

    max_connections: Annotated[int, Integer(1, 1_000_000, "most open connections")] = 16_384
    """Open connections of a process, as far as ``max_connection_memory_bytes`` allows; above it
    those that are idle for longest are closed, and if none is, a new one gets 503."""

    probe_connections: Annotated[int, Integer(0, 1000, "more of them, for probes alone")] = 16
    """Connections above ``max_connections`` whose first request is read: a probe is
    served, others get 503. A kubelet, a balancer's few checkers and a scraper fit."""

    max_requests_per_connection: Annotated[
        int, Integer(1, 1_000_000_000, "most requests of a connection")
    ] = 10_000
    """Then the response has ``Connection: close``: so connections spread over new replicas and
    workers in time. nginx has 1,000; at ten times that a new connection is lost in the noise."""
