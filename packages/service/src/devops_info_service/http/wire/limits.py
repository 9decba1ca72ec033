"""What the engine grants to clients, and how many processes it may have."""

from typing import Final

import msgspec

MAX_WORKERS: Final = 256
"""More than CPUs a container is given; bounds what workers share."""

MAX_PROCESSES: Final = 2 * MAX_WORKERS
"""Workers at a time: a reload has two generations for a while."""


class Limits(msgspec.Struct, frozen=True):
    """What one process grants to strangers."""

    max_request_line_bytes: int = 8 * 1024
    """Bytes; 414 above. RFC 9112, section 3, asks for at least 8,000."""

    max_head_bytes: int = 16 * 1024
    """Bytes of request line and fields; 431 above. Node.js grants the same, nginx 32 KiB."""

    max_fields: int = 100
    """Header fields of a request; 431 above. Apache httpd's number."""

    max_body_bytes: int = 10 * 1024 * 1024
    """Bytes; 413 above, from its length or a chunk's size alone. Bodies are read and dropped."""

    head_seconds: int = 10
    """Seconds from a request's first byte to the end of its head, which is one or two packets;
    408 after."""

    body_seconds: int = 20
    """Seconds a body may take before its rate is looked at. Apache's RequestReadTimeout."""

    min_body_bytes_per_second: int = 500
    """Average below which a body is given up with 408. Apache's RequestReadTimeout."""

    idle_seconds: int = 75
    """Seconds without a request. nginx's number, and above the 60 of common load balancers, so
    that the balancer closes first and never meets a connection we are just closing."""

    write_seconds: int = 30
    """Seconds a peer may leave its answers unread, all in all; then it is cut off."""

    min_answer_bytes_per_second: int = 240
    """The rate at which taking them gives those seconds back; at 0 any byte gives all. Kestrel's
    MinResponseDataRate, IIS's minBytesPerSecond."""

    max_connections: int = 16_384
    """Open connections of a process, as far as ``max_connection_memory_bytes`` allows; above it
    those that are idle for longest are closed, and 503 is the answer where none is."""

    probe_connections: int = 16
    """Connections above ``max_connections`` whose first request is looked at: a probe is
    answered, all else gets 503. A kubelet, a balancer's few checkers and a scraper fit."""

    max_requests_per_connection: int = 10_000
    """Then the answer says ``Connection: close``: so connections spread over new replicas and
    workers some day. nginx has 1,000; at ten times that a new connection is lost in the noise."""
