"""Clients that connect, send good or bad bytes, and leave: each scene has its right outcome.

usage, in the repository: python3 -m bench.endurance.churn PORT SECONDS

Run as a process of its own, so that its work is not the measurement's. Prints one line of JSON.
"""

import json
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Final

from tests.lib.http_client import Connection, ProtocolError, request

CLIENTS: Final = 8
"""Threads; more of them only wait for each other."""

_PAUSE_SECONDS: Final = 0.002
"""Between two scenes of a client: most of the core is wrk's, which makes the load."""

_KEPT_FAILURES: Final = 10
_CLOSE: Final = ("Connection: close",)
_GET: Final = request("/health")
_CHUNKED: Final = (
    b"POST /health HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"3;x=y\r\nabc\r\n10\r\n0123456789abcdef\r\n0\r\nTrailer: x\r\n\r\n"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Bytes sent at once, and the responses read after them."""

    send: bytes
    statuses: tuple[int, ...] = ()
    head_only: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """A whole conversation."""

    name: str
    steps: tuple[Step, ...]
    ends: bool = False
    """The service must close after the last response."""
    half_closes: bool = False
    """Half-close before the last step's responses are read."""
    resets: bool = False
    """We leave without reading, by RST."""


def _one(name: str, send: bytes, *statuses: int, ends: bool = False) -> Scene:
    return Scene(name=name, steps=(Step(send=send, statuses=statuses),), ends=ends)


def _pieces(data: bytes, size: int) -> tuple[Step, ...]:
    return tuple(Step(send=data[at : at + size]) for at in range(0, len(data), size))


_SCENES: Final = (
    _one("closes after each", request("/", *_CLOSE), 200, ends=True),
    _one("a browser's page", request("/", "Accept: text/html,*/*;q=0.8"), 200),
    _one("pipelined by 16, the same", _GET * 16, *[200] * 16),
    _one(
        "pipelined, good and bad",
        _GET + request("/nothing") + request("/health", method="DELETE") + _GET,
        *(200, 404, 405, 200),
    ),
    Scene(
        name="HEAD",
        steps=(Step(send=request("/", method="HEAD"), statuses=(200,), head_only=True),),
    ),
    Scene(name="a head in pieces", steps=(*_pieces(_GET, 7), Step(send=b"", statuses=(200,)))),
    _one("a body in chunks", _CHUNKED, 405),
    Scene(
        name="a body with Expect",
        steps=(
            Step(
                send=b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n"
                b"Expect: 100-continue\r\n\r\n",
                statuses=(100,),
            ),
            Step(send=b"abc", statuses=(405,)),
            Step(send=_GET, statuses=(200,)),
        ),
    ),
    _one("HTTP/1.0", b"GET /health HTTP/1.0\r\n\r\n", 200, ends=True),
    _one("a good one, then garbage", _GET + b"\0\1\2garbage\r\n\r\n", 200, 400, ends=True),
    _one("TLS to a plain port", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400, ends=True),
    _one("HTTP/2 at once", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, ends=True),
    _one("a target too long", request("/" + "a" * 9000), 414, ends=True),
    _one("a head too long", request("/", f"X: {'x' * 20_000}"), 431, ends=True),
    _one("too many fields", request("/", *[f"X{n}: 1" for n in range(200)]), 431, ends=True),
    _one(
        "a body too long",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999\r\n\r\nabc",
        *(413,),
        ends=True,
    ),
    _one(
        "two framings",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
        *(400,),
        ends=True,
    ),
    Scene(
        name="half-closes",
        steps=(Step(send=_GET * 3, statuses=(200, 200, 200)),),
        half_closes=True,
        ends=True,
    ),
    Scene(name="resets unread", steps=(Step(send=_GET * 16),), resets=True),
    Scene(name="connects and goes", steps=()),
    Scene(name="goes in a head", steps=(Step(send=_GET[:20]),)),
    Scene(
        name="goes in a body",
        steps=(Step(send=b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3000\r\n\r\nabc"),),
    ),
)
"""Whatever the service's own resources are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of it all; as JSON, what this program prints."""

    played: dict[str, int]
    """Scene -> how often."""
    failed: int
    messages: list[str]
    """The first failures."""


def scenes(port: int) -> tuple[Scene, ...]:
    """Return every scene; one requests all routes that the service at *port* lists.

    Raises:
        ProtocolError: it does not list them.
    """
    with Connection(port) as connection:
        connection.send(request("/"))
        listed = json.loads(connection.read().body)["endpoints"]
        paths = [each["path"] for each in listed if each["method"] == "GET"]
        steps = []
        for path in paths:
            connection.send(request(path))
            # The status without load is the one to expect under load.
            status = connection.read().status
            steps.append(Step(send=request(path), statuses=(status,)))
    return (*_SCENES, Scene(name="keeps alive, every resource", steps=tuple(steps)))


def play(scene: Scene, port: int) -> None:
    """Play *scene* once.

    Raises:
        ProtocolError: it came out wrong.
        OSError: there was no connection, or no response in time.
    """
    with Connection(port) as connection:
        for step in scene.steps:
            if step.send:
                connection.send(step.send)
            if scene.half_closes:
                connection.finish_sending()
            for wanted in step.statuses:
                got = connection.read(head_only=step.head_only).status
                if got != wanted:
                    raise ProtocolError(f"status {got}, not {wanted}")
        if scene.resets:
            connection.reset()
        elif scene.ends:
            connection.expect_end()


@dataclass(slots=True)
class Churn:
    """Several clients that play all scenes over and over."""

    port: int
    scenes: Sequence[Scene]
    played: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)

    def run(self, seconds: float, *, clients: int = CLIENTS) -> None:
        """Play for so long; the last scenes are played to their end."""
        until = time.monotonic() + seconds
        threads = [
            threading.Thread(target=self._play_on, args=(number, until))
            for number in range(clients)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _play_on(self, number: int, until: float) -> None:
        played: Counter[str] = Counter()
        # Each begins elsewhere, so that all kinds meet.
        for scene in _forever(self.scenes, first=number * 3):
            if time.monotonic() >= until:
                break
            try:
                play(scene, self.port)
            except (OSError, ProtocolError) as error:
                self.failures.append(f"{scene.name}: {error!r}")
            played[scene.name] += 1
            time.sleep(_PAUSE_SECONDS)
        self.played += played


def _forever(scenes: Sequence[Scene], *, first: int) -> Iterable[Scene]:
    number = first
    while True:
        yield scenes[number % len(scenes)]
        number += 1


def main(argv: Sequence[str]) -> int:
    """Run as a program."""
    port, seconds = int(argv[0]), float(argv[1])
    churn = Churn(port=port, scenes=scenes(port))
    churn.run(seconds)
    outcome = Outcome(
        played=dict(churn.played),
        failed=len(churn.failures),
        messages=churn.failures[:_KEPT_FAILURES],
    )
    print(json.dumps(asdict(outcome)))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
