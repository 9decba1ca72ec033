"""One connected socket: read, send without blocking, keep unsent bytes, end in order.

A write is sent at the end of the loop's iteration, together with those of other streams: a peer
is woken once for all, not for each (docs/explanation/performance.md).

A stream with unsent bytes is not read from: for a peer that does not read its responses the
kernel holds its requests, and nothing here grows.
"""

import sys
from enum import Enum
from select import EPOLLIN, EPOLLOUT
from socket import MSG_DONTWAIT, SHUT_WR, SO_LINGER, SOL_SOCKET, socket
from typing import Final

from .loop import STREAM, Loop

_UNUSUAL: Final = ~(EPOLLIN | EPOLLOUT)
"""The peer has shut its half or vanished: an end of file may follow the data."""

_LINGER_ZERO: Final = (1).to_bytes(4, sys.byteorder) + bytes(4)
"""A struct linger of socket(7): on, for 0 s."""

FLUSH_NOW_BYTES: Final = 4 * 1024
"""A response as long took time to make and is sent at once. So a short one waits for others as
short, a quarter of a millisecond at the worst."""


class AfterFlush(Enum):
    """What follows once all is sent."""

    KEEP_OPEN = "read on"
    SHUTDOWN = "send the end of file, and wait for the peer's"
    CLOSE = "close"


_KEEP_OPEN: Final = AfterFlush.KEEP_OPEN
"""Reading a member of a class takes longer than reading a name."""

READ_BYTES: Final = 16 * 1024
"""Bytes of one read: all of a permitted head, and no more than a few hundred pipelined requests,
so that one connection cannot keep the others waiting or grow by its responses. Small enough that
the C library's allocator keeps the buffer."""


