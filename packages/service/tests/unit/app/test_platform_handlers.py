"""The platform's resources: one look for all who ask, and any bytes a client sends."""

from pathlib import Path

import msgspec
import pytest

from devops_info_service.facts.fact import File
from devops_info_service.facts.system_files import SystemFiles
from devops_info_service.handlers.platform import (
    FRESH_SECONDS,
    ClientPath,
    Hop,
    Look,
    NetworkAnswer,
    Told,
    path_of,
    platform_handlers,
)
from devops_info_service.http.wire.forwarded import Proxies
from devops_info_service.http.wire.message import Client, Request

PEER = Client("192.0.2.7", 4242)
NOBODY = Proxies((), "any")


class Clock:
    """Goes when it is told to."""

    now = 100.0

    def time(self) -> float:
        return self.now

    def monotonic(self) -> float:
        return self.now


class CountingTree(SystemFiles):
    """Counts the looks by a file each of them reads once."""

    looks = 0

    def read(self, path: str) -> File:
        self.looks += path == "/proc/meminfo"
        return super().read(path)


def a_request(path: str = "/platform", headers: dict[bytes, bytes] | None = None) -> Request:
    """Return a request as the reader would."""
    return Request("GET", path, b"", headers or {}, PEER, "1.1", keep_alive=True)


def test_one_look_a_second(tmp_path: Path) -> None:
    """However many ask for whatever part, there is one look until its second is over."""
    tree, clock = CountingTree(str(tmp_path), {}), Clock()
    handlers = platform_handlers(Look(tree, clock, frozenset()), NOBODY, tuple)
    first = {path: handler(a_request(path)).body for path, handler in handlers.items()}
    in_one_look = tree.looks
    clock.now += FRESH_SECONDS / 2
    assert first == {path: handler(a_request(path)).body for path, handler in handlers.items()}
    assert tree.looks == in_one_look

    clock.now += FRESH_SECONDS / 2

    assert handlers["/platform"](a_request()).body != first["/platform"]
    assert tree.looks == 2 * in_one_look


def test_slow_look(tmp_path: Path) -> None:
    """A look that takes longer than it is fresh is still given to those who waited for it."""
    clock = Clock()

    class SlowTree(CountingTree):
        def read(self, path: str) -> File:
            clock.now += 1
            return super().read(path)

    look = Look(SlowTree(str(tmp_path), {}), clock, frozenset())

    assert look() is look()


@pytest.mark.parametrize(
    ("headers", "told"),
    [
        ({}, ()),
        (
            {b"x-forwarded-for": b"198.51.100.1:99, [2001:db8::1]"},
            (
                Told(
                    "x-forwarded-for",
                    "198.51.100.1:99, [2001:db8::1]",
                    (Hop("198.51.100.1", trusted=False), Hop("2001:db8::1", trusted=False)),
                ),
            ),
        ),
        (
            {b"forwarded": b"for=_hidden, for=unknown"},
            (
                Told(
                    "forwarded",
                    "for=_hidden, for=unknown",
                    (Hop(None, trusted=False), Hop(None, trusted=False)),
                ),
            ),
        ),
        ({b"x-real-ip": b"\xff\x00"}, (Told("x-real-ip", "\ufffd\x00", None),)),
        ({b"x-real-ip": b"a" * 9000}, (Told("x-real-ip", "a" * 197 + "...", None),)),
    ],
)
def test_client_path(headers: dict[bytes, bytes], told: tuple[Told, ...]) -> None:
    """What is told of the way is repeated as it is, and never believed unasked."""
    path = path_of(a_request(headers=headers), NOBODY)

    assert path == ClientPath(PEER, PEER, peer_trusted=False, protocol="HTTP/1.1", forwarded=told)
    assert msgspec.json.encode(path)


@pytest.mark.parametrize("address", ["", "testclient", "fe80::1%eth0"])
def test_any_peer(tmp_path: Path, address: str) -> None:
    """A peer may have no address, a name, or an interface behind its address."""
    handler = platform_handlers(
        Look(SystemFiles(str(tmp_path), {}), Clock(), frozenset()), NOBODY, tuple
    )["/platform/network"]
    request = msgspec.structs.replace(a_request(), client=Client(address, 0))

    answer = msgspec.json.decode(handler(request).body, type=NetworkAnswer)

    assert answer.client_path.peer.address == address
