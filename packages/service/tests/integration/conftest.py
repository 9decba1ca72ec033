"""A real process on a real port."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any, Final

import msgspec
import pytest

from .running import Process

PATIENCE_SECONDS: Final = 20
LONELY: Final = 54_321
"""A uid without another process."""

"""Timeout of events due soon; generous, for a busy machine."""


class Service:
    """A running service."""

    def __init__(
        self,
        *flags: str,
        environ: dict[str, str] | None = None,
        files: int | None = None,
        processes: int | None = None,
    ) -> None:
        limit = ["sh", "-c", f'ulimit -n {files}; exec "$@"', "sh"] if files else []
        if processes:
            # The kernel holds only a process without privileges to it: this code drops them first.
            code = (
                "import array, mmap, os, resource, sys, devops_info_service.cli as cli\n"
                "import devops_info_service.commands.serve, devops_info_service.termination\n"
                "import devops_info_service.http.processes.prefork\n"
                "import devops_info_service.http.shared_memory.shutdown_record\n"
                f"resource.setrlimit(resource.RLIMIT_NPROC, ({processes}, {processes}))\n"
                f"os.setgroups([]); os.setgid({LONELY}); os.setuid({LONELY})\n"
                "sys.exit(cli.main([]))"
            )
            limit = [sys.executable, "-c", code]
        self.process = subprocess.Popen(
            [*limit, sys.executable, "-m", "devops_info_service", "--port", "0", *flags],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, "PORT": "0", **(environ or {})},
        )
        listening = self.event()
        while listening["event"] == "worker":
            listening = self.event()
        assert listening["event"] == "listening"
        self.port: int = listening["port"]

    def event(self) -> dict[str, Any]:
        """Wait for the next line of the log."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            assert self.process.stderr is not None
            pytest.fail(f"the service ended: {self.process.stderr.read().decode()}")
        decoded: dict[str, Any] = msgspec.json.decode(line)
        return decoded

    def connect(self, host: str = "127.0.0.1") -> socket.socket:
        """Return a new connection to it."""
        return socket.create_connection((host, self.port), timeout=PATIENCE_SECONDS)

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self.process.send_signal(number)

    def wait(self) -> int:
        """Wait for its end and return its exit status."""
        return self.process.wait(PATIENCE_SECONDS)

    def close(self) -> None:
        """End it, however it is."""
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()
        self.process.communicate()


Start = Callable[..., Service]


@pytest.fixture
def start() -> Iterator[Start]:
    """Start services with flags of one's own; they end with the test."""
    with contextlib.ExitStack() as stack:

        def start_one(*flags: str, **more: Any) -> Service:
            service = Service(*flags, **more)
            stack.callback(service.close)
            return service

        yield start_one


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    """One service for all tests of a module that leave it as it is."""
    service = Service()
    yield service
    service.close()


@pytest.fixture
def read_until() -> Callable[[socket.socket, bytes], bytes]:
    """Read from a socket up to and with some bytes, or to its end."""

    def read(sock: socket.socket, end: bytes) -> bytes:
        data = b""
        while not data.endswith(end):
            piece = sock.recv(65536)
            if not piece:
                break
            data += piece
        return data

    return read


@pytest.fixture
def run() -> Iterator[Callable[..., Process]]:
    """Start services that end with the test, connections with them."""
    with contextlib.ExitStack() as stack:

        def start_one(*flags: str, **more: Any) -> Process:
            process = Process(*flags, **more)
            stack.callback(process.close)
            return process

        yield start_one
