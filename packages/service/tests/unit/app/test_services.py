"""The service without a server: the contract and the refusals."""

import os
from typing import Any

import msgspec
import pytest

from devops_info_service import __version__
from devops_info_service.app.router import Route, Router
from devops_info_service.app.routes import PROBES, ROUTES, build
from devops_info_service.app.services import Services
from devops_info_service.config import Config
from devops_info_service.facts.linux.host import read_host
from devops_info_service.facts.linux.uptime import UptimeClock, humanize
from devops_info_service.handlers.health import Health
from devops_info_service.http import Lifecycle, ProcessLifecycle
from devops_info_service.http.wire.message import Client, Handler, Request, Response


class FakeSource:
    """A machine of our own making, an hour and three minutes after the start."""

    def __init__(self, machine: str = "x86_64") -> None:
        self.machine = machine
        self.now = 1_767_225_600.75
        self.ticks = 100.0

    def uname(self) -> os.uname_result:
        return os.uname_result(("Linux", "pod-7", "6.12.1", "#1 SMP", self.machine))

    def cpus(self) -> int:
        return 3

    def python_version(self) -> str:
        return "3.13.5"

    def time(self) -> float:
        return self.now

    def monotonic(self) -> float:
        return self.ticks


def a_request(
    method: str = "GET", path: str = "/", headers: dict[bytes, bytes] | None = None
) -> Request:
    """Return a request as the reader would."""
    peer = Client("192.0.2.7", 4242)
    return Request(method, path, b"", headers or {}, peer, "1.1", keep_alive=True)


def body_of(response: Response) -> Any:
    """Return the JSON of *response*."""
    return msgspec.json.decode(response.body)


def test_info() -> None:
    """``GET /`` is the contract, key for key."""
    source = FakeSource()
    dispatch = build(Services(source, "epoll + httptools"))
    source.now += 3783
    source.ticks += 3783.9

    response = dispatch(a_request(headers={b"user-agent": b"curl/8.7.1"}))

    assert response.status == 200
    assert response.content_type == b"application/json"
    assert body_of(response) == {
        "service": {
            "name": "devops-info-service",
            "version": __version__,
            "description": "DevOps course info service",
            "framework": "epoll + httptools",
        },
        "system": {
            "hostname": "pod-7",
            "platform": "linux",
            "platform_version": "6.12.1",
            "architecture": "amd64",
            "cpu_count": 3,
            "python_version": "3.13.5",
        },
        "runtime": {
            "uptime_seconds": 3783,
            "uptime_human": "1 hour, 3 minutes",
            "current_time": "2026-01-01T01:03:03Z",
            "timezone": "UTC",
        },
        "request": {
            "client_ip": "192.0.2.7",
            "client_port": 4242,
            "user_agent": "curl/8.7.1",
            "method": "GET",
            "path": "/",
        },
        "endpoints": [
            {"path": "/", "method": "GET", "description": "Service information"},
            {"path": "/health", "method": "GET", "description": "Health check"},
            *(
                {"path": route.path, "method": "GET", "description": route.description}
                for route in ROUTES[2:]
            ),
        ],
    }


def test_health() -> None:
    """``GET /health`` is the contract, key for key."""
    assert body_of(build(Services(FakeSource(), "x"))(a_request(path="/health"))) == {
        "status": "healthy",
        "timestamp": "2026-01-01T00:00:00Z",
        "uptime_seconds": 0,
    }


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/version", {"version": __version__, "python_version": "3.13.5"}),
        ("/livez", {"status": "alive"}),
        ("/readyz", {"status": "ready"}),
    ],
)
def test_small_responses(path: str, body: dict[str, str]) -> None:
    """Requests of operators' tools get the whole response."""
    response = build(Services(FakeSource(), "x"))(a_request(path=path))

    assert (response.status, body_of(response)) == (200, body)


def test_draining() -> None:
    """During shutdown the process is alive and healthy, and not ready."""
    lifecycle = ProcessLifecycle()
    dispatch = build(Services(FakeSource(), "x", lifecycle=lifecycle))
    before = {path: dispatch(a_request(path=path)).status for path in PROBES}
    lifecycle.current = Lifecycle.STOPPING

    after = {path: dispatch(a_request(path=path)) for path in PROBES}

    assert set(before.values()) == {200}
    assert body_of(after["/readyz"]) == {"status": "draining"}
    assert {path: response.status for path, response in after.items()} == before | {"/readyz": 503}


def test_healthz() -> None:
    """Kubernetes' name for it gives the same response."""
    dispatch = build(Services(FakeSource(), "x"))

    assert dispatch(a_request(path="/healthz")) == dispatch(a_request(path="/health"))


