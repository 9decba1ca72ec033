"""The memory that the connections of a process may take, and the number that follows from it.

A container's limit counts what the process holds and what the kernel holds for its sockets
(cgroup-v2.rst, "sock" of memory.stat). So both are bounded here; the kernel's part by the size
of a socket's buffers, which every connection inherits from the listening socket.

Half of the budget is for connections as such, half for the bytes they hold: unfinished heads,
unread responses. ``bench/endurance/states.py`` measures each state, and
``tests/e2e/test_memory_attack.py`` the whole.
"""

from typing import Final, NamedTuple

KIB: Final = 1024
MIB: Final = 1024 * KIB

SEND_BUFFER_BYTES: Final = 16 * KIB
"""SO_SNDBUF of every connection; the kernel doubles it for its own records. Left to itself it
goes up to 4 MB for a peer that reads nothing: 2.7 MB were measured. All responses except the page
and /metrics fit, and so do the ten packets that a new connection may send at once (RFC 6928)."""

RECEIVE_BUFFER_BYTES: Final = 32 * KIB
"""SO_RCVBUF of every connection, doubled like the other: two reads. Bodies are read and dropped,
so nothing is won by making them fast."""

CONNECTION_BYTES: Final = 40 * KIB
"""Of a connection without an open request: 1 KiB of the process, 5 KiB of the kernel's records, and
a full send buffer of 2 * 16 KiB, as the kernel does not report what the peer has not read."""

STALLED_BYTES: Final = 2 * RECEIVE_BUFFER_BYTES
"""Further bytes in the kernel, of a peer that is not read from as its responses are unread."""

READER_BYTES: Final = 2 * KIB
"""A parser with llhttp's, without its input."""

FIELD_BYTES: Final = 160
"""Of a field besides its text: two objects of bytes and an entry of a table."""

PROCESS_BYTES: Final = 8 * MIB
"""Private memory of a process without connections."""

UNLIMITED_BYTES: Final = 2 * 16_384 * CONNECTION_BYTES
"""Where no limit is known, and the most that ``auto`` takes: 1.25 GiB, as the default of
``MAX_CONNECTIONS`` needs."""

LEAST_BYTES: Final = 2 * MIB
"""However small the container: 25 connections, which a probe, a scraper and a balancer need."""


class Budget(NamedTuple):
    """The share of one process."""

    connections: int
    held_bytes: int


def automatic(limit: int | None, workers: int) -> int:
    """Return the bytes for all connections of a service in a container of *limit* bytes.

    Half of what the processes leave: the other half is for snapshots of the platform, for pages
    and scrapes while they are made, for memory the allocator cannot return, for the page cache.
    """
    if limit is None:
        return UNLIMITED_BYTES
    return max(LEAST_BYTES, min((limit - workers * PROCESS_BYTES) // 2, UNLIMITED_BYTES))


def share(total: int, workers: int, max_connections: int) -> Budget:
    """Return the share of each of *workers* in *total* bytes; at least one connection."""
    half = total // workers // 2
    return Budget(max(1, min(max_connections, half // CONNECTION_BYTES)), half)
