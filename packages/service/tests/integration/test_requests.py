"""Requests over TCP, by a standard client and byte for byte."""

import contextlib
import http.client
import json
import socket

import pytest

from tests.lib.http_client import GET, request
from tests.lib.running_service import RunningService, Start

PARTS = ("resources", "security", "identity", "network", "filesystem")


def test_standard_client(service: RunningService) -> None:
    """A standard client gets both endpoints and the errors over one connection."""
    client = http.client.HTTPConnection("127.0.0.1", service.port, timeout=60)
    got = []
    with contextlib.closing(client):
        for method, path in (
            ("GET", "/"),
            ("HEAD", "/"),
            ("GET", "/health"),
            ("POST", "/health"),
            ("GET", "/nothing"),
        ):
            client.request(method, path, body=b"x" * 1000 if method == "POST" else None)
            sock = client.sock
            response = client.getresponse()
            body = response.read()
            got.append((response.status, json.loads(body or b"{}").keys()))
            assert client.sock is sock

    assert got == [
        (200, {"service", "system", "runtime", "request", "endpoints"}),
        (200, set()),
        (200, {"status", "timestamp", "uptime_seconds"}),
        (405, {"error", "message"}),
        (404, {"error", "message"}),
    ]


def test_platform(service: RunningService) -> None:
    """The platform's parts come over one connection, each the same as in the whole."""
    got = {}
    with service.connect() as connection:
        for path in ("", *(f"/{part}" for part in PARTS)):
            response = connection.request(request(f"/platform{path}"))
            assert (response.status, response.field("content-type")) == (200, "application/json")
            got[path] = response.json
        response = connection.request(request("/platform", method="HEAD"))
        own = {"address": "127.0.0.1", "port": connection.local_port}

    assert (response.status, response.body) == (200, b"")
    assert got[""].keys() == {"taken_at", "seconds", "placement", *PARTS}
    assert all(got[""][part].keys() <= got[f"/{part}"].keys() for part in PARTS)
    assert got["/network"]["client_path"] == {
        "client": own,
        "peer": own,
        "peer_trusted": False,
        "protocol": "HTTP/1.1",
        "forwarded": [],
    }


def test_platform_behind_a_proxy(start: Start) -> None:
    """A trusted proxy's field names the client; peer and hops are reported with their trust."""
    service = start("--trusted-proxies", "127.0.0.0/8,10.0.0.0/8")
    hops = "X-Forwarded-For: 6.6.6.6, 192.0.2.7, 10.0.0.9"
    real = "X-Real-IP: 192.0.2.7"
    path = service.get("/platform/network", hops, "Forwarded: nonsense", real).json["client_path"]
    agreed = service.get("/platform/network", hops, real).json["client_path"]

    assert path["peer_trusted"]
    assert path["client"] == path["peer"]
    assert [(claim["field"], claim["hops"] is None) for claim in path["forwarded"]] == [
        ("x-forwarded-for", False),
        ("forwarded", True),
        ("x-real-ip", False),
    ]
    assert agreed["client"] == {"address": "192.0.2.7", "port": 0}
    assert agreed["peer"]["address"] == "127.0.0.1"
    assert [(hop["address"], hop["trusted"]) for hop in agreed["forwarded"][0]["hops"]] == [
        ("6.6.6.6", False),
        ("192.0.2.7", False),
        ("10.0.0.9", True),
    ]


def test_platform_shows_what_is_allowed(start: Start) -> None:
    """A variable's value is shown if it is named; the next one's is not."""
    service = start(environ={"SHOW_ENVIRONMENT": "TIER", "TIER": "gold", "TIER_2": "lead"})
    response = service.get("/platform")

    shown = {each["name"]: each["value"] for each in response.json["network"]["environment"]}
    assert (shown["TIER"], shown["TIER_2"]) == ("gold", None)
    assert b"lead" not in response.body


def test_caller(service: RunningService) -> None:
    """The response has the caller's address and port."""
    with service.connect() as connection:
        response = connection.request(request("/", "User-Agent: me"))
        port = connection.local_port

    assert response.json["request"] == {
        "client_ip": "127.0.0.1",
        "client_port": port,
        "user_agent": "me",
        "method": "GET",
        "path": "/",
    }


def test_pipelined(service: RunningService) -> None:
    """A thousand requests at once all get a response."""
    with service.connect() as connection:
        connection.send(GET * 1000)
        connection.finish_sending()

        assert [response.status for response in connection.read_rest()] == [200] * 1000


