"""Limits in number and time over TCP: an excess or slow client gets an error response."""

import contextlib
import os
import signal
import sys
from typing import Final

import pytest

from tests.lib.http_client import GET, HALF, ProtocolError, request
from tests.lib.running_service import RunningService, Start
from tests.lib.waiting import until

INFO: Final = request("/")
OTHER_UID: Final = 54_321
"""A uid without another process."""


def limit_files(number: int) -> tuple[str, ...]:
    """Return a prefix under which so many files can be open."""
    return ("sh", "-c", f'ulimit -n {number}; exec "$@"', "sh")


def is_served(service: RunningService, data: bytes = GET) -> bool:
    """Whether a request over a new connection gets a response of status 200."""
    with service.connect() as connection:
        try:
            return connection.request(data).status == 200
        except (OSError, ProtocolError):
            return False


@pytest.mark.claim("connections, places for probes")
def test_too_many_connections(start: Start) -> None:
    """One connection too many gets 503, unless it is a probe's; then there is room again."""
    service = start("--max-connections", "2")
    with service.connect() as first, service.connect() as second:
        assert first.request().status == 200
        assert second.request().status == 200
        with service.connect() as third:
            assert third.request(INFO).status == 503
        with service.connect() as probe:
            assert probe.request().status == 200
        second.finish_sending()
        second.expect_end()
        until(lambda: is_served(service, INFO))


@pytest.mark.claim("files and processes run out, in the first second as well")
def test_few_files(start: Start) -> None:
    """Without a free file the next connection gets 503; the service recovers."""
    service = start(prefix=limit_files(100))
    with contextlib.ExitStack() as stack:
        connections = [stack.enter_context(service.connect()) for _ in range(150)]
        assert connections[0].request().status == 200
        assert connections[100 - 50].request(INFO).status == 503
    until(lambda: is_served(service))
    service.signal(signal.SIGTERM)
    assert service.wait() == 0

    # One line for each pause at the most, not one for each of 150 attempts.
    assert service.names().count("accept_failed") <= 10


@pytest.mark.claim("files and processes run out, in the first second as well")
@pytest.mark.claim("faults are contained")
@pytest.mark.parametrize(("workers", "files"), [("1", 24), ("2", 80)])
def test_flood_at_the_start(start: Start, workers: str, files: int) -> None:
    """Connections that use every file in the first second neither end it nor delay its end."""
    service = start("--workers", workers, prefix=limit_files(files))
    with contextlib.ExitStack() as stack:
        for _ in range(200):
            connection = stack.enter_context(service.connect())
            connection.socket.settimeout(0)
            # Half of them request routes with local imports: files that cannot be opened.
            with contextlib.suppress(OSError):
                connection.send(b"GET /platform HTTP/1.1\r\nHost: a\r\nX-A: \r\n\r\n")
        assert service.process.poll() is None
    until(lambda: is_served(service))
    with contextlib.ExitStack() as stack:
        for _ in range(200):
            stack.enter_context(service.connect()).send(HALF)
        service.signal(signal.SIGTERM)
        with contextlib.suppress(OSError):
            for _ in range(200):
                stack.enter_context(service.connect())
    assert service.wait() == 0


@pytest.mark.claim("files and processes run out, in the first second as well")
def test_no_process_for_a_worker(start: Start) -> None:
    """Workers that cannot be forked are tried again; the others serve."""
    if os.getuid():
        pytest.skip("needs root, to become a user with few processes")
    # The kernel holds only a process without privileges to it: this code drops them first.
    code = (
        "import array, mmap, os, resource, sys, devops_info_service.cli as cli\n"
        "import devops_info_service.commands.serve, devops_info_service.termination\n"
        "import devops_info_service.http.processes.prefork\n"
        "import devops_info_service.http.shared_memory.shutdown_record\n"
        "resource.setrlimit(resource.RLIMIT_NPROC, (4, 4))\n"
        f"os.setgroups([]); os.setgid({OTHER_UID}); os.setuid({OTHER_UID})\n"
        "sys.exit(cli.main([]))"
    )
    settings = {"WORKERS": "8", "PORT": "0"}
    service = start(environ=settings, program=(sys.executable, "-c", code))
    for _ in range(20):
        assert service.responds()
    service.signal(signal.SIGTERM)
    assert service.wait() == 0


def test_slow_head(start: Start) -> None:
    """A head that does not come is 408, by the one timer."""
    service = start("--header-timeout-seconds", "1")
    with service.connect() as connection:
        connection.send(b"GET / HT")

        assert connection.read().status == 408


def test_memory_of_connections(start: Start) -> None:
    """Half of a budget of 1 MiB is room for 12 connections; the thirteenth gets 503."""
    service = start("--max-connection-memory-bytes", str(1024 * 1024))
    with contextlib.ExitStack() as stack:
        for _ in range(12):
            connection = stack.enter_context(service.connect())
            connection.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n")
        connection = stack.enter_context(service.connect())
        response = connection.request(INFO)

    assert response.status == 503
    assert b"More than 12 connections" in response.body
