"""Peers that read their responses slowly or never: memory stays, and they are closed."""

import contextlib
import socket
import time
from pathlib import Path
from typing import Any, Final

import pytest

from .raw_requests import END, GET

ASKING: Final = b"GET /platform HTTP/1.1\r\nHost: a\r\n\r\n" * 400
"""For some 10 MB of responses, more than the kernel buffers for so small a window."""

A_TIME: Final = 5_000
TIMES_A_SECOND: Final = 20


@pytest.mark.claim("a least rate of reading")
@pytest.mark.parametrize(
    ("least", "patience", "is_cut_off"), [(1_000_000, 1, True), (1_000, 4, False)]
)
def test_least_rate(start: Any, least: int, patience: int, *, is_cut_off: bool) -> None:
    """Progress does not save a peer below the rate; a peer above it stays connected."""
    flags = (
        "--write-timeout-seconds",
        str(patience),
        "--min-response-bytes-per-second",
        str(least),
    )
    service = start(*flags)
    with socket.socket() as peer:
        peer.settimeout(20)
        # Small, with small packets: the peer's kernel acknowledges every few kilobytes read.
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16_384)
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 1_000)
        peer.connect(("127.0.0.1", service.port))
        peer.sendall(ASKING)
        end = time.monotonic() + (20 if is_cut_off else 2 * patience)
        try:
            while time.monotonic() < end:
                assert peer.recv(A_TIME)
                time.sleep(1 / TIMES_A_SECOND)
        except ConnectionResetError:
            assert is_cut_off
        else:
            assert not is_cut_off


def memory(pid: int) -> int:
    """Return what a process has in memory, in bytes."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) * 1024


@pytest.mark.claim("slow readers stop the reading")
def test_peer_that_does_not_read(start: Any) -> None:
    """A peer that sends and never reads is paused, then closed; others are served meanwhile."""
    service = start("--max-requests-per-connection", "1000000000")
    with service.connect() as sock:
        sock.settimeout(1)
        with contextlib.suppress(TimeoutError):
            for _ in range(2000):
                sock.sendall(GET * 1000)
            pytest.fail("68 MB of requests were read, and no response was")
        with service.connect() as other:
            other.sendall(GET)
            assert END in other.recv(1000)


@pytest.mark.claim("many requests at once for long responses")
def test_many_requests_without_reading(start: Any) -> None:
    """Many small requests for long responses grow no memory; others are served meanwhile."""
    service = start()
    with contextlib.ExitStack() as stack:
        peers = [stack.enter_context(service.connect()) for _ in range(11)]
        for peer in peers:
            peer.sendall(GET)
            assert END in peer.recv(1000)
        before = memory(service.process.pid)
        for peer in peers[1:]:
            peer.sendall(ASKING)
        with service.connect() as other:
            for _ in range(50):  # the kernel's buffers fill up
                other.sendall(GET)
                assert END in other.recv(1000)
        grown = memory(service.process.pid) - before

    # all responses to one of them: 10 MB
    assert grown < 20_000_000
