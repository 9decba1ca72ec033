"""A stream on a real socket in a real loop: what the kernel takes, when it reads, how it ends."""

import contextlib
import socket
from collections.abc import Iterator
from typing import Final

import pytest

from devops_info_service.http.connection.loop import Loop
from devops_info_service.http.connection.stream import FLUSH_NOW_BYTES, READ_BYTES, Stream

MUCH: Final = bytes(range(256)) * 4096
"""1 MiB: more than a socket takes at once."""


class Echo(Stream):
    """Echoes received data, and notes its callbacks."""

    def __init__(self, loop: Loop, sock: socket.socket) -> None:
        super().__init__(loop, sock)
        self.notes: list[str] = []
        self.heard = b""
        self.answer: bytes | None = None

    def on_data(self, data: bytes) -> None:
        self.heard += data
        if data == b"fault":
            raise ValueError
        if self.answer != b"":
            self.write(self.answer or data)

    def on_eof(self) -> None:
        self.notes.append("end")
        self.close()

    def on_blocked(self) -> None:
        self.notes.append("full")

    def on_drained(self) -> None:
        self.notes.append("sent")

    def on_error(self, exc: Exception) -> None:
        self.notes.append(type(exc).__name__)

    def on_closed(self) -> None:
        self.notes.append("gone")
        self._loop.stop()


def _fail(exc: Exception) -> None:
    raise AssertionError from exc


class Pair:
    """An echo and its peer."""

    def __init__(self) -> None:
        self.loop = Loop(_fail)
        near, self.peer = socket.socketpair()
        self.peer.settimeout(0)
        self.echo = Echo(self.loop, near)

    def turn(self, seconds: float = 0.1) -> None:
        """Let the loop run for a moment."""
        self.loop.call_later(seconds, self.loop.stop)
        self.loop.run()

    def read(self) -> bytes:
        """Return the bytes that the peer received."""
        data = b""
        with contextlib.suppress(BlockingIOError):
            while piece := self.peer.recv(1 << 20):
                data += piece
        return data


@pytest.fixture
def pair() -> Iterator[Pair]:
    """An echo and its peer, whose sockets end with the test."""
    pair = Pair()
    with pair.peer:
        yield pair
    pair.echo.abort()
    pair.loop.close()


@pytest.mark.sample(every=3)
@pytest.mark.parametrize("size", [1, READ_BYTES - 1, READ_BYTES, READ_BYTES + 1, 50_000])
@pytest.mark.parametrize("early", [True, False])
def test_everything_is_read(pair: Pair, size: int, *, early: bool) -> None:
    """However much there is, before or after the start, it is read to the last byte."""
    data = MUCH[:size]
    if early:
        pair.peer.sendall(data)
    pair.echo.start()
    if not early:
        pair.peer.sendall(data)
    pair.turn()

    assert pair.echo.heard == data
    assert pair.read() == data


def test_peer_that_does_not_read(pair: Pair) -> None:
    """While something is unsent nothing is read; then it goes on by itself, in order."""
    pair.echo.start()
    pair.echo.answer = MUCH
    pair.peer.sendall(b"one")
    pair.turn()
    pair.peer.sendall(b"two")
    pair.turn()
    assert (pair.echo.heard, pair.echo.notes) == (b"one", ["full"])
    assert 0 < pair.echo.unsent < len(MUCH)

    pair.echo.answer = b"end"
    got = b""
    while not got.endswith(b"end"):
        got += pair.read()
        pair.turn()
    assert got == MUCH + b"end"
    assert pair.echo.notes == ["full", "sent"]


