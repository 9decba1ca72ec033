"""The two bodies of the other contenders, made as fast as possible.

On the same terms as those: what never changes is encoded once, the moment is formatted once a
second, the rest is encoded for every request. The encoder is the one we use, so that what is
compared is servers and frameworks.
"""

import json
import os
import platform
import time
from typing import Any, Final

import msgspec

NO_STORE: Final = {"Cache-Control": "no-store"}
"""The field that the service and the Go original have on every response."""

_ARCHITECTURES: Final = {"x86_64": "amd64", "aarch64": "arm64"}


class _Runtime(msgspec.Struct, frozen=True):
    uptime_seconds: int
    uptime_human: str
    current_time: str
    timezone: str = "UTC"


class _Caller(msgspec.Struct, frozen=True):
    client_ip: str
    client_port: int
    user_agent: str
    method: str
    path: str


class _Index(msgspec.Struct, frozen=True):
    service: msgspec.Raw
    system: msgspec.Raw
    runtime: _Runtime
    request: _Caller
    endpoints: msgspec.Raw


class _Health(msgspec.Struct, frozen=True):
    status: str
    timestamp: str
    uptime_seconds: int


class Bodies:
    """The JSON of both resources."""

    def __init__(self, framework: str) -> None:
        self._encode = msgspec.json.Encoder().encode
        uname = os.uname()
        self._service = self._ready(
            {
                "name": "devops-info-service",
                "version": "1.0.0",
                "description": "DevOps course info service",
                "framework": framework,
            }
        )
        self._system = self._ready(
            {
                "hostname": uname.nodename,
                "platform": uname.sysname.lower(),
                "platform_version": uname.release,
                "architecture": _ARCHITECTURES.get(uname.machine, uname.machine),
                "cpu_count": len(os.sched_getaffinity(0)),
                "python_version": platform.python_version(),
            }
        )
        # What the service under comparison publishes, so that all send the same bytes.
        self._endpoints = self._ready(json.loads(os.environ.get("ENDPOINTS", "[]")))
        self._started = time.monotonic()
        self._second = -1
        self._now = _Runtime(0, "", "")

    def index(self, address: str, port: int, user_agent: str, method: str, path: str) -> bytes:
        """Return the JSON of ``GET /`` for one caller."""
        caller = _Caller(address, port, user_agent, method, path)
        return self._encode(
            _Index(self._service, self._system, self._runtime(), caller, self._endpoints)
        )

    def health(self) -> bytes:
        """Return the JSON of ``GET /health``."""
        now = self._runtime()
        return self._encode(_Health("healthy", now.current_time, now.uptime_seconds))

    def _runtime(self) -> _Runtime:
        second = int(time.time())
        if second != self._second:
            self._second = second
            uptime = int(time.monotonic() - self._started)
            self._now = _Runtime(
                uptime,
                f"{_count(uptime // 3600, 'hour')}, {_count(uptime // 60 % 60, 'minute')}",
                time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(second)),
            )
        return self._now

    def _ready(self, value: Any) -> msgspec.Raw:  # noqa: ANN401  anything JSON has
        return msgspec.Raw(self._encode(value))


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
