"""A server for a while: started on its CPUs, timed to its first response, always killed."""

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from bench.lib.harness import ROOT, MeasureError

from . import proc

ADDRESS: Final = "127.0.0.1"
"""The only one anything here listens on."""

_PATIENCE_SECONDS: Final = 30
"""For a first response; the slowest contender needs a second on one core."""

_BETWEEN_TRIES_SECONDS: Final = 0.0002
"""A tenth of the fastest start."""

_PROBE: Final = b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
_STATUS: Final = slice(8, 13)
"""The place of `` 200 `` in a response's first line (RFC 9112, section 4)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """How a contender is started: ``{address}``, ``{port}`` and ``{workers}`` are filled in."""

    argv: tuple[str, ...]
    version: str
    env: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A running contender."""

    pid: int
    """Of its first process, which leads its session."""
    port: int
    cold_start_seconds: float
    """From the exec of its program to the first bytes of its first response."""

    @property
    def url(self) -> str:
        """Without a path."""
        return f"http://{ADDRESS}:{self.port}"

    def get(self, path: str) -> tuple[int, http.client.HTTPMessage, bytes]:
        """Return status, fields and body of one request."""
        connection = http.client.HTTPConnection(ADDRESS, self.port, timeout=_PATIENCE_SECONDS)
        with contextlib.closing(connection):
            connection.request("GET", path, headers={"User-Agent": "bench"})
            response = connection.getresponse()
            return response.status, response.headers, response.read()


@contextmanager
def serving(command: Command, cpus: Sequence[int]) -> Iterator[Server]:
    """Run *command* on *cpus*, with as many workers, for the time of a ``with``.

    Raises:
        MeasureError: it ended, or gave no 200 in time.
    """
    port = _free_port()
    words = {"address": ADDRESS, "port": str(port), "workers": str(len(cpus))}
    argv = [_filled(word, words) for word in command.argv]
    # Nothing else: a variable of the caller's shell is no part of the terms.
    env = {name: _filled(value, words) for name, value in command.env.items()}
    env["PATH"] = os.environ.get("PATH", os.defpath)
    reader, writer = os.pipe()
    with tempfile.TemporaryFile("w+") as log:
        process = subprocess.Popen(
            [
                *(sys.executable, "-I", "-S", Path(__file__).with_name("run_pinned.py")),
                *(",".join(map(str, cpus)), str(writer)),
                *argv,
            ],
            cwd=ROOT,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=[writer],
            start_new_session=True,
        )
        try:
            os.close(writer)
            with os.fdopen(reader, "rb") as moment:
                began = int(moment.read() or b"0")
            try:
                responded = _first_response(port, process)
            except MeasureError as error:
                log.seek(0)
                messages = log.read().strip().splitlines()[-1:]
                raise MeasureError(": ".join([str(error), *messages])) from None
            yield Server(pid=process.pid, port=port, cold_start_seconds=(responded - began) / 1e9)
        finally:
            _kill(process)


def _filled(text: str, words: Mapping[str, str]) -> str:
    """Fill in *words*; other braces stay, as in the path of a folder that has some."""
    for name, value in words.items():
        text = text.replace(f"{{{name}}}", value)
    return text


def _first_response(port: int, process: subprocess.Popen[bytes]) -> int:
    """Return when the first bytes came, in nanoseconds of the monotonic clock."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise MeasureError(f"it ended with status {process.returncode}")
        try:
            with socket.create_connection((ADDRESS, port), timeout=_PATIENCE_SECONDS) as sock:
                sock.sendall(_PROBE)
                if sock.recv(_STATUS.stop)[_STATUS] == b" 200 ":
                    return time.monotonic_ns()
        except OSError:
            pass  # not yet
        time.sleep(_BETWEEN_TRIES_SECONDS)
    raise MeasureError(f"it gave no 200 within {_PATIENCE_SECONDS} s")


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End the whole session: some servers' workers outlive their parent."""
    process.kill()
    process.wait()
    while left := proc.session(process.pid):
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.01)


def _free_port() -> int:
    with socket.create_server((ADDRESS, 0)) as sock:
        return int(sock.getsockname()[1])