@pytest.mark.claim("half-closed peers")
def test_half_closed(service: RunningService) -> None:
    """A client that closes its half right after the request still gets the response."""
    with service.connect() as connection:
        connection.send(GET)
        connection.finish_sending()

        assert [response.status for response in connection.read_rest()] == [200]


@pytest.mark.claim("a request after garbage")
def test_garbage(service: RunningService) -> None:
    """Garbage is rejected with a reason, then the connection ends."""
    with service.connect() as connection:
        connection.send(GET + b"GET / HTTP/1.1\r\nHost : a\r\n\r\n" + GET)
        connection.finish_sending()
        responses = [(response.status, response.closes) for response in connection.read_rest()]

    assert responses == [(200, False), (400, True)]


def test_rejection_survives_an_upload(service: RunningService) -> None:
    """A client that sends a body too large reads 413, not a reset connection."""
    with service.connect() as connection:
        connection.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 20000000\r\n\r\n")
        for _ in range(50):
            connection.send(b"b" * 20_000)
        connection.finish_sending()

        assert connection.read().status == 413


@pytest.mark.claim("Expect: 100-continue")
def test_continue(service: RunningService) -> None:
    """`Expect: 100-continue` gets 100 before the body."""
    with service.connect() as connection:
        connection.send(request("/", "Content-Length: 3", "Expect: 100-continue", method="POST"))
        assert connection.read().status == 100
        connection.send(b"abc")
        assert connection.read().status == 405


@pytest.mark.parametrize("host", ["::1", "::"])
def test_ipv6(start: Start, host: str) -> None:
    """It listens on IPv6, and on ``::`` for both."""
    with socket.socket(socket.AF_INET6) as probe:
        try:
            probe.bind(("::1", 0))
        except OSError:
            pytest.skip("no IPv6 here")
    service = start("--host", host)
    for address in ("::1", "127.0.0.1")[: 2 if host == "::" else 1]:
        with service.connect(address) as connection:
            assert connection.request(request("/")).json["request"]["client_ip"] == address


def test_access_log(start: Start) -> None:
    """The access log has one line per request or rejection, whatever was sent."""
    service = start(environ={"ACCESS_LOG": "true"})
    with service.connect() as connection:
        connection.send(request("/%0a", "X-Request-Id: mine") + b"\0\r\n\r\n")
        connection.finish_sending()
        ids = [response.field("x-request-id") for response in connection.read_rest()]

    served, rejected = service.event("request"), service.event("request_rejected")
    assert (served["path"], served["request_id"], ids[0]) == ("/%0a", "mine", "mine")
    assert (rejected["status"], rejected["client"]) == (400, "127.0.0.1")


def test_trace(start: Start) -> None:
    """A client's trace is in the log; the response has neither the trace nor its state."""
    trace, parent = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
    service = start("--access-log")
    response = service.get("/health", f"TraceParent: 00-{trace}-{parent}-01", "tracestate: a=b")

    line = service.event("request")
    assert (line["trace_id"], line["parent_id"]) == (trace, parent)
    assert "trace" not in str(response).lower()


@pytest.mark.claim("proxies")
def test_trusted_proxy(start: Start) -> None:
    """The client that a trusted proxy names is the caller, and is in the log."""
    service = start("--trusted-proxies", "127.0.0.0/8", "--access-log")
    caller = service.get("/", "X-Forwarded-For: ::2, 198.51.100.1").json["request"]

    assert (caller["client_ip"], caller["client_port"]) == ("198.51.100.1", 0)
    assert service.event("request")["client"] == "198.51.100.1"


def test_no_trusted_proxies(service: RunningService) -> None:
    """Without trusted proxies, forwarding fields are ignored."""
    caller = service.get("/", "X-Forwarded-For: 198.51.100.1").json["request"]

    assert caller["client_ip"] == "127.0.0.1"


@pytest.mark.claim("proxies")
def test_proxy_protocol(start: Start) -> None:
    """With the PROXY protocol on, a connection without its header is closed."""
    service = start("--proxy-protocol")
    header = b"PROXY TCP4 198.51.100.1 10.0.0.1 4711 80\r\n"
    with service.connect() as connection:
        caller = connection.request(header + request("/")).json["request"]
    with service.connect() as connection:
        connection.send(GET)
        connection.expect_end()

    assert (caller["client_ip"], caller["client_port"]) == ("198.51.100.1", 4711)
