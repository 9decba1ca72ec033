"""Peers that read their responses slowly or never: memory stays, and they are closed."""

import contextlib
import socket
import time
from pathlib import Path
from typing import Final

import pytest

from tests.lib.http_client import GET, request
from tests.lib.running_service import Start

LONG: Final = request("/platform") * 400
"""For some 10 MB of responses, more than the kernel buffers for so small a window."""

PIECE_BYTES: Final = 5_000
PIECES_PER_SECOND: Final = 20


@pytest.mark.claim("a least rate of reading")
@pytest.mark.parametrize(
    ("least", "seconds", "is_cut_off"), [(1_000_000, 1, True), (1_000, 5, False)]
)
def test_least_rate(start: Start, least: int, seconds: int, *, is_cut_off: bool) -> None:
    """Progress does not save a peer below the rate; a peer above it stays connected."""
    service = start(
        *("--write-timeout-seconds", str(seconds)),
        *("--min-response-bytes-per-second", str(least)),
    )
    with socket.socket() as peer:
        peer.settimeout(60)
        # Small, with small packets: the peer's kernel acknowledges every few kilobytes read.
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16_384)
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 1_000)
        peer.connect(("127.0.0.1", service.port))
        peer.sendall(LONG)
        if is_cut_off:
            with pytest.raises(ConnectionResetError):
                read_slowly(peer, pieces=1_000)
        else:
            read_slowly(peer, pieces=(seconds + 1) * PIECES_PER_SECOND)


def read_slowly(peer: socket.socket, *, pieces: int) -> None:
    """Read so many pieces, no faster than 100 kB/s."""
    for _ in range(pieces):
        assert peer.recv(PIECE_BYTES)
        time.sleep(1 / PIECES_PER_SECOND)


def memory(pid: int) -> int:
    """Return what a process has in memory, in bytes."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) * 1024


@pytest.mark.claim("slow readers stop the reading")
def test_peer_that_does_not_read(start: Start) -> None:
    """A peer that sends and never reads is paused, then closed; others are served meanwhile."""
    service = start("--max-requests-per-connection", "1000000000")
    with service.connect() as connection:
        connection.socket.settimeout(1)
        with contextlib.suppress(TimeoutError):
            for _ in range(2000):
                connection.send(GET * 1000)
            pytest.fail("68 MB of requests were read, and no response was")
        with service.connect() as other:
            assert other.request().status == 200


@pytest.mark.claim("many requests at once for long responses")
def test_many_requests_without_reading(start: Start) -> None:
    """Many small requests for long responses grow no memory; others are served meanwhile."""
    service = start()
    with contextlib.ExitStack() as stack:
        peers = [stack.enter_context(service.connect()) for _ in range(11)]
        for peer in peers:
            assert peer.request().status == 200
        before = memory(service.pid)
        for peer in peers[1:]:
            peer.send(LONG)
        with service.connect() as other:
            for _ in range(50):  # the kernel's buffers fill up
                assert other.request().status == 200
        grown = memory(service.pid) - before

    # all responses to one of them: 10 MB
    assert grown < 20_000_000
