"""One connected socket: read what is there, send what the kernel takes, keep the rest, end well.

What the bytes mean is a subclass's business. What is written is sent when the loop's turn ends,
with what the others have written: a peer that is woken by the first finds the rest on its way,
instead of going to sleep and being woken for each (docs/explanation/performance.md).

A stream that has something unsent is not read from: a peer that does not read its answers makes
the kernel hold its requests, and nothing here grows.
"""

import sys
from enum import Enum
from select import EPOLLIN, EPOLLOUT
from socket import MSG_DONTWAIT, SHUT_WR, SO_LINGER, SOL_SOCKET, socket
from typing import Final

from .loop import STREAM, Loop

_UNUSUAL: Final = ~(EPOLLIN | EPOLLOUT)
"""The peer has shut its half, or is gone: there may be an end of file behind what was read."""

_FOR_NO_TIME: Final = (1).to_bytes(4, sys.byteorder) + bytes(4)
"""A struct linger of socket(7): on, for 0 s."""

FLUSH_NOW_BYTES: Final = 4 * 1024
"""An answer as long took its time to be made: it is sent at once, with all that wait. So what is
short waits for others that are as short, a quarter of a millisecond at the worst."""


class AfterFlush(Enum):
    """What becomes of a stream once all is sent."""

    KEEP_OPEN = "read on"
    SHUTDOWN = "tell the peer that this was all, and wait for its end"
    CLOSE = "close"


_KEEP_OPEN: Final = AfterFlush.KEEP_OPEN
"""Reading a member of a class takes longer than reading a name."""

READ_BYTES: Final = 16 * 1024
"""Bytes a read may bring: all of a permitted head, and no more than a few hundred pipelined
requests, so that one connection cannot keep the others waiting or grow by its answers. Small
enough, too, that the C library's allocator keeps it and asks the kernel for nothing."""


class Stream:
    """One connected socket."""

    __slots__ = (
        "_after_flush",
        "_descriptor",
        "_loop",
        "_paused",
        "_receive",
        "_send",
        "_sock",
        "_unsent",
        "drained_bytes",
    )

    def __init__(self, loop: Loop, sock: socket) -> None:
        self._loop = loop
        self._sock = sock
        self._descriptor = sock.fileno()
        # The flag with each call instead of a call that makes the socket non-blocking.
        self._receive = sock.recv
        self._send = sock.send
        self._unsent: bytes | memoryview | None = None
        """What was written in this turn, or is left of what the kernel did not take."""
        self._paused = False
        self._after_flush = AfterFlush.KEEP_OPEN
        self.drained_bytes = 0
        """Bytes that the kernel took of what it did not take at once, since whoever judges the peer
        by them has set this back."""

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
        """Go on where the kernel can: called by the loop, once for each piece of news."""
        if self._paused and not self._go_on():
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
        except Exception as exc:  # noqa: BLE001  a fault of ours ends this connection alone
            self.abort()
            self.on_error(exc)
        if (len(data) == READ_BYTES or events & _UNUSUAL) and self._descriptor >= 0:
            # There may be more, of which the kernel has told; the others get their turn first.
            self._loop.rearm(self._descriptor)

    def write(self, data: bytes) -> None:
        """Send *data* when this turn ends, or when the peer takes it."""
        if self._unsent is None:
            self._unsent = data
            self._loop.call_soon(self.flush)
        else:
            self._unsent = data = bytes(self._unsent) + data
        if len(data) > FLUSH_NOW_BYTES:
            self._loop.run_callbacks()

    def flush(self) -> None:
        """Send what was written: called by the loop at the end of its turn."""
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
            self.drained_bytes += sent
            self._paused = True
            self.on_blocked()
            return
        self._unsent = None
        if self._paused:
            self._loop.rearm(self._descriptor)
        elif self._after_flush is not _KEEP_OPEN:
            self._finish(self._after_flush)

    def pause_reading(self) -> None:
        """Read nothing until ``on_sent`` has been called, after the others had their turn."""
        self._paused = True
        if self._unsent is None:
            self._loop.rearm(self._descriptor)

    def retry_send(self) -> None:
        """Ask the kernel whether it takes more, though it has not said so.

        It speaks once a third of its buffer is free. Of a peer that took 500 bytes a second it
        was silent for 48 s; of one that was quick before, its buffer can be megabytes.
        """
        self.ready(EPOLLOUT)

    @property
    def unsent(self) -> int:
        """Bytes that the peer's window, and so the kernel, did not take yet."""
        return 0 if self._unsent is None else len(self._unsent)

    @property
    def is_connected(self) -> bool:
        """Whether the socket is there still."""
        return self._descriptor >= 0

    @property
    def buffered(self) -> int:
        """Bytes in memory for the unsent: what was sent of an answer goes with the rest of it."""
        unsent = self._unsent
        return memoryview(unsent.obj if isinstance(unsent, memoryview) else unsent or b"").nbytes

    def drop_new_connections(self) -> None:
        """Send what is left and the end of file; go on reading, for the peer's end."""
        self._finish(AfterFlush.SHUTDOWN)

    def close(self) -> None:
        """Send what is left, then close."""
        self._finish(AfterFlush.CLOSE)

    def abort(self) -> None:
        """Close now, with whatever is unsent."""
        if self._descriptor < 0:
            return
        self._loop.discard(self._descriptor)
        self._descriptor = -1
        self._unsent = None
        self._sock.close()
        self.on_closed()

    def reset(self) -> None:
        """Close now, with whatever is unsent, and with what the kernel holds for the peer.

        It would hold it after a mere close as long as the peer goes on taking a little.
        """
        if self._descriptor >= 0:
            self._sock.setsockopt(SOL_SOCKET, SO_LINGER, _FOR_NO_TIME)
            self.abort()

    # For a subclass.

    def on_data(self, data: bytes) -> None:
        """Take what has come."""
        raise NotImplementedError

    def on_eof(self) -> None:
        """The peer will send no more."""
        raise NotImplementedError

    def on_blocked(self) -> None:
        """Something is unsent: nothing is read until it is sent."""

    def on_drained(self) -> None:
        """All is sent, or the turn after ``hold`` has come; it is read from, unless it ends."""

    def on_error(self, exc: Exception) -> None:
        """``on_bytes`` has raised, and the stream was aborted."""
        raise exc

    def on_closed(self) -> None:
        """The socket is closed; this is the last call."""

    def _go_on(self) -> bool:
        """Send more of what is left; return whether the stream can be read from."""
        if self._unsent is not None:
            try:
                sent = self._send(self._unsent, MSG_DONTWAIT)
            except BlockingIOError:
                return False
            except OSError:
                self.abort()
                return False
            self.drained_bytes += sent
            if sent != len(self._unsent):
                self._unsent = memoryview(self._unsent)[sent:]
                return False
            self._unsent = None
        self._paused = False
        after = self._after_flush
        try:
            self.on_drained()
        except Exception as exc:  # noqa: BLE001  as with on_bytes
            self.abort()
            self.on_error(exc)
        if after is not AfterFlush.KEEP_OPEN:
            self._finish(after)
        return not self._paused and self._descriptor >= 0

    def _finish(self, after: AfterFlush) -> None:
        self._after_flush = after
        if self._unsent is not None or self._descriptor < 0:
            return
        if after is AfterFlush.CLOSE:
            self.abort()
            return
        try:
            self._sock.shutdown(SHUT_WR)
        except OSError:
            self.abort()
