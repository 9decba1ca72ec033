"""An attack on a server's memory: many connections that each make it hold data.

    python tests/e2e/attack.py HOST PORT ROUNDS [KIND ...]

Each connection follows its kind, and is replaced when the server closes it. Unfinished heads
have the most fields allowed and drip; pipelined requests leave their responses unread; bodies
come in chunks by the byte; some connections send nothing, some hang up. The last
line on stdout is JSON: connections opened, bytes sent, the most that were open at once.
"""

import contextlib
import errno
import json
import random
import socket
import sys
import time
from collections.abc import Callable, Iterator
from typing import Final

CONNECTIONS: Final = 1500
"""Four times as many as killed a container of 64 MiB."""

HEAD_BYTES: Final = 16_000
SMALL_WINDOW: Final = 4096
ROUND_SECONDS: Final = 0.05
HANGS_UP: Final = 0.002
"""The chance in each round that a connection is closed and replaced."""

Steps = Iterator[bytes]
"""Bytes to send in each round; the end closes the connection."""


def distinct_fields() -> Steps:
    """Begin a head of 1,600 fields that never ends."""
    fields = b"".join(b"%x:%x\r\n" % (number, number) for number in range(0x100, 0x900))
    yield b"GET / HTTP/1.1\r\nHost: a\r\n" + fields[:HEAD_BYTES]
    yield from drip(b"a")


def large_fields() -> Steps:
    """Begin a head with the most fields allowed, at the largest size allowed."""
    fields = b"".join(b"%x:%s\r\n" % (number, b"v" * 150) for number in range(0x100, 0x100 + 98))
    yield b"GET / HTTP/1.1\r\nHost: a\r\n" + fields[:HEAD_BYTES]
    yield from drip(b"a")


def unread() -> Steps:
    """Request large responses repeatedly, and read nothing."""
    path = random.choice((b"/platform", b"/metrics", b"/health", b"/"))
    accept = random.choice((b"*/*", b"text/html", b"application/openmetrics-text"))
    request = b"GET %b HTTP/1.1\r\nHost: a\r\nAccept: %b\r\nX: %d\r\n\r\n"
    many = b"".join(request % (path, accept, random.randrange(10**9)) for _ in range(400))
    while True:
        yield many[:HEAD_BYTES] if random.random() < 0.5 else many


def unread_by_the_other_reader() -> Steps:
    """The same, with requests that the fast path leaves to the full parser."""
    while True:
        yield b"GET /platform HTTP/1.1\r\nHost: a\r\nCookie: \r\n\r\n" * 400


def dripping_body() -> Steps:
    """Send a large head, then a body by the byte."""
    fields = b"".join(b"%x:%s\r\n" % (number, b"v" * 150) for number in range(0x100, 0x100 + 96))
    yield b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n%b\r\n" % fields[:-2]
    yield from drip(b"1;ext\r\na\r\n")


def silence() -> Steps:
    """Send nothing."""
    yield from drip(b"")


def drip(piece: bytes) -> Steps:
    """Send *piece* once a second."""
    while True:
        for _ in range(int(1 / ROUND_SECONDS)):
            yield b""
        yield piece


KINDS: Final[dict[str, Callable[[], Steps]]] = {
    "distinct-fields": distinct_fields,
    "large-fields": large_fields,
    "unread": unread,
    "unread-slow-path": unread_by_the_other_reader,
    "dripping-body": dripping_body,
    "silence": silence,
}


class Attacker:
    """One connection, replaced when it ends."""

    def __init__(self, address: tuple[str, int], kind: Callable[[], Steps]) -> None:
        self._address = address
        self._kind = kind
        self._socket: socket.socket | None = None
        self.opened = 0
        self.sent = 0

    @property
    def is_open(self) -> bool:
        """Whether the connection is open."""
        return self._socket is not None

    def step(self) -> None:
        """Do one round's step."""
        if self._socket is None:
            self._open()
        elif random.random() < HANGS_UP or self._is_ended(self._socket):
            self._close()
        else:
            self._send(self._socket)

    def _open(self) -> None:
        self._steps, self._rest = self._kind(), b""
        self._socket = sock = socket.socket()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL_WINDOW)
        sock.setblocking(False)  # noqa: FBT003  a socket's own method
        if sock.connect_ex(self._address) not in {0, errno.EINPROGRESS}:
            self._close()
        self.opened += 1

    def _is_ended(self, sock: socket.socket) -> bool:
        try:
            # A peek detects an end of file only if nothing is unread; attackers with unread
            # responses notice it when they send.
            return not sock.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except BlockingIOError:
            return False
        except OSError:
            return True

    def _send(self, sock: socket.socket) -> None:
        self._rest = self._rest or next(self._steps, b"")
        try:
            sent = sock.send(self._rest, socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL)
        except BlockingIOError:
            return
        except OSError as exc:
            if exc.errno != errno.ENOTCONN:
                self._close()
            return
        self.sent += sent
        self._rest = self._rest[sent:]

    def _close(self) -> None:
        if self._socket is not None:
            with contextlib.suppress(OSError):
                self._socket.close()
            self._socket = None


def attack(address: tuple[str, int], rounds: int, kinds: list[str]) -> dict[str, int]:
    """Attack in so many rounds, with connections of *kinds* in equal parts; return the counts."""
    of_kinds = [KINDS[kind] for kind in kinds or KINDS]
    attackers = [Attacker(address, of_kinds[n % len(of_kinds)]) for n in range(CONNECTIONS)]
    most = 0
    for _ in range(rounds):
        began = time.monotonic()
        for attacker in attackers:
            attacker.step()
        most = max(most, sum(attacker.is_open for attacker in attackers))
        time.sleep(max(0.0, began + ROUND_SECONDS - time.monotonic()))
    return {
        "opened": sum(attacker.opened for attacker in attackers),
        "sent_bytes": sum(attacker.sent for attacker in attackers),
        "most_open": most,
    }


if __name__ == "__main__":
    _, host, port, count, *wanted = sys.argv
    sys.stdout.write(json.dumps(attack((host, int(port)), int(count), wanted)) + "\n")
