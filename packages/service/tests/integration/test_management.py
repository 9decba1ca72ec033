"""The management port: the routes of both ports, and their common end."""

import contextlib
import signal

import pytest

from devops_info_service.app.routes import PUBLIC, READY_SWITCH_ROUTES, ROUTES
from tests.lib.http_client import GET, HALF, REST, Connection, get
from tests.lib.running_service import RunningService, Start

pytestmark = [pytest.mark.claim("the management port"), pytest.mark.claim("management port")]

PUBLIC_PATHS = {route.path for route in PUBLIC}


Ports = tuple[RunningService, int, int]
"""The service, its public port and its management port."""


@pytest.fixture(params=["1", "2"])
def ports(start: Start, request: pytest.FixtureRequest) -> Ports:
    """A service with both ports."""
    service = start("--management-port", "0", "--ready-switch", "--workers", request.param)
    management = service.event()
    assert (management["event"], management["purpose"]) == ("listening", "management")
    return service, service.port, management["port"]


def test_every_route(ports: Ports) -> None:
    """The management port has every route; the other one only the public ones."""
    _, public, management = ports
    for route in (*ROUTES, *READY_SWITCH_ROUTES):
        found = get(management, route.path, method=route.method).status
        # 404 of /conformance: nothing is expected
        assert found == (404 if route.path == "/conformance" else 200), route.path
        beside = get(public, route.path, method=route.method).status
        assert beside == (200 if route.path in PUBLIC_PATHS else 404), route.path


def test_page_lists_public_endpoints_only(ports: Ports) -> None:
    """A browser gets JSON where the page would show the platform, and only public endpoints."""
    _, public, management = ports
    browser = "Accept: text/html,*/*;q=0.8"
    response = get(public, "/", browser)
    assert response.field("content-type") == "application/json"
    assert {each["path"] for each in response.json["endpoints"]} == PUBLIC_PATHS
    page = get(management, "/", browser)
    assert page.field("content-type") == "text/html; charset=utf-8"


@pytest.mark.sample(every=3)
@pytest.mark.parametrize(
    "path",
    [
        *("/platform/", "//platform", "/platform?x", "/platform%2Fresources", "/./platform"),
        *("http://a/metrics", "/metrics?", "/METRICS", "/health/../metrics", "/openapi.json;a"),
    ],
)
def test_spellings_of_private_paths(start: Start, path: str) -> None:
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
        assert get(service.port, path, *given).status in {400, 404}


def test_end(ports: Ports) -> None:
    """Both ports drain: begun requests finish, no connection is accepted, the status is 0."""
    service, public, management = ports
    with contextlib.ExitStack() as stack:
        connections = []
        for port in (public, management):
            connection = stack.enter_context(Connection(port))
            connection.send(GET + HALF)
            connection.read()
            connections.append(connection)
        service.signal(signal.SIGTERM)
        service.event("draining")
        for connection, port in zip(connections, (public, management), strict=True):
            with pytest.raises(ConnectionRefusedError):
                connect_until_refused(port)
            connection.send(REST)
            assert connection.read().status == 200
    assert service.wait() == 0


def connect_until_refused(port: int) -> None:
    """Connect until a connection is refused."""
    while True:
        Connection(port).close()


def test_separate_management_address(start: Start) -> None:
    """It can have another address, so that only the same network namespace reaches it."""
    service = start(
        "--host", "127.0.0.1", "--management-port", "0", "--management-host", "127.0.0.2"
    )
    management = service.event()

    assert management["host"] == "127.0.0.2"
    assert get(management["port"], "/metrics", host="127.0.0.2").status == 200
    with pytest.raises(ConnectionRefusedError):
        get(management["port"], "/metrics")


def test_probes_keep_their_place(start: Start) -> None:
    """Connections of one port do not keep the other from serving its probes."""
    service = start("--management-port", "0", "--max-connections", "2")
    management = service.event()["port"]
    with contextlib.ExitStack() as stack:
        for _ in range(2):
            assert stack.enter_context(Connection(management)).request().status == 200
        assert get(service.port, "/livez").status == 200
        assert get(service.port, "/").status == 503


def test_flood_of_the_public_port(start: Start) -> None:
    """The management port responds while the public port is full."""
    service = start("--management-port", "0", "--max-connections", "2")
    management = service.event()["port"]
    with contextlib.ExitStack() as stack:
        for _ in range(2):
            connection = stack.enter_context(service.connect())
            connection.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nbegun")
        for path in ("/metrics", "/platform", "/version"):
            assert get(management, path).status == 200
        assert get(service.port, "/").status == 503
