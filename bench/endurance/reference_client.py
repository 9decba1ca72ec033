"""A normal client: a request every few milliseconds, half of them on a new connection."""

import math
import threading
import time
from dataclasses import dataclass, field
from typing import Final, Self

from tests.lib.http_client import Connection, ProtocolError, request

_PAUSE_SECONDS: Final = 0.005
_PATHS: Final = ("/", "/health")
_KEPT_FAILURES: Final = 5
_OK: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Experience:
    """What the client met; times in milliseconds."""

    requests: int
    errors: int
    messages: tuple[str, ...]
    """The first errors."""
    p50_ms: float
    p99_ms: float
    max_ms: float


def percentile(values: list[float], share: float) -> float:
    """Return the smallest of *values* that *share* of them do not exceed; 0 of none."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else 0.0


@dataclass(slots=True)
class NormalClient:
    """Sends requests from a thread until a ``with`` ends.

    The time of a request is from before its connection, if it is its first, to its last byte.
    """

    port: int
    source: str = "127.0.0.9"
    times: list[float] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    _over: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._ask)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        if self._thread is not None:
            self._thread.join()

    @property
    def experience(self) -> Experience:
        """The results so far."""
        return Experience(
            requests=len(self.times) + len(self.failures),
            errors=len(self.failures),
            messages=tuple(self.failures[:_KEPT_FAILURES]),
            p50_ms=round(percentile(self.times, 0.5) * 1000, 3),
            p99_ms=round(percentile(self.times, 0.99) * 1000, 3),
            max_ms=round(max(self.times, default=0) * 1000, 3),
        )

    def _ask(self) -> None:
        kept: Connection | None = None
        number = 0
        while not self._over.wait(_PAUSE_SECONDS):
            number += 1
            path = _PATHS[number // 2 % len(_PATHS)]
            began = time.monotonic()
            try:
                if number % 2:
                    with Connection(self.port, source=self.source) as connection:
                        self._one(connection, request(path, "Connection: close"))
                else:
                    if kept is None:
                        kept = Connection(self.port, source=self.source)
                    if self._one(kept, request(path)):
                        kept.close()
                        kept = None
            except (OSError, ProtocolError) as error:
                self.failures.append(f"{path}: {error!r}")
                if kept is not None:
                    kept.close()
                kept = None
            else:
                self.times.append(time.monotonic() - began)
        if kept is not None:
            kept.close()

    def _one(self, connection: Connection, raw: bytes) -> bool:
        """Send one request; return whether that was the connection's last."""
        connection.send(raw)
        response = connection.read()
        if response.status != _OK:
            raise ProtocolError(f"status {response.status}")
        return response.closes
