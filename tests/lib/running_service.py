"""The service as a process: its flags and inheritance in, its log, port and exit status out."""

import contextlib
import os
import selectors
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, Final

import msgspec

from .http_client import TIMEOUT_SECONDS, Connection, Response, get
from .waiting import until

PROGRAM: Final = (sys.executable, "-m", "devops_info_service")

Event = dict[str, Any]
"""A line of the log."""


class RunningService:
    """A service that was started, and its log."""

    def __init__(
        self,
        *flags: str,
        environ: Mapping[str, str] | None = None,
        inherit: Callable[[], object] | None = None,
        prefix: Sequence[str] = (),
        program: Sequence[str] = PROGRAM,
        port: int = 0,
        stdout: int | None = None,
    ) -> None:
        """Start *program* with *flags*, after the words of *prefix*.

        Args:
            environ: variables beside those of the tests.
            inherit: called in the child, before the program.
            port: 0 has the kernel choose; :attr:`port` then reads it from the log.
            stdout: a descriptor in place of the log.
        """
        self.process = subprocess.Popen(
            [*prefix, *program, "--port", str(port), *flags],
            stdout=subprocess.PIPE if stdout is None else stdout,
            stderr=subprocess.PIPE,
            env={**os.environ, "HOST": "127.0.0.1", **(environ or {})},
            preexec_fn=inherit,  # noqa: PLW1509  what a parent hands on is the case
            start_new_session=True,
        )
        self._events: list[Event] = []
        self._next = 0
        self._line = b""
        self._port = port
        self._listens = False
        if self.process.stdout is not None:
            os.set_blocking(self.process.stdout.fileno(), False)

    @property
    def pid(self) -> int:
        """The process that was started."""
        return self.process.pid

    def events(self) -> list[Event]:
        """Return every event so far."""
        log = self._log
        with contextlib.suppress(BlockingIOError):
            while data := os.read(log.fileno(), 65536):
                self._line += data
        *lines, self._line = self._line.split(b"\n")
        self._events += map(msgspec.json.decode, lines)
        return self._events

    def names(self) -> list[str]:
        """Return the names of all events so far."""
        return [event["event"] for event in self.events()]

    def has(self, name: str) -> bool:
        """Whether event *name* has been logged."""
        return name in self.names()

    def event(self, name: str | None = None) -> Event:
        """Wait for the next event; with *name* for the next of this name.

        Raises:
            AssertionError: the log ended before, or nothing came for a minute.
        """
        while True:
            while self._next == len(self._events):
                assert self._is_readable(), f"no event; so far {self._events}"
                if len(self.events()) == self._next and self.process.poll() is not None:
                    assert len(self.events()) > self._next, f"the service ended: {self.errors()}"
            self._next += 1
            event = self._events[self._next - 1]
            if name in {None, event["event"]}:
                return event

    def _is_readable(self) -> bool:
        # Not select(): a test run has more descriptors than its 1024.
        with selectors.DefaultSelector() as selector:
            selector.register(self._log, selectors.EVENT_READ)
            return bool(selector.select(TIMEOUT_SECONDS))

    def rest(self) -> list[Event]:
        """Wait for the end; return the events that :meth:`event` has not returned."""
        self.wait()
        first, self._next = self._next, len(self.events())
        return self._events[first:]

    @property
    def port(self) -> int:
        """The port of the public routes; waits until it listens."""
        if self.process.stdout is None and not self._listens:
            self._listens = until(self._accepts)
        elif not self._port:
            until(lambda: self.has("listening") or self._has_ended())
            listening = [event for event in self._events if event["event"] == "listening"]
            assert listening, f"the service ended: {self.errors()}"
            self._port = listening[0]["port"]
        return self._port

    def connect(self, host: str = "127.0.0.1") -> Connection:
        """Return a new connection to it."""
        return Connection(self.port, host)

    def get(self, path: str = "/health", *fields: str, method: str = "GET") -> Response:
        """Send one request over a new connection and return the response."""
        return get(self.port, path, *fields, method=method)

    def responds(self) -> bool:
        """Whether a new connection gets a response of status 200."""
        return self.get().status == 200

    def children(self) -> list[int]:
        """Return the processes that it started."""
        return children_of(self.pid)

    def two_workers(self) -> list[int]:
        """Wait for its two workers and return them."""
        found: list[int] = until(lambda: pids if len(pids := self.children()) == 2 else None)
        return found

    def signal(self, number: signal.Signals) -> None:
        """Send the first process a signal."""
        self.process.send_signal(number)

    def wait(self) -> int:
        """Wait for its end and return the exit status."""
        until(self._has_ended)
        return self.process.wait()

    def errors(self) -> str:
        """Return its standard error; it has ended."""
        assert self.process.stderr is not None
        return self.process.stderr.read().decode()

    def close(self) -> None:
        """Kill every process of its session."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self.process.wait()
        for stream in (self.process.stdout, self.process.stderr):
            if stream is not None:
                stream.close()

    @property
    def _log(self) -> IO[bytes]:
        assert self.process.stdout is not None, "its log goes elsewhere"
        return self.process.stdout

    def _has_ended(self) -> bool:
        if self.process.stdout is not None:
            self.events()  # a full pipe would keep it from ending
        return self.process.poll() is not None

    def _accepts(self) -> bool:
        assert not self._has_ended(), f"the service ended: {self.errors()}"
        try:
            Connection(self._port).close()
        except ConnectionRefusedError:
            return False
        return True


Start = Callable[..., RunningService]


def run_program(*words: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run the program to its end."""
    return subprocess.run(
        [*PROGRAM, *words],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=TIMEOUT_SECONDS,
        env={**os.environ, **environ},
    )


def children_of(pid: int) -> list[int]:
    """Return the children of *pid*; none if it has ended."""
    try:
        text = Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii")
    except (FileNotFoundError, ProcessLookupError):
        return []
    return [int(word) for word in text.split()]


def free_port() -> int:
    """Return a TCP port of the loopback that was free a moment ago."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
    return port
