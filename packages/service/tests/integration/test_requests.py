"""Requests over TCP, by a standard client and by hand."""

import contextlib
import http.client
import json
import socket
from typing import Any

import pytest

from .raw_requests import END, GET


def read_all(sock: socket.socket) -> bytes:
    """Read until the other end closes."""
    return b"".join(iter(lambda: sock.recv(65536), b""))


def test_standard_client(service: Any) -> None:
    """A standard client gets both endpoints and the errors over one connection."""
    client = http.client.HTTPConnection("127.0.0.1", service.port, timeout=20)
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


def test_platform(service: Any) -> None:
    """The platform's parts come over one connection, each the same as in the whole."""
    client = http.client.HTTPConnection("127.0.0.1", service.port, timeout=20)
    parts = ("resources", "security", "identity", "network", "filesystem")
    got = {}
    with contextlib.closing(client):
        for path in ("", *(f"/{part}" for part in parts)):
            client.request("GET", f"/platform{path}")
            response = client.getresponse()
            assert (response.status, response.headers["Content-Type"]) == (200, "application/json")
            got[path] = json.load(response)
        client.request("HEAD", "/platform")
        response = client.getresponse()
        own = {"address": "127.0.0.1", "port": client.sock.getsockname()[1]}

    assert (response.status, response.read()) == (200, b"")
    assert got[""].keys() == {"taken_at", "seconds", *parts}
    assert all(got[""][part].keys() <= got[f"/{part}"].keys() for part in parts)
    assert got["/network"]["client_path"] == {
        "client": own,
        "peer": own,
        "peer_trusted": False,
        "protocol": "HTTP/1.1",
        "forwarded": [],
    }


def test_platform_behind_a_proxy(start: Any) -> None:
    """A trusted proxy's field names the client; peer and hops are reported with their trust."""
    service = start("--trusted-proxies", "127.0.0.0/8,10.0.0.0/8")
    client = http.client.HTTPConnection("127.0.0.1", service.port, timeout=20)
    with contextlib.closing(client):
        fields = {"X-Forwarded-For": "6.6.6.6, 192.0.2.7, 10.0.0.9", "Forwarded": "nonsense"}
        client.request("GET", "/platform/network", headers=fields | {"X-Real-IP": "192.0.2.7"})
        path = json.load(client.getresponse())["client_path"]
        del fields["Forwarded"]
        client.request("GET", "/platform/network", headers=fields)
        believed = json.load(client.getresponse())["client_path"]

    assert path["peer_trusted"]
    assert path["client"] == path["peer"]
    assert [(told["field"], told["hops"] is None) for told in path["forwarded"]] == [
        ("x-forwarded-for", False),
        ("forwarded", True),
        ("x-real-ip", False),
    ]
    assert believed["client"] == {"address": "192.0.2.7", "port": 0}
    assert believed["peer"]["address"] == "127.0.0.1"
    assert [(hop["address"], hop["trusted"]) for hop in believed["forwarded"][0]["hops"]] == [
        ("6.6.6.6", False),
        ("192.0.2.7", False),
        ("10.0.0.9", True),
    ]


def test_platform_shows_what_is_allowed(start: Any) -> None:
    """A variable's value is shown if it is named; the next one's is not."""
    service = start(environ={"SHOW_ENVIRONMENT": "TIER", "TIER": "gold", "TIER_2": "lead"})
    client = http.client.HTTPConnection("127.0.0.1", service.port, timeout=20)
    with contextlib.closing(client):
        client.request("GET", "/platform")
        body = client.getresponse().read()

    shown = {each["name"]: each["value"] for each in json.loads(body)["network"]["environment"]}
    assert (shown["TIER"], shown["TIER_2"]) == ("gold", None)
    assert b"lead" not in body


def test_caller(service: Any) -> None:
    """The response has the caller's address and port."""
    client = http.client.HTTPConnection("127.0.0.1", service.port, timeout=20)
    with contextlib.closing(client):
        client.request("GET", "/", headers={"User-Agent": "me"})
        own_port = client.sock.getsockname()[1]
        caller = json.load(client.getresponse())["request"]

    assert caller == {
        "client_ip": "127.0.0.1",
        "client_port": own_port,
        "user_agent": "me",
        "method": "GET",
        "path": "/",
    }


def test_pipelined(service: Any) -> None:
    """A thousand requests at once all get a response."""
    with service.connect() as sock:
        sock.sendall(GET * 1000)
        sock.shutdown(socket.SHUT_WR)

        assert read_all(sock).count(b"HTTP/1.1 200 OK\r\n") == 1000


@pytest.mark.claim("half-closed peers")
def test_half_closed(service: Any) -> None:
    """A client that closes its half right after the request still gets the response."""
    with service.connect() as sock:
        sock.sendall(GET)
        sock.shutdown(socket.SHUT_WR)

        assert END in read_all(sock)