@pytest.mark.parametrize("route", ROUTES, ids=[route.path for route in ROUTES])
def test_responses_have_their_type(route: Route) -> None:
    """The type in the route table, which OpenAPI publishes, is the type of the response."""
    dispatch = build(Services(FakeSource(), "x", Config(expectations="rlimits.open_files: '>= 1'")))
    response = dispatch(a_request(route.method, route.path))

    assert response.status == 200
    assert response.content_type.partition(b";")[0].decode() == route.media_type
    if route.response() is str:
        assert response.body.decode()
        return
    decoded: Any = msgspec.json.decode(response.body, type=route.response())
    assert msgspec.json.decode(msgspec.json.encode(decoded)) == body_of(response)


@pytest.mark.parametrize("agent", [b"", b"\xff\xfe", b'"\\', "\u00e9".encode(), b"\x9b31m"])
def test_any_user_agent(agent: bytes) -> None:
    """Any bytes in User-Agent give valid JSON."""
    response = build(Services(FakeSource(), "x"))(a_request(headers={b"user-agent": agent}))

    assert body_of(response)["request"]["user_agent"] == agent.decode("utf-8", "replace")


@pytest.mark.parametrize(
    ("method", "path", "status", "headers"),
    [
        ("HEAD", "/", 200, ()),
        ("HEAD", "/health", 200, ()),
        ("HEAD", "/platform", 200, ()),
        ("GET", "/platform/", 404, ()),
        ("POST", "/platform/network", 405, ((b"Allow", b"GET, HEAD"),)),
        ("GET", "/nothing", 404, ()),
        ("POST", "/nothing", 404, ()),
        ("GET", "//", 404, ()),
        ("GET", "/health/", 404, ()),
        ("OPTIONS", "*", 404, ()),
        ("POST", "/", 405, ((b"Allow", b"GET, HEAD"),)),
        ("DELETE", "/health", 405, ((b"Allow", b"GET, HEAD"),)),
    ],
)
def test_routing(
    method: str, path: str, status: int, headers: tuple[tuple[bytes, bytes], ...]
) -> None:
    """HEAD follows GET; the rest is 404, or 405 with Allow."""
    response = build(Services(FakeSource(), "x"))(a_request(method, path))

    assert (response.status, response.headers) == (status, headers)


def test_not_found() -> None:
    """404 has a body of JSON."""
    assert body_of(build(Services(FakeSource(), "x"))(a_request(path="/nothing"))) == {
        "error": "Not Found",
        "message": "Endpoint does not exist",
    }


def test_several_methods() -> None:
    """A path may have a handler for each method, and Allow lists them all."""

    def make(_: Services) -> Handler:
        return lambda _: Response(200, b"")

    routes = [Route(method, "/", "", make, lambda: Health) for method in ("GET", "POST")]
    router = Router(routes, Services(FakeSource(), "x")).respond

    assert router(a_request("POST")).status == 200
    assert router(a_request("PUT")).headers == ((b"Allow", b"GET, HEAD, POST"),)


@pytest.mark.parametrize(
    ("seconds", "human"),
    [
        (0, "0 hours, 0 minutes"),
        (59, "0 hours, 0 minutes"),
        (60, "0 hours, 1 minute"),
        (3600, "1 hour, 0 minutes"),
        (3783, "1 hour, 3 minutes"),
        (7260, "2 hours, 1 minute"),
        (90_000, "25 hours, 0 minutes"),
    ],
)
def test_spelling(seconds: int, human: str) -> None:
    """Singular and plural are right."""
    assert humanize(seconds) == human


@pytest.mark.parametrize(
    ("machine", "architecture"),
    [("x86_64", "amd64"), ("aarch64", "arm64"), ("armv7l", "arm"), ("riscv64", "riscv64")],
)
def test_architecture(machine: str, architecture: str) -> None:
    """The architecture has the image platform's name."""
    assert read_host(FakeSource(machine)).architecture == architecture


def test_moment_is_kept_for_its_second() -> None:
    """Within a second the moment is the same value; after it, or set back, a new one."""
    source = FakeSource()
    stopwatch = UptimeClock(source).now
    first = stopwatch()
    source.now += 0.2
    assert stopwatch() is first
    source.now += 0.1
    source.ticks += 1
    assert (stopwatch().current_time, stopwatch().uptime_seconds) == ("2026-01-01T00:00:01Z", 1)
    source.now -= 1
    assert stopwatch().current_time == first.current_time