class Stream:
    """One connected socket."""

    __slots__ = (
        "_after_flush",
        "_descriptor",
        "_drained_bytes",
        "_loop",
        "_paused",
        "_pending",
        "_receive",
        "_send",
        "_sock",
        "_unsent",
    )

    def __init__(self, loop: Loop, sock: socket) -> None:
        self._loop = loop
        self._sock = sock
        self._descriptor = sock.fileno()
        # The flag with each call instead of a call that makes the socket non-blocking.
        self._receive = sock.recv
        self._send = sock.send
        self._unsent: bytes | memoryview | None = None
        """Written in this iteration, or the rest that the kernel did not accept."""
        self._paused = False
        """Nothing is read: bytes are unsent, or ``pause_reading`` was called."""
        self._pending = b""
        """Read before the pause, and delivered after it. Bytes, as they take less memory than the
        requests they hold."""
        self._after_flush = _KEEP_OPEN
        self._drained_bytes = 0

    def start(self) -> None:
        """Read what came with the connection, then wait for more: a short one needs no wait."""
        self.ready(EPOLLIN)
        if self._descriptor >= 0:
            try:
                self._loop.watch(self._descriptor, self.ready, STREAM)
            except OSError:
                # /proc/sys/fs/epoll/max_user_watches, or no memory.
                self.abort()

    def ready(self, events: int) -> None:
        """Send and read what the kernel allows: called by the loop, once for each event."""
        if self._paused and not self._resume():
            return
        try:
            data = self._receive(READ_BYTES, MSG_DONTWAIT)
        except BlockingIOError:
            return
        except OSError:
            self.abort()
            return
        if not data:
            self.on_eof()
            return
        try:
            self.on_data(data)
        except Exception as exc:  # noqa: BLE001  a bug in the server ends this connection alone
            self.abort()
            self.on_error(exc)
        if (len(data) == READ_BYTES or events & _UNUSUAL) and self._descriptor >= 0:
            # There may be more, which the kernel has reported; other streams come first.
            self._loop.rearm(self._descriptor)

    def write(self, data: bytes) -> None:
        """Send *data* at the end of the iteration, or when the kernel has room."""
        if self._unsent is None:
            self._unsent = data
            self._loop.call_soon(self.flush)
        else:
            self._unsent = data = bytes(self._unsent) + data
        if len(data) > FLUSH_NOW_BYTES:
            self._loop.run_callbacks()

    def flush(self) -> None:
        """Send the written bytes: called by the loop at the end of its iteration."""
        data = self._unsent
        if data is None:
            return  # Aborted meanwhile.
        try:
            sent = self._send(data, MSG_DONTWAIT)
        except BlockingIOError:
            sent = 0
        except OSError:
            self.abort()
            return
        if sent != len(data):
            self._unsent = memoryview(data)[sent:]
            self._drained_bytes += sent
            self._paused = True
            self.on_blocked()
            return
        self._unsent = None
        if self._paused:
            self._loop.rearm(self._descriptor)
        elif self._after_flush is not _KEEP_OPEN:
            self._finish(self._after_flush)

    def pause_reading(self, resume: bytes) -> None:
        """Read nothing until all is sent and the others had their turn; then take up *resume*.

        ``on_drained`` is called first, then ``on_data`` with *resume* unless the stream ends.
        """
        self._paused = True
        self._pending = resume
        if self._unsent is None:
            self._loop.rearm(self._descriptor)

    def hold(self, resume: bytes) -> None:
        """Read nothing until ``release``; then take up *resume*."""
        self._paused = True
        self._pending = resume

    def release(self) -> None:
        """Read on after ``hold``, once all is sent and the others had their turn."""
        if self._unsent is None and self._descriptor >= 0:
            self._loop.rearm(self._descriptor)

    def retry_send(self) -> None:
        """Try to send, though the kernel has not reported that it has room.

        It does so when a third of its buffer is free. For a peer that took 500 bytes a second it
        was silent for 48 s; for a peer that was fast before, its buffer can be megabytes.
        """
        self.ready(EPOLLOUT)

    @property
    def unsent(self) -> int:
        """Bytes that the peer's window, and so the kernel, did not accept yet."""
        return 0 if self._unsent is None else len(self._unsent)

    def take_drained(self) -> int:
        """Return the bytes sent with or after a partial write, since the last call of this."""
        drained, self._drained_bytes = self._drained_bytes, 0
        return drained

    @property
    def is_connected(self) -> bool:
        """Whether the socket is open."""
        return self._descriptor >= 0

    @property
    def buffered(self) -> int:
        """Bytes in memory: the sent part of a response is freed together with its rest."""
        unsent = self._unsent
        response = unsent.obj if isinstance(unsent, memoryview) else unsent or b""
        return memoryview(response).nbytes + len(self._pending)

    def shutdown(self) -> None:
        """Send all unsent bytes and the end of file; read on until the peer's."""
        self._finish(AfterFlush.SHUTDOWN)

    def close(self) -> None:
        """Send all unsent bytes, then close."""
        self._finish(AfterFlush.CLOSE)

    def abort(self) -> None:
        """Close now, and drop unsent bytes."""
        if self._descriptor < 0:
            return
        self._loop.discard(self._descriptor)
        self._descriptor = -1
        self._unsent = None
        self._pending = b""
        self._sock.close()
        self.on_closed()

    def reset(self) -> None:
        """Close now, and drop unsent bytes, those in the kernel included.

        After a mere close the kernel would hold them while the peer reads a little at a time.
        """
        if self._descriptor >= 0:
            self._sock.setsockopt(SOL_SOCKET, SO_LINGER, _LINGER_ZERO)
            self.abort()

    # For a subclass.

    def on_data(self, data: bytes) -> None:
        """*data* was received."""
        raise NotImplementedError

    def on_eof(self) -> None:
        """The peer sends no more."""
        raise NotImplementedError

    def on_blocked(self) -> None:
        """Bytes are unsent: nothing is read until they are sent."""

    def on_drained(self) -> None:
        """All is sent and the pause is over: reading goes on, unless the stream ends."""

    def on_error(self, exc: Exception) -> None:
        """``on_data`` has raised, and the stream was aborted."""
        raise exc

    def on_closed(self) -> None:
        """The socket is closed; this is the last call."""

    def _resume(self) -> bool:
        """Send more of the unsent bytes; return whether the stream can be read from."""
        if not self._send_unsent():
            return False
        self._paused = False
        pending, self._pending = self._pending, b""
        after = self._after_flush
        try:
            self.on_drained()
            if pending and self._descriptor >= 0:
                self.on_data(pending)
        except Exception as exc:  # noqa: BLE001  as with on_data
            self.abort()
            self.on_error(exc)
        if after is not _KEEP_OPEN:
            self._finish(after)
        return not self._paused and self._descriptor >= 0

    def _send_unsent(self) -> bool:
        """Send more of the unsent bytes; return whether none is left."""
        if self._unsent is None:
            return self._descriptor >= 0
        try:
            sent = self._send(self._unsent, MSG_DONTWAIT)
        except BlockingIOError:
            return False
        except OSError:
            self.abort()
            return False
        self._drained_bytes += sent
        if sent != len(self._unsent):
            self._unsent = memoryview(self._unsent)[sent:]
            return False
        self._unsent = None
        return True

    def _finish(self, after: AfterFlush) -> None:
        self._after_flush = after
        self._pending = b""
        if self._unsent is not None or self._descriptor < 0:
            return
        if after is AfterFlush.CLOSE:
            self.abort()
            return
        try:
            self._sock.shutdown(SHUT_WR)
        except OSError:
            self.abort()
