"""``/platform`` and its parts: one snapshot a second, and any bytes of a client."""

from pathlib import Path

import msgspec
import pytest

from devops_info_service.client_path import ClientPath, ForwardedClaim, Hop, client_path
from devops_info_service.facts.fact import File
from devops_info_service.facts.system_files import SystemFiles
from devops_info_service.handlers.platform import BODIES, NetworkWithClientPath, network, platform
from devops_info_service.http.wire.forwarded import TrustedProxies
from devops_info_service.http.wire.message import Client, Request
from devops_info_service.snapshot_cache import FRESH_SECONDS, PlatformSnapshots

PEER = Client("192.0.2.7", 4242)
NO_PROXIES = TrustedProxies((), "any")


class Clock:
    """Goes when it is moved."""

    now = 100.0

    def time(self) -> float:
        return self.now

    def monotonic(self) -> float:
        return self.now


class CountingTree(SystemFiles):
    """Counts snapshots by a file that each of them reads once."""

    snapshots = 0

    def read(self, path: str) -> File:
        self.snapshots += path == "/proc/meminfo"
        return super().read(path)


def a_request(path: str = "/platform", headers: dict[bytes, bytes] | None = None) -> Request:
    """Return a request as the parser would."""
    return Request("GET", path, b"", headers or {}, PEER, "1.1", keep_alive=True)


def test_one_snapshot_a_second(tmp_path: Path) -> None:
    """All parts are of one snapshot until its second is over."""
    tree, clock = CountingTree(str(tmp_path), {}), Clock()
    snapshots = PlatformSnapshots(tree, clock, frozenset())
    handlers = {path: platform(path, snapshots, NO_PROXIES, tuple) for path in BODIES}
    first = {path: handler(a_request(path)).body for path, handler in handlers.items()}
    in_one = tree.snapshots
    clock.now += FRESH_SECONDS / 2
    assert first == {path: handler(a_request(path)).body for path, handler in handlers.items()}
    assert tree.snapshots == in_one

    clock.now += FRESH_SECONDS / 2

    assert handlers["/platform"](a_request()).body != first["/platform"]
    assert tree.snapshots == 2 * in_one


def test_slow_snapshot(tmp_path: Path) -> None:
    """A snapshot that takes longer than it is fresh still serves the requests that waited."""
    clock = Clock()

    class SlowTree(CountingTree):
        def read(self, path: str) -> File:
            clock.now += 1
            return super().read(path)

    snapshots = PlatformSnapshots(SlowTree(str(tmp_path), {}), clock, frozenset())

    assert snapshots.get() is snapshots.get()


@pytest.mark.parametrize(
    ("headers", "claims"),
    [
        ({}, ()),
        (
            {b"x-forwarded-for": b"198.51.100.1:99, [2001:db8::1]"},
            (
                ForwardedClaim(
                    "x-forwarded-for",
                    "198.51.100.1:99, [2001:db8::1]",
                    (Hop("198.51.100.1", trusted=False), Hop("2001:db8::1", trusted=False)),
                ),
            ),
        ),
        (
            {b"forwarded": b"for=_hidden, for=unknown"},
            (
                ForwardedClaim(
                    "forwarded",
                    "for=_hidden, for=unknown",
                    (Hop(None, trusted=False), Hop(None, trusted=False)),
                ),
            ),
        ),
        ({b"x-real-ip": b"\xff\x00"}, (ForwardedClaim("x-real-ip", "\ufffd\x00", None),)),
        ({b"x-real-ip": b"a" * 9000}, (ForwardedClaim("x-real-ip", "a" * 197 + "...", None),)),
    ],
)
def test_client_path(headers: dict[bytes, bytes], claims: tuple[ForwardedClaim, ...]) -> None:
    """Claims about the client are repeated as sent, and never trusted by default."""
    path = client_path(a_request(headers=headers), NO_PROXIES)

    assert path == ClientPath(PEER, PEER, peer_trusted=False, protocol="HTTP/1.1", forwarded=claims)
    assert msgspec.json.encode(path)


@pytest.mark.parametrize("address", ["", "testclient", "fe80::1%eth0"])
def test_any_peer(tmp_path: Path, address: str) -> None:
    """A peer may have no address, a name, or an interface behind its address."""
    handler = network(
        PlatformSnapshots(SystemFiles(str(tmp_path), {}), Clock(), frozenset()), NO_PROXIES
    )
    request = msgspec.structs.replace(a_request(), client=Client(address, 0))

    network_ = msgspec.json.decode(handler(request).body, type=NetworkWithClientPath)

    assert network_.client_path.peer.address == address
