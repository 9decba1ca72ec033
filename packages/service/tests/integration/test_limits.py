"""Limits in number and time over TCP: an excess or slow client gets an error response."""

import contextlib
import os
import signal
import socket
from typing import Any

import pytest

from .raw_requests import END, GET, INFO


@pytest.mark.claim("connections, places for probes")
def test_too_many_connections(start: Any) -> None:
    """One connection too many gets 503, unless it is a probe's; then there is room again."""
    service = start("--max-connections", "2")
    with service.connect() as first, service.connect() as second:
        first.sendall(GET)
        assert END in first.recv(1000)
        second.sendall(GET)
        assert END in second.recv(1000)
        with service.connect() as third:
            third.sendall(INFO)
            assert third.recv(1000).startswith(b"HTTP/1.1 503 Service Unavailable\r\n")
        with service.connect() as probe:
            probe.sendall(GET)
            assert END in probe.recv(1000)
        second.shutdown(socket.SHUT_WR)
        assert second.recv(1000) == b""
        third_closed = False
        while not third_closed:
            with service.connect() as fourth:
                fourth.sendall(INFO)
                third_closed = b" 200 OK\r\n" in fourth.recv(1000)


@pytest.mark.claim("files and processes run out, in the first second as well")
def test_few_files(start: Any) -> None:
    """Without a free file the next connection gets 503; the service recovers."""
    service = start(files=100)
    with contextlib.ExitStack() as stack:
        socks = [stack.enter_context(service.connect()) for _ in range(150)]
        socks[0].sendall(GET)
        assert END in socks[0].recv(1000)
        socks[100 - 50].sendall(INFO)
        assert socks[100 - 50].recv(1000).startswith(b"HTTP/1.1 503 ")
    answer = b""
    while END not in answer:
        with service.connect() as sock:
            sock.sendall(GET)
            answer = sock.recv(1000)
    service.signal(signal.SIGTERM)
    events: list[str] = []
    while not events or events[-1] != "stopped":
        events.append(service.event()["event"])

    # One line for each pause at the most, not one for each attempt.
    assert events.count("accept_failed") <= 10


@pytest.mark.claim("files and processes run out, in the first second as well")
@pytest.mark.claim("faults are contained")
@pytest.mark.parametrize(("workers", "files"), [("1", 24), ("2", 80)])
def test_flood_at_the_start(start: Any, workers: str, files: int) -> None:
    """Connections that use every file in the first second neither end it nor delay its end."""
    service = start("--workers", workers, files=files)
    with contextlib.ExitStack() as stack:
        for _ in range(200):
            sock = stack.enter_context(service.connect())
            sock.settimeout(0)
            # Half of them request routes with local imports: files that cannot be opened.
            with contextlib.suppress(OSError):
                sock.sendall(b"GET /platform HTTP/1.1\r\nHost: a\r\nX-A: \r\n\r\n")
        assert service.process.poll() is None
    answer = b""
    while END not in answer:
        with service.connect() as sock, contextlib.suppress(OSError):
            sock.sendall(GET)
            answer = sock.recv(1000)
    with contextlib.ExitStack() as stack:
        for _ in range(200):
            stack.enter_context(service.connect()).sendall(GET[:10])
        service.signal(signal.SIGTERM)
        with contextlib.suppress(OSError):
            for _ in range(200):
                stack.enter_context(service.connect())
    assert service.wait() == 0


@pytest.mark.claim("files and processes run out, in the first second as well")
def test_no_process_for_a_worker(start: Any) -> None:
    """Workers that cannot be forked are tried again; the others serve."""
    if os.getuid():
        pytest.skip("needs root, to become a user with few processes")
    service = start(environ={"WORKERS": "8"}, processes=4)
    for _ in range(20):
        with service.connect() as sock:
            sock.sendall(GET)
            assert END in sock.recv(1000)
    service.signal(signal.SIGTERM)
    assert service.wait() == 0


def test_slow_head(start: Any) -> None:
    """A head that does not come is 408, by the one timer."""
    service = start("--header-timeout-seconds", "1")
    with service.connect() as sock:
        sock.sendall(b"GET / HT")

        assert sock.recv(1000).startswith(b"HTTP/1.1 408 Request Timeout\r\n")


def test_memory_of_connections(start: Any) -> None:
    """Half of a budget of 1 MiB is room for 12 connections; the thirteenth gets 503."""
    service = start("--max-connection-memory-bytes", str(1024 * 1024))
    with contextlib.ExitStack() as stack:
        for _ in range(12):
            sock = stack.enter_context(service.connect())
            sock.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n")
        sock = stack.enter_context(service.connect())
        sock.sendall(INFO)
        answer = sock.recv(1000)

    assert answer.startswith(b"HTTP/1.1 503 ")
    assert b"More than 12 connections" in answer
