"""Writes that never wait, to a standard stream whose reader may be slow, stuck or closed.

``O_NONBLOCK`` is not set on the descriptor itself where that can be helped: the flag belongs to
the open file description, which the shell, ``make`` or a pipe's other writers share.
"""

import contextlib
import functools
import os
import select
import stat
import time
from collections.abc import Callable
from typing import Final

Send = Callable[[bytes], int]
"""Write what fits at once and return the number of bytes; raise OSError (``BlockingIOError`` if
nothing fits now)."""

RESULT_SECONDS: Final = 1.0
"""Seconds that a command waits for the reader of its result: a probe that is killed for its
time-out reads as an unhealthy service."""

MAX_PENDING_BYTES: Final = 64 * 1024
"""Lines kept for a reader that is behind, as much as a pipe holds by default (pipe(7)): a burst,
or a shipper's restart."""

PIECE_BYTES: Final = 4096
"""``PIPE_BUF`` (pipe(7)): what a pipe that polls as writable takes without waiting."""


def open_nonblocking(descriptor: int) -> "Output":
    """Return an output to *descriptor* that never waits for its reader.

    - A socket (systemd's journal) is written with a flag not to wait, call by call (send(2)).
    - A pipe or terminal is opened a second time through ``/proc/self/fd`` (proc_pid_fd(5)):
      the new file description has its own flags. Where that is refused (it belongs to another
      user, there is no ``/proc``), each write to a pipe is preceded by poll(2); a terminal polls
      as writable with less room than a line needs, so it gets the flag itself.
    - A regular file or another device is written as it is: it has no reader to wait for. A file
      system that hangs makes it wait all the same.
    """
    mode = os.fstat(descriptor).st_mode
    if stat.S_ISSOCK(mode):
        # Imported late: only a journal's standard output is a socket.
        import socket  # noqa: PLC0415

        sock = socket.socket(fileno=os.dup(descriptor))
        at_once = socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL
        return Output(lambda data: sock.send(data, at_once), sock.close)
    if stat.S_ISFIFO(mode) or os.isatty(descriptor):
        flags = os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
        try:
            own = os.open(f"/proc/self/fd/{descriptor}", flags)
        except OSError:
            if stat.S_ISFIFO(mode):
                return Output(functools.partial(_write_if_writable, descriptor))
            os.set_blocking(descriptor, False)
            return Output(functools.partial(os.write, descriptor))
        return Output(functools.partial(os.write, own), functools.partial(os.close, own))
    return Output(functools.partial(os.write, descriptor))


class Output:
    """Writes without waiting."""

    __slots__ = ("close", "send")

    def __init__(self, send: Send, close: Callable[[], None] = lambda: None) -> None:
        self.send = send
        self.close = close
        """Closes the file that ``open_nonblocking`` has opened, if any."""


def write_result(descriptor: int, data: bytes, *, seconds: float = RESULT_SECONDS) -> str:
    """Write all of *data*; give up once its reader has taken nothing for *seconds*.

    Return why that failed, or nothing. A closed pipe is not a failure: its reader has read enough.
    """
    try:
        output = open_nonblocking(descriptor)
    except OSError as exc:
        return exc.strerror or str(exc)
    try:
        while data:
            try:
                data = data[output.send(data) :]
            except BlockingIOError:
                if not _is_writable(descriptor, seconds):
                    return f"its reader took nothing for {seconds:g} s"
    except BrokenPipeError:
        pass
    except OSError as exc:
        return exc.strerror or str(exc)
    finally:
        output.close()
    return ""


def _is_writable(descriptor: int, seconds: float) -> bool:
    poll = select.poll()
    poll.register(descriptor, select.POLLOUT)
    return bool(poll.poll(seconds * 1000))


def _write_if_writable(descriptor: int, data: bytes) -> int:
    if not _is_writable(descriptor, 0):
        raise BlockingIOError
    return os.write(descriptor, data[:PIECE_BYTES])


class LineWriter:
    """Writes whole lines in their order, keeps a bounded number of bytes, counts dropped lines.

    A line of which a part is written is always finished before the next one, so a disk that was
    full for a while leaves no two lines glued together.
    """

    def __init__(
        self,
        send: Send,
        notice: Callable[[int], bytes],
        max_pending_bytes: int = MAX_PENDING_BYTES,
    ) -> None:
        """Write with *send*; *notice* makes the line with the number of missing lines."""
        self._send = send
        self._notice = notice
        self._room = max_pending_bytes
        self._pending: list[bytes] = []
        """The first may be the rest of a line."""
        self._pending_bytes = 0
        self._missing = 0
        """Lines dropped since the last notice."""
        self.dropped = 0
        """Lines dropped in all."""

    @property
    def is_behind(self) -> bool:
        """Whether lines wait, or are missing without a notice."""
        return bool(self._pending or self._missing)

    def write(self, line: bytes) -> None:
        """Write *line*, or keep it, or drop it."""
        if self.is_behind:
            self.flush()
            if self.is_behind:
                self._keep(line)
                return
        sent = self._try(line)
        if sent < len(line):
            self._pending.append(line[sent:])
            self._pending_bytes = len(line) - sent

    def flush(self) -> None:
        """Write the waiting lines, as far as the reader takes them."""
        done = 0
        for line in self._pending:
            sent = self._try(line)
            self._pending_bytes -= sent
            if sent < len(line):
                self._pending[done] = line[sent:]
                break
            done += 1
        del self._pending[:done]
        if self._missing and not self._pending:
            notice, self._missing = self._notice(self._missing), 0
            self.write(notice)

    def close(self, seconds: float) -> None:
        """Write the waiting lines; wait for the reader at most *seconds*."""
        deadline = time.monotonic() + seconds
        self.flush()
        while self.is_behind and time.monotonic() < deadline:
            time.sleep(0.01)
            self.flush()

    def _keep(self, line: bytes) -> None:
        room = self._room - self._pending_bytes
        kept = self._notice(self._missing) + line if self._missing else line
        if len(kept) > room:
            self._missing += 1
            self.dropped += 1
            return
        self._missing = 0
        self._pending.append(kept)
        self._pending_bytes += len(kept)

    def _try(self, data: bytes) -> int:
        # Any error may pass: the reader is back, the disk has room, a named pipe has a new
        # reader. The lines kept meanwhile are bounded.
        with contextlib.suppress(OSError):
            return self._send(data)
        return 0
