"""Peers that go on reading their answers: who is slower than the least rate is cut off."""

import socket
import time
from typing import Any, Final

import pytest

ASKING: Final = b"GET /platform HTTP/1.1\r\nHost: a\r\n\r\n" * 400
"""For some 10 MB of answers, which no buffer of a kernel holds for a window as small."""

A_TIME: Final = 5_000
TIMES_A_SECOND: Final = 20


@pytest.mark.parametrize(
    ("least", "patience", "is_cut_off"), [(1_000_000, 1, True), (1_000, 4, False)]
)
def test_least_rate(start: Any, least: int, patience: int, *, is_cut_off: bool) -> None:
    """That it goes on does not help a peer below the rate, and one above it is left alone."""
    flags = ("--write-seconds", str(patience), "--min-answer-bytes-per-second", str(least))
    service = start(*flags)
    with socket.socket() as peer:
        peer.settimeout(20)
        # Small, and small packets: its kernel tells of every few kilobytes that are read.
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
