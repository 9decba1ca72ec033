"""A running service whose log is read as it comes, for tests of its life."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import msgspec

from devops_info_service.http.lifecycle import SIGNALS

from .load_clients import read_answer
from .raw_requests import GET

PATIENCE_SECONDS: Final = 20
HALF: Final = GET[:10]
"""A request that has begun: it keeps a process from ending."""


class Process:
    """A service with a log that is read as it comes."""

    def __init__(self, *flags: str, inherit: Callable[[], object] | None = None) -> None:
        self.events: list[dict[str, Any]] = []
        self.process = subprocess.Popen(
            [sys.executable, "-m", "devops_info_service", "--port", "0", *flags],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            preexec_fn=inherit,  # noqa: PLW1509  what a parent hands on is the case
            start_new_session=True,
        )
        assert self.process.stdout is not None
        os.set_blocking(self.process.stdout.fileno(), False)
        self._rest = b""

    @property
    def pid(self) -> int:
        return self.process.pid

    def read(self) -> list[dict[str, Any]]:
        """Return all events so far."""
        assert self.process.stdout is not None
        with contextlib.suppress(BlockingIOError):
            while data := os.read(self.process.stdout.fileno(), 65536):
                self._rest += data
        *lines, self._rest = self._rest.split(b"\n")
        self.events += map(msgspec.json.decode, lines)
        return self.events

    def names(self) -> list[str]:
        """Return the names of all events so far."""
        return [event["event"] for event in self.read()]

    def has(self, event: str) -> bool:
        """Whether *event* has been logged."""
        return event in self.names()

    @property
    def port(self) -> int:
        until(lambda: self.has("listening"))
        (listening,) = [event for event in self.events if event["event"] == "listening"]
        port: int = listening["port"]
        return port

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE_SECONDS)

    def answers(self) -> bool:
        """Whether a new connection gets a response."""
        with self.connect() as sock:
            sock.sendall(GET)
            return read_answer(sock).startswith(b"HTTP/1.1 200 OK\r\n")

    def children(self) -> list[int]:
        """Return the pids of its workers."""
        pid = self.process.pid
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
            return [int(word) for word in text.split()]
        return []

    def wait(self) -> int:
        return self.process.wait(PATIENCE_SECONDS)

    def close(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        for stream in (self.process.stdout, self.process.stderr):
            assert stream is not None
            stream.close()


Start = Callable[..., Process]


def until(fact: Callable[[], Any], seconds: float = PATIENCE_SECONDS, pause: float = 0.01) -> Any:
    """Wait until *fact* is so, and return it."""
    deadline = time.monotonic() + seconds
    while not (found := fact()):
        assert time.monotonic() < deadline, "it never came to be"
        time.sleep(pause)
    return found


def hold_signals() -> None:
    """Inherit the signals blocked, as the executable blocks them in its first instructions."""
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)


def children_of(pid: int) -> list[int]:
    """Return the children of *pid*."""
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