@pytest.mark.claim("a request after garbage")
def test_garbage(service: Any) -> None:
    """Garbage is refused with a reason, then the connection ends."""
    with service.connect() as sock:
        sock.sendall(GET + b"GET / HTTP/1.1\r\nHost : a\r\n\r\n" + GET)
        sock.shutdown(socket.SHUT_WR)
        data = read_all(sock)

    assert data.count(b"\r\nDate: ") == 2
    assert b"HTTP/1.1 400 Bad Request\r\n" in data
    assert b"Connection: close\r\n" in data


def test_rejection_survives_an_upload(service: Any) -> None:
    """A client that sends a body too large reads 413, not a reset connection."""
    with service.connect() as sock:
        sock.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 20000000\r\n\r\n")
        for _ in range(50):
            sock.sendall(b"b" * 20_000)
        sock.shutdown(socket.SHUT_WR)

        assert read_all(sock).startswith(b"HTTP/1.1 413 Content Too Large\r\n")


@pytest.mark.claim("Expect: 100-continue")
def test_continue(service: Any) -> None:
    """`Expect: 100-continue` gets 100 before the body."""
    with service.connect() as sock:
        sock.sendall(
            b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n"
        )
        assert sock.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        sock.sendall(b"abc")
        assert sock.recv(100).startswith(b"HTTP/1.1 405 ")


@pytest.mark.parametrize("host", ["::1", "::"])
def test_ipv6(start: Any, host: str) -> None:
    """It listens on IPv6, and on ``::`` for both."""
    with socket.socket(socket.AF_INET6) as probe:
        try:
            probe.bind(("::1", 0))
        except OSError:
            pytest.skip("no IPv6 here")
    service = start("--host", host)
    for address in ("::1", "127.0.0.1")[: 2 if host == "::" else 1]:
        with service.connect(address) as sock:
            sock.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            assert f'"client_ip":"{address}"'.encode() in sock.recv(2000)


def test_access_log(start: Any) -> None:
    """The access log has one line per request or rejection, whatever was sent."""
    service = start(environ={"ACCESS_LOG": "true"})
    with service.connect() as sock:
        sock.sendall(b"GET /%0a HTTP/1.1\r\nHost: a\r\nX-Request-Id: mine\r\n\r\n\0\r\n\r\n")
        sock.shutdown(socket.SHUT_WR)
        assert b"X-Request-Id: mine\r\n" in read_all(sock)

    request, refused = service.event(), service.event()
    assert (request["event"], request["path"], request["request_id"]) == (
        "request",
        "/%0a",
        "mine",
    )
    assert (refused["event"], refused["status"], refused["client"]) == (
        "request_rejected",
        400,
        "127.0.0.1",
    )


def test_trace(start: Any) -> None:
    """A client's trace is in the log; the response has neither the trace nor its state."""
    trace, parent = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
    service = start("--access-log")
    with service.connect() as sock:
        sock.sendall(
            b"GET /health HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
            b"TraceParent: 00-%b-%b-01\r\ntracestate: a=b\r\n\r\n"
            % (trace.encode(), parent.encode())
        )
        answer = read_all(sock)

    line = service.event()
    assert (line["trace_id"], line["parent_id"]) == (trace, parent)
    assert b"trace" not in answer.lower()


@pytest.mark.claim("proxies")
def test_trusted_proxy(start: Any) -> None:
    """The client that a trusted proxy names is the caller, and is in the log."""
    service = start("--trusted-proxies", "127.0.0.0/8", "--access-log")
    with service.connect() as sock:
        sock.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: ::2, 198.51.100.1\r\n\r\n")
        assert b'"client_ip":"198.51.100.1","client_port":0,' in sock.recv(2000)

    assert service.event()["client"] == "198.51.100.1"


def test_no_trusted_proxies(service: Any) -> None:
    """Without trusted proxies, forwarding fields are ignored."""
    with service.connect() as sock:
        sock.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 198.51.100.1\r\n\r\n")
        assert b'"client_ip":"127.0.0.1"' in sock.recv(2000)


@pytest.mark.claim("proxies")
def test_proxy_protocol(start: Any) -> None:
    """With the PROXY protocol on, a connection without its header is closed."""
    service = start("--proxy-protocol")
    with service.connect() as sock:
        sock.sendall(
            b"PROXY TCP4 198.51.100.1 10.0.0.1 4711 80\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"
        )
        assert b'"client_ip":"198.51.100.1","client_port":4711,' in sock.recv(2000)
    with service.connect() as sock:
        sock.sendall(GET)
        with contextlib.suppress(ConnectionResetError):
            assert sock.recv(1000) == b""
