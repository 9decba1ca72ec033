"""Listening sockets: sharing accepts between workers, closing without resetting the queue."""

import contextlib
import os
import socket
import struct
from collections.abc import Callable
from typing import Any, Final

import msgspec

from devops_info_service.http.errors import ListenError
from devops_info_service.http.wire.memory_budget import RECEIVE_BUFFER_BYTES, SEND_BUFFER_BYTES

from .loop import Loop, Timer

BACKLOG: Final = 1024
"""Connections that the kernel queues; it caps the number at net.core.somaxconn."""

ACCEPTS_AT_ONCE: Final = 64
"""Connections accepted before the open ones get their turn."""

ACCEPT_PAUSE_SECONDS: Final = 1
"""The longest pause after an error of accept(2); it ends with the first connection that closes."""

YIELD_SECONDS: Final = 0.005
"""How long a worker with many connections leaves a new one to those with fewer: a busy one polls
the socket that often. Then it accepts: the other may be stuck."""

DRAIN_BACKLOG_SECONDS: Final = 0.1
"""Between dropping new connections and the last accept: handshakes that have begun take one round
trip to end. A hundred milliseconds are half the circumference of the earth and back."""

MAX_TTL: Final = 255

_SO_ATTACH_FILTER: Final = 26
_IP_MINTTL: Final = 21
_IPV6_MINHOPCOUNT: Final = 73
# Classic BPF over the TCP header (Linux, networking/filter.rst): drop packets with SYN set.
_DROP_SYN: Final = (
    (0x30, 0, 0, 13),  # load the byte of flags
    (0x54, 0, 0, 0x02),  # keep SYN
    (0x15, 0, 1, 0),  # none: the next line, else the one after
    (0x06, 0, 0, 0xFFFFFFFF),  # accept it all
    (0x06, 0, 0, 0),  # drop it
)


class Sockets(msgspec.Struct, frozen=True):
    """The listening sockets of a service."""

    public: socket.socket
    management: socket.socket | None = None

    @property
    def all(self) -> tuple[socket.socket, ...]:
        """The one or two sockets."""
        return (self.public,) if self.management is None else (self.public, self.management)

    def drop_new_connections(self) -> None:
        """Stop queueing new connections; see the function of this name."""
        for sock in self.all:
            drop_new_connections(sock)

    def close(self) -> None:
        """Close all."""
        for sock in self.all:
            sock.close()


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens on the numeric address *host*.

    Raises:
        ListenError: the address is in use, not of this machine, or not permitted.
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
    """Stop queueing new connections on *sock*; queued ones can still be accepted.

    Closing alone would reset the connections queued since the last accept, requests included. A
    client whose SYN is dropped here repeats it after a second, and then meets a closed port.
    """
    # Imported late: only a shutdown needs it. It gives an address to point at without ctypes.
    try:
        import array  # noqa: PLC0415
    except (ImportError, OSError):
        return  # No file can be opened any more: a few may be reset, as with any server.

    code = b"".join(struct.pack("=HBBI", *step) for step in _DROP_SYN)
    program = array.array("B", code)
    address, _ = program.buffer_info()
    try:
        sock.setsockopt(
            socket.SOL_SOCKET, _SO_ATTACH_FILTER, struct.pack("HP", len(_DROP_SYN), address)
        )
    except OSError:
        # EPERM for an unprivileged process, on some kernels and in most containers there.
        require_ttl(sock, MAX_TTL)


def require_ttl(sock: socket.socket, ttl: int) -> None:
    """Drop packets to *sock* with a smaller time to live (RFC 5082); 0 takes all.

    With ``MAX_TTL``, which hardly any host begins with, a listening socket gets no SYN. Needs no
    privilege. Where the kernel is not Linux's own (gVisor), a few connections may be reset, as
    with any server.
    """
    with contextlib.suppress(OSError):
        sock.setsockopt(socket.IPPROTO_IP, _IP_MINTTL, ttl)
    if sock.family == socket.AF_INET6:
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.IPPROTO_IPV6, _IPV6_MINHOPCOUNT, ttl)


class Listener:
    """Accepts connections from a listening socket."""

    def __init__(
        self,
        sock: socket.socket,
        loop: Loop,
        *,
        on_accept: Callable[[socket.socket, tuple[Any, ...]], None],
        on_error: Callable[[OSError], None],
        may_accept: Callable[[], bool] | None = None,
    ) -> None:
        """Accept from *sock* while *may_accept*; None: the socket is this process's own."""
        self._sock = sock
        self._loop = loop
        self._on_accept = on_accept
        self._on_error = on_error
        self._may_accept = may_accept
        self._paused: Timer | None = None
        """Ends a pause; None: there is none."""
        self._is_yielding = False
        """The pause leaves a connection to another worker; else it waits for files or memory."""
        self._may_require_ttl = may_accept is not None
        """Whether accepted connections may have inherited it: others may stop the socket."""

    def open(self) -> None:
        """Begin to accept."""
        self._sock.settimeout(0)
        # Connections inherit it: of two small responses in a row the second must not wait for the
        # acknowledgement of the first (RFC 896).
        self._sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # What the kernel holds of them counts for the container's limit.
        self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
        self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
        self._watch()

    def close(self) -> None:
        """Accept the queued connections, which would be reset, and end."""
        self._accept(BACKLOG)
        self.detach()

    def begin_shutdown(self) -> None:
        """Expect that the kernel drops new connections from now on."""
        self._may_require_ttl = True

    def detach(self) -> None:
        """End; other workers accept from the queue."""
        if self._sock.fileno() >= 0:
            self._loop.unwatch(self._sock.fileno())
            self._sock.close()

    def connection_closed(self) -> None:
        """End a pause that waits for a file descriptor or for room."""
        if self._paused is None:
            return
        if not self._is_yielding or self._may_accept is None or self._may_accept():
            self._paused.cancel()
            self._resume()

    def _watch(self) -> None:
        if self._sock.fileno() >= 0:
            self._loop.watch(self._sock.fileno(), self._on_readable)

    def _on_readable(self, events: int) -> None:  # noqa: ARG002  only ever EPOLLIN
        """Accept, or leave the connection to a worker that has fewer."""
        if self._may_accept is None:
            self._accept(ACCEPTS_AT_ONCE)
        elif self._may_accept():
            self._accept(1)
        else:
            self._is_yielding = True
            self._pause(YIELD_SECONDS, self._accept_after_yield)

    def _accept_after_yield(self) -> None:
        self._resume()
        if self._sock.fileno() >= 0:
            self._accept(1)

    def _pause(self, seconds: float, then: Callable[[], None]) -> None:
        self._loop.unwatch(self._sock.fileno())
        self._paused = self._loop.call_later(seconds, then)

    def _resume(self) -> None:
        self._paused = None
        self._watch()

    def _accept(self, most: int) -> None:
        for _ in range(most):
            try:
                sock, peer = self._sock.accept()
            except (BlockingIOError, ConnectionAbortedError):
                return
            except OSError as exc:
                # Files or memory are missing: the kernel would report the socket for ever.
                self._is_yielding = False
                self._pause(ACCEPT_PAUSE_SECONDS, self._resume)
                self._on_error(exc)
                return
            if self._may_require_ttl:
                require_ttl(sock, 0)
            self._on_accept(sock, peer)