@pytest.mark.claim("a least rate of reading")
def test_nudge(pair: Pair) -> None:
    """Drained bytes are counted; an early retry counts more before the kernel signals."""
    pair.echo.start()
    pair.echo.write(MUCH)
    pair.turn()
    assert pair.echo.notes == ["full"]

    pair.peer.recv(FLUSH_NOW_BYTES)
    pair.turn()
    pair.echo.retry_send()
    drained = pair.echo.take_drained()
    pair.peer.recv(len(MUCH) // 20)
    pair.echo.retry_send()
    more = pair.echo.take_drained()
    assert more > 0
    assert drained + more == len(MUCH) - pair.echo.unsent

    while "sent" not in pair.echo.notes:
        pair.read()
        pair.echo.retry_send()
    assert drained + more + pair.echo.take_drained() == len(MUCH)


@pytest.mark.parametrize("data", [b"", b"last", MUCH[:READ_BYTES], MUCH[:50_000]])
@pytest.mark.parametrize("early", [True, False])
def test_half_closed(pair: Pair, data: bytes, *, early: bool) -> None:
    """A peer's end of file comes after its data; it gets the response, then the stream closes."""
    if not early:
        pair.echo.start()
    pair.peer.sendall(data)
    pair.peer.shutdown(socket.SHUT_WR)
    if early:
        pair.echo.start()
    pair.turn()

    assert (pair.echo.heard, pair.read()) == (data, data)
    assert pair.echo.notes == ["end", "gone"]


def test_turn_is_sent_at_its_end(pair: Pair) -> None:
    """Writes of one turn are sent as one, in order, at its end."""
    pair.echo.start()
    for piece in (b"one ", b"two ", b"three"):
        pair.echo.write(piece)
    assert (pair.echo.unsent, pair.read()) == (13, b"")
    pair.turn()

    assert (pair.echo.unsent, pair.read()) == (0, b"one two three")


def test_long_response_ends_the_turn(pair: Pair) -> None:
    """A long write is sent at once, together with the writes before it."""
    pair.echo.start()
    pair.echo.write(b"short")
    pair.echo.write(MUCH[: FLUSH_NOW_BYTES - 4])
    assert len(pair.read()) == FLUSH_NOW_BYTES + 1
    pair.echo.write(MUCH[:FLUSH_NOW_BYTES])
    assert pair.read() == b""


def test_abort_before_the_end_of_the_turn(pair: Pair) -> None:
    """Pending writes are dropped with the stream, and the turn ends."""
    pair.echo.start()
    pair.echo.write(b"never sent")
    pair.echo.abort()
    pair.turn()

    assert (pair.echo.notes, pair.echo.unsent, pair.read()) == (["gone"], 0, b"")


def test_close_sends_what_is_left(pair: Pair) -> None:
    """Closing waits until the peer has taken all."""
    pair.echo.start()
    pair.echo.write(MUCH)
    pair.echo.close()
    assert "gone" not in pair.echo.notes

    got = b""
    while "gone" not in pair.echo.notes:
        got += pair.read()
        pair.turn()
    assert got + pair.read() == MUCH
    assert pair.echo.notes == ["full", "sent", "gone"]


def test_shutdown_waits_for_the_peer(pair: Pair) -> None:
    """After our half is shut the peer is heard until it ends."""
    pair.echo.start()
    pair.echo.answer = b""
    pair.echo.write(MUCH)
    pair.echo.shutdown()
    got = b""
    while len(got) < len(MUCH):
        got += pair.read()
        pair.turn()
    assert (got, pair.peer.recv(1)) == (MUCH, b"")
    pair.peer.sendall(b"more")
    pair.turn()
    assert pair.echo.heard == b"more"
    pair.peer.close()
    pair.turn()

    assert pair.echo.notes == ["full", "sent", "end", "gone"]


@pytest.mark.claim("a least rate of reading")
def test_reset() -> None:
    """The kernel drops its unsent bytes; the peer gets a reset at once."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        peer = socket.create_connection(server.getsockname())
        near, _ = server.accept()
    loop = Loop(_fail)
    with peer, contextlib.closing(loop):
        echo = Echo(loop, near)
        echo.start()
        echo.write(MUCH * 16)
        assert echo.unsent
        echo.reset()
        echo.reset()

        assert echo.notes == ["full", "gone"]
        with pytest.raises(ConnectionResetError):
            list(iter(lambda: peer.recv(len(MUCH)), b""))


@pytest.mark.parametrize("said", [b"", MUCH])
def test_closed_peer(pair: Pair, said: bytes) -> None:
    """A peer that went away without reading ends the stream, once."""
    pair.echo.start()
    pair.echo.write(b"never read" + said)
    pair.peer.close()
    pair.turn()

    assert pair.echo.notes[-1] == "gone"
    assert pair.echo.notes.count("gone") == 1


def test_fault(pair: Pair) -> None:
    """An exception of ``on_data`` ends the stream and is reported."""
    pair.echo.start()
    pair.peer.sendall(b"fault")
    pair.turn()

    assert pair.echo.notes == ["gone", "ValueError"]


def test_nothing_after_the_end(pair: Pair) -> None:
    """Calls of a closed stream have no effect."""
    pair.echo.start()
    for end in (pair.echo.abort, pair.echo.abort, pair.echo.close, pair.echo.shutdown):
        end()
    pair.echo.write(b"never sent")

    assert pair.echo.notes == ["gone"]
