"""The listening socket: who takes the next connection, and how the door is shut on nobody."""

import contextlib
import functools
import os
import socket
import struct
from collections.abc import Callable
from typing import Any, Final

from devops_info_service.http.errors import ListenError
from devops_info_service.http.wire.memory_budget import RECEIVE_BUFFER_BYTES, SEND_BUFFER_BYTES

from .loop import Loop, Timer
from .server_state import ServerState

BACKLOG: Final = 1024
"""Connections the kernel holds for us; it caps the number at net.core.somaxconn."""

ACCEPTS_AT_ONCE: Final = 64
"""Connections taken before those that are open get their turn."""

ACCEPT_PAUSE_SECONDS: Final = 1
"""The longest pause when the kernel refuses to give us a connection; it ends with the first of
those that are open."""

YIELD_SECONDS: Final = 0.005
"""How long a worker with many connections leaves a new one to those with fewer: a busy one
looks at the socket that often. Then it takes it: the other may be stuck."""

SHUT_SECONDS: Final = 0.1
"""Between turning newcomers away and the last look into the queue: handshakes that have begun
take one round trip to end. A hundred milliseconds are a way around half the earth."""

_SO_ATTACH_FILTER: Final = 26
# Classic BPF over the TCP header (Linux, networking/filter.rst): drop what has SYN set.
_DROP_SYN: Final = (
    (0x30, 0, 0, 13),  # load the byte of flags
    (0x54, 0, 0, 0x02),  # keep SYN
    (0x15, 0, 1, 0),  # none: the next line, else the one after
    (0x06, 0, 0, 0xFFFFFFFF),  # take it all
    (0x06, 0, 0, 0),  # drop it
)


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens on the numeric address *host*.

    Raises:
        ListenError: the address is in use, not ours, or not permitted.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server(
            (host, port),
            family=family,
            backlog=BACKLOG,
            dualstack_ipv6=host == "::" and socket.has_dualstack_ipv6(),
        )
    except OSError as exc:
        where = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        reason = os.strerror(exc.errno).lower() if exc.errno else str(exc)
        raise ListenError(f"cannot listen on {where}: {reason}") from exc


def drop_new_connections(sock: socket.socket) -> None:
    """Let nobody new into the queue of *sock*; those in it can still be taken.

    Closing alone would reset whoever connected since the last look into the queue, request and
    all. Whoever is turned away here tries again after a second, and then meets a closed port.
    """
    # Imported late: only the end needs it. It gives an address to point at without ctypes.
    try:
        import array  # noqa: PLC0415
    except (ImportError, OSError):
        return  # No file can be opened any more: a few may be reset, as with any server.

    code = b"".join(struct.pack("=HBBI", *step) for step in _DROP_SYN)
    program = array.array("B", code)
    address, _ = program.buffer_info()
    # Where the kernel is not Linux's own (gVisor), a few may be reset, as with any server.
    with contextlib.suppress(OSError):
        sock.setsockopt(
            socket.SOL_SOCKET, _SO_ATTACH_FILTER, struct.pack("HP", len(_DROP_SYN), address)
        )


class Listener:
    """Takes connections from a listening socket."""

    def __init__(
        self,
        sock: socket.socket,
        shared: ServerState,
        *,
        take: Callable[[socket.socket, tuple[Any, ...]], None],
        on_error: Callable[[OSError], None],
        turn: Callable[[], bool] | None = None,
    ) -> None:
        """Take from *sock*, unless it is not our *turn*; None is a socket of our own."""
        self._sock = sock
        self._shared = shared
        self._take = take
        self._on_error = on_error
        self._turn = turn
        self._told = -1
        """The second in which a refusal of the kernel was told of; a flood has thousands."""

    def open(self, loop: Loop) -> None:
        """Begin, in *loop*."""
        self._loop = loop
        self._sock.settimeout(0)
        # Connections inherit it: two small answers in a row shall not wait for the first one's
        # acknowledgement (RFC 896).
        self._sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # What the kernel holds of them counts for the container's limit.
        self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
        self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
        self._listen()

    def close(self) -> None:
        """Take whoever is in the queue, who would be reset, and end."""
        self._accept(BACKLOG)
        self.leave()

    def leave(self) -> None:
        """End; the queue is somebody else's, too."""
        if self._sock.fileno() >= 0:
            self._loop.unwatch(self._sock.fileno())
            self._sock.close()

    def _listen(self) -> None:
        if self._sock.fileno() >= 0:
            self._loop.watch(self._sock.fileno(), self._take_some)

    def _take_some(self, events: int) -> None:  # noqa: ARG002  only ever EPOLLIN
        """Take who waits, or leave one to a process that has fewer."""
        if self._turn is None:
            self._accept(ACCEPTS_AT_ONCE)
        elif self._turn():
            self._accept(1)
        else:
            self._loop.unwatch(self._sock.fileno())
            anyway = self._loop.call_later(YIELD_SECONDS, self._take_anyway)
            self._shared.on_gone = functools.partial(self._take_again, self._turn, anyway)

    def _take_again(self, turn: Callable[[], bool], anyway: Timer) -> None:
        """One of ours has gone: perhaps it is our turn."""
        if turn():
            anyway.cancel()
            self._shared.on_gone = None
            self._listen()

    def _take_anyway(self) -> None:
        self._shared.on_gone = None
        if self._sock.fileno() >= 0:
            self._listen()
            self._accept(1)

    def _pause(self, exc: OSError) -> None:
        """Wait for files or memory: the kernel would wake us for ever."""
        self._loop.unwatch(self._sock.fileno())
        anyway = self._loop.call_later(ACCEPT_PAUSE_SECONDS, self._resume)
        # A connection that ends gives its file back.
        self._shared.on_gone = functools.partial(self._resume, anyway)
        if self._shared.now != self._told:
            self._told = self._shared.now
            self._on_error(exc)

    def _resume(self, anyway: Timer | None = None) -> None:
        if anyway is not None:
            anyway.cancel()
        self._shared.on_gone = None
        self._listen()

    def _accept(self, most: int) -> None:
        for _ in range(most):
            try:
                sock, peer = self._sock.accept()
            except (BlockingIOError, ConnectionAbortedError):
                return
            except OSError as exc:
                self._pause(exc)
                return
            self._take(sock, peer)
