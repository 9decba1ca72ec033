"""A Python program that is imported once for all of its calls (``target/resident.py``)."""

import atexit
import contextlib
import json
import os
import selectors
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import msgspec

SERVER: Final = Path(__file__).parent.parent / "target" / "resident.py"

MAX_REQUEST: Final = 1 << 16
"""Bytes of a request, as in ``target/resident.py``."""

CHUNK: Final = 1 << 16


class Ended(msgspec.Struct, frozen=True):
    """How a call ended, and its output."""

    status: int
    """Of its exit; negative for a signal."""
    stdout: bytes
    stderr: bytes


class Resident:
    """Calls of one *program* by this very interpreter, in forks of a process that is kept.

    The process starts with the first call and ends with this one, or by ``close``.
    """

    def __init__(self, program: Path) -> None:
        """Start nothing yet."""
        self.program = program
        self._starting = threading.Lock()
        self._server: tuple[socket.socket, subprocess.Popen[bytes], int] | None = None
        """Its socket, it, and the process that has started it."""
        atexit.register(self.close)

    def takes(self, argv: Sequence[str]) -> bool:
        """Whether *argv* is a call of the program."""
        return [*argv[:3]] == [sys.executable, "-P", os.fspath(self.program)]

    def run(
        self, arguments: Sequence[str], *, cwd: Path | None, env: Mapping[str, str]
    ) -> Ended | None:
        """Call the program with *arguments*, as if it were started with *cwd* and *env*.

        None if the server cannot do it: too long a request, no process, a server that is gone. The
        caller may start the program instead.
        """
        place = os.fspath(cwd or Path.cwd())
        wanted = {"arguments": [*arguments], "cwd": place, "environment": dict(env)}
        request = json.dumps(wanted).encode()
        if len(request) > MAX_REQUEST:
            return None
        with contextlib.ExitStack() as files:
            pipes = [os.pipe() for _ in range(3)]
            for read, _ in pipes:
                files.callback(os.close, read)
            try:
                with contextlib.ExitStack() as given:
                    for _, write in pipes:
                        given.callback(os.close, write)
                    socket.send_fds(self._control(env), [request], [write for _, write in pipes])
                out, err, status = _read([read for read, _ in pipes])
            except OSError:
                self.close()
                return None
        return Ended(int(status), out, err) if status else None

    def _control(self, env: Mapping[str, str]) -> socket.socket:
        """Return the socket of the server, which is started if there is none."""
        with self._starting:
            if self._server is None:
                here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
                with there:
                    process = subprocess.Popen(  # noqa: S603  (no shell; a program of onebin)
                        [sys.executable, "-P", SERVER, self.program, str(there.fileno())],
                        pass_fds=[there.fileno()], env=dict(env), stdin=subprocess.DEVNULL,
                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                    )  # fmt: skip
                self._server = here, process, os.getpid()
            return self._server[0]

    def close(self) -> None:
        """End the server, if there is one; in a fork of this process it goes on."""
        with self._starting:
            if self._server is not None:
                control, process, starter = self._server
                self._server = None
                with control:
                    if starter != os.getpid():
                        return
                    # A fork may keep the socket open: its end alone does not reach the server.
                    with contextlib.suppress(OSError):  # the server is gone
                        control.shutdown(socket.SHUT_RDWR)
                process.wait()


def _read(files: Sequence[int]) -> list[bytes]:
    """Return all that comes from each of *files*."""
    found: dict[int, list[bytes]] = {file: [] for file in files}
    with selectors.DefaultSelector() as selector:
        for file in files:
            selector.register(file, selectors.EVENT_READ)
        while selector.get_map():
            for key, _ in selector.select():
                if data := os.read(key.fd, CHUNK):
                    found[key.fd].append(data)
                else:
                    selector.unregister(key.fd)
    return [b"".join(pieces) for pieces in found.values()]
