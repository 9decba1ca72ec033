"""The management port: the routes of both ports, and their common end."""

import contextlib
import signal
import socket
from typing import Any

import msgspec
import pytest

from devops_info_service.app.routes import PUBLIC, READY_SWITCH_ROUTES, ROUTES

from .load_clients import read_answer

pytestmark = [pytest.mark.claim("the management port"), pytest.mark.claim("management port")]

PUBLIC_PATHS = {route.path for route in PUBLIC}


def ask(port: int, path: str, *fields: str, method: str = "GET", host: str = "127.0.0.1") -> bytes:
    """Send one request, return the response."""
    head = "".join(f"{field}\r\n" for field in ("Host: a", "Connection: close", *fields))
    with socket.create_connection((host, port), timeout=20) as sock:
        sock.sendall(f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode())
        return b"".join(iter(lambda: sock.recv(65536), b""))


def status_of(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


@pytest.fixture(params=["1", "2"])
def ports(start: Any, request: pytest.FixtureRequest) -> tuple[Any, int, int]:
    """A service with both ports."""
    service = start("--management-port", "0", "--ready-switch", "--workers", request.param)
    management = service.event()
    assert (management["event"], management["purpose"]) == ("listening", "management")
    return service, service.port, management["port"]


def test_every_route(ports: tuple[Any, int, int]) -> None:
    """The management port has every route; the other one only the public ones."""
    _, public, management = ports
    for route in (*ROUTES, *READY_SWITCH_ROUTES):
        found = status_of(ask(management, route.path, method=route.method))
        # 404 of /conformance: nothing is expected
        assert found == (404 if route.path == "/conformance" else 200), route.path
        beside = status_of(ask(public, route.path, method=route.method))
        assert beside == (200 if route.path in PUBLIC_PATHS else 404), route.path


def test_page_lists_public_endpoints_only(ports: tuple[Any, int, int]) -> None:
    """A browser gets JSON where the page would show the platform, and only public endpoints."""
    _, public, management = ports
    answer = ask(public, "/", "Accept: text/html,*/*;q=0.8")
    assert b"Content-Type: application/json" in answer
    listed = msgspec.json.decode(answer.partition(b"\r\n\r\n")[2])["endpoints"]
    assert {each["path"] for each in listed} == PUBLIC_PATHS
    assert b"Content-Type: text/html" in ask(management, "/", "Accept: text/html,*/*;q=0.8")


@pytest.mark.parametrize(
    "path",
    [
        *("/platform/", "//platform", "/platform?x", "/platform%2Fresources", "/./platform"),
        *("http://a/metrics", "/metrics?", "/METRICS", "/health/../metrics", "/openapi.json;a"),
    ],
)
def test_spellings_of_private_paths(start: Any, path: str) -> None:
    """No spelling of a path, and no field, reaches a route that is not public."""
    service = start("--management-port", "0", "--trusted-proxies", "127.0.0.1")
    management = service.event()["port"]
    for fields in (
        (),
        (f"Host: 127.0.0.1:{management}",),
        ("X-Forwarded-For: 127.0.0.1", f"X-Forwarded-Port: {management}"),
        ("Forwarded: for=127.0.0.1",),
        ("X-Original-URL: /metrics", "X-Rewrite-URL: /metrics"),
    ):
        given = [field for field in fields if not field.startswith("Host")]
        assert status_of(ask(service.port, path, *given)) in {400, 404}


def test_end(ports: tuple[Any, int, int]) -> None:
    """Both ports drain: begun requests finish, no connection is accepted, the status is 0."""
    service, public, management = ports
    with contextlib.ExitStack() as stack:
        socks = []
        for port in (public, management):
            sock = stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=20))
            sock.sendall(b"GET /health HTTP/1.1\r\nHost: a\r\n\r\nGET /healt")
            read_answer(sock)
            socks.append(sock)
        service.signal(signal.SIGTERM)
        while service.event()["event"] != "draining":
            pass
        for sock, port in zip(socks, (public, management), strict=True):
            with pytest.raises(ConnectionRefusedError):
                connect_for_ever(port)
            sock.sendall(b"h HTTP/1.1\r\nHost: a\r\n\r\n")
            assert status_of(read_answer(sock)) == 200
    assert service.wait() == 0


def connect_for_ever(port: int) -> None:
    """Connect until a connection is refused."""
    while True:
        socket.create_connection(("127.0.0.1", port), timeout=20).close()


def test_separate_management_address(start: Any) -> None:
    """It can have another address, so that only the same network namespace reaches it."""
    service = start(
        "--host", "127.0.0.1", "--management-port", "0", "--management-host", "127.0.0.2"
    )
    management = service.event()

    assert management["host"] == "127.0.0.2"
    assert status_of(ask(management["port"], "/metrics", host="127.0.0.2")) == 200
    with pytest.raises(ConnectionRefusedError):
        ask(management["port"], "/metrics")


def test_probes_keep_their_place(start: Any) -> None:
    """Connections of one port do not keep the other from serving its probes."""
    service = start("--management-port", "0", "--max-connections", "2")
    management = service.event()["port"]
    with contextlib.ExitStack() as stack:
        for _ in range(2):
            sock = stack.enter_context(socket.create_connection(("127.0.0.1", management)))
            sock.sendall(b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n")
            read_answer(sock)
        assert status_of(ask(service.port, "/livez")) == 200
        assert status_of(ask(service.port, "/")) == 503


def test_flood_of_the_public_port(start: Any) -> None:
    """The management port responds while the public port is full."""
    service = start("--management-port", "0", "--max-connections", "2")
    management = service.event()["port"]
    with contextlib.ExitStack() as stack:
        for _ in range(2):
            sock = stack.enter_context(service.connect())
            sock.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nbegun")
        for path in ("/metrics", "/platform", "/version"):
            assert status_of(ask(management, path)) == 200
        assert status_of(ask(service.port, "/")) == 503
