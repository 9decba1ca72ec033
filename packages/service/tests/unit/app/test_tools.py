"""``/tools``: absent unless switched on, and each within its limits."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from devops_info_service.app.routes import build, build_public
from devops_info_service.app.services import Services
from devops_info_service.app.tool_routes import (
    CONTROLS,
    TOOLS,
    receiver_of,
)
from devops_info_service.config import Config
from devops_info_service.handlers.tools import MAX_BYTES, STATUSES
from devops_info_service.http import (
    Client,
    LongResponse,
    RejectedError,
    Request,
    RequestWithBody,
    Response,
)
from devops_info_service.http.wire.message import Handler
from devops_info_service.tools.requests import REQUESTS_PER_SECOND

from .test_services import FakeSource, a_request

pytestmark = pytest.mark.claim("tools are bounded")

ON = Config(tools=True)
CLIENT = Client("192.0.2.7", 4242)


@pytest.fixture
def source() -> FakeSource:
    """A machine whose time passes on demand."""
    return FakeSource()


@pytest.fixture
def service(source: FakeSource) -> Handler:
    """A service with tools."""
    return build(Services(source, "x", ON))


def send(
    service: Handler,
    method: str,
    path: str,
    body: bytes = b"",
    headers: dict[bytes, bytes] | None = None,
) -> Response:
    """Send a request as the engine would, its body taken by the route's receiver."""
    path, _, query = path.partition("?")
    bare = Request(method, path, query.encode(), headers or {}, CLIENT, "1.1", keep_alive=True)
    receiver = receiver_of(bare)
    if receiver is None:
        return service(bare)
    for at in range(0, len(body), 7):
        receiver.receive(body[at : at + 7])
    return service(
        RequestWithBody(
            method, path, bare.query, bare.headers, CLIENT, "1.1", keep_alive=True, body=receiver
        )
    )


def json_of(response: Response) -> Any:
    return msgspec.json.decode(response.body)


def example(path: str) -> str:
    """Return a path of the route, its parameter the least that does no harm."""
    return path.replace("{code}", "200").replace("{status}", "x").partition("{")[0] + (
        "0" if "{n}" in path or "{seconds}" in path else ""
    )


@pytest.mark.parametrize(
    "route", [*TOOLS, *CONTROLS], ids=lambda each: f"{each.method} {each.path}"
)
def test_off_by_default(route: Any) -> None:
    """Without the setting no tool is served or listed."""
    service = build(Services(FakeSource(), "x"))
    assert service(a_request(route.method, example(route.path))).status == 404
    for path in ("/", "/openapi.json"):
        assert b"/tools" not in service(a_request(path=path)).body


def test_listed_where_served() -> None:
    """With it they are in ``endpoints``; controls are on the management port alone."""
    services = Services(FakeSource(), "x", Config(tools=True, management_port=0))
    both, public = build(services), build_public(services)
    for route in TOOLS:
        assert public(a_request(route.method, example(route.path))).status in {200, 204}
    for route in CONTROLS:
        assert public(a_request(route.method, example(route.path))).status == 404
    listed = {each["path"] for each in json_of(public(a_request()))["endpoints"]}
    assert listed & {route.path for route in CONTROLS} == set()
    assert {route.path for route in TOOLS} <= listed
    paths = json_of(both(a_request(path="/openapi.json")))["paths"]
    assert {route.path for route in (*TOOLS, *CONTROLS)} <= paths.keys()


@pytest.mark.sample(every=9)
@pytest.mark.parametrize("code", range(100, 600, 1))
def test_status(service: Handler, code: int) -> None:
    """A status is the one of the path, or refused; none has a Location."""
    response = service(a_request(path=f"/tools/status/{code}"))
    assert response.status == (code if code in STATUSES else 400)
    assert all(name != b"Location" for name, _ in response.headers)


@given(text=st.text(st.characters(codec="ascii", exclude_characters="/?#% "), max_size=30))
def test_any_parameter(text: str) -> None:
    """No text of a parameter fails the handler, or goes beyond the limits."""
    service = build(Services(FakeSource(), "x", ON))
    for path in ("status", "delay", "bytes", "exit"):
        method = "POST" if path == "exit" else "GET"
        if path == "exit" and text.isdigit() and len(text) < 4:
            continue  # It would end this process.
        response = service(a_request(method, f"/tools/{path}/{text}"))
        assert response.status in {*STATUSES, 400, 404}
        if isinstance(response, LongResponse):
            assert response.delay_seconds <= 60
            assert (response.length or 0) <= MAX_BYTES


@given(query=st.binary(max_size=40) | st.sampled_from([b"count=2&count=2", b"interval=0.01"]))
def test_any_query(query: bytes) -> None:
    """A stream of events begins with a query that is understood as a whole, or not at all."""
    service = build(Services(FakeSource(), "x", ON))
    bare = a_request(path="/tools/events")
    response = service(msgspec.structs.replace(bare, query=query))
    if response.status == 200:
        assert isinstance(response, LongResponse)
        assert set(query.decode().replace("&", "=").split("=")[::2]) <= {"count", "interval", ""}
    else:
        assert response.status == 400


def test_bytes(service: Handler, source: FakeSource) -> None:
    """The length is the one of the path, and the rate is bounded over all of them."""
    waited = 0.0
    for _ in range(10):
        response = service(a_request(path="/tools/bytes/10485760"))
        assert isinstance(response, LongResponse)
        assert response.pieces is not None
        sent = 0
        for piece in response.pieces:
            if isinstance(piece, bytes):
                sent += len(piece)
            else:
                waited += piece
                source.ticks += piece
        assert sent == response.length == 10 * 1024 * 1024
    assert waited >= 0


@pytest.mark.parametrize(
    "field",
    # What proxies and clouds add: oauth2-proxy, AWS's balancers, Google's and Cloudflare's access,
    # Pomerium, Azure's API management, Vault, GitLab, Kubernetes' front proxy, Shibboleth.
    [
        *("authorization", "proxy-authorization", "cookie", "x-api-key", "x-amz-security-token"),
        *("x-forwarded-access-token", "x-auth-request-access-token", "x-amzn-oidc-data"),
        *("x-amzn-oidc-accesstoken", "x-goog-iap-jwt-assertion", "cf-access-jwt-assertion"),
        *("x-serverless-authorization", "x-pomerium-jwt-assertion", "private-token", "apikey"),
        *("ocp-apim-subscription-key", "x-vault-token", "x-hub-signature-256", "x-csrftoken"),
        *("x-xsrf-token", "x-session-id", "shib-session-id", "x-client-secret", "x-password"),
        *("x-aws-ec2-metadata-token", "x-ms-token-aad-id-token", "job-token", "saml-response"),
    ],
)
def test_a_secret_field_is_named_only(service: Handler, field: str) -> None:
    """The response has the name of the field, and not its value."""
    found = send(service, "GET", "/tools/headers", b"", {field.encode(): b"S3cr3t", b"x": b"1"})
    assert json_of(found) == {"headers": {"x": "1"}, "withheld": [field]}


@pytest.mark.parametrize(
    "field", ["traceparent", "x-request-id", "sec-websocket-key", "x-forwarded-for", "via"]
)
def test_other_fields_are_shown(service: Handler, field: str) -> None:
    """Those that one tries a proxy for."""
    found = json_of(send(service, "GET", "/tools/headers", b"", {field.encode(): b"1"}))
    assert found == {"headers": {field: "1"}, "withheld": []}


def test_echo(service: Handler) -> None:
    """Text comes back as text, other bytes in base64, and no secret field."""
    headers = {b"x": b"1", b"authorization": b"Basic c2VjcmV0", b"cookie": b"secret"}
    found = json_of(send(service, "POST", "/tools/echo?a=b", "häuser".encode(), headers))
    assert (found["body"], found["encoding"], found["query"]) == ("häuser", "utf-8", "a=b")
    assert (found["headers"], found["withheld"]) == ({"x": "1"}, ["authorization", "cookie"])
    found = json_of(send(service, "PUT", "/tools/echo", b"\xff\0"))
    assert (found["body"], found["encoding"]) == ("/wA=", "base64")
    with pytest.raises(RejectedError) as refused:
        send(service, "POST", "/tools/echo", b"x" * 16_385)
    assert refused.value.status == 413


@given(body=st.binary(max_size=3000))
def test_upload(body: bytes) -> None:
    """The hash is that of another implementation's one call, and nothing is held."""
    import hashlib  # noqa: PLC0415

    service = build(Services(FakeSource(), "x", ON))
    found = json_of(send(service, "POST", "/tools/upload", body))
    assert found == {"bytes": len(body), "sha256": hashlib.sha256(body).hexdigest()}


def test_rate(service: Handler, source: FakeSource) -> None:
    """Tools are served at a rate; the probes and ``/`` at any."""
    statuses = [
        service(a_request(path="/tools/headers")).status for _ in range(REQUESTS_PER_SECOND + 1)
    ]
    assert statuses == [200] * REQUESTS_PER_SECOND + [429]
    assert service(a_request()).status == 200
    source.ticks += 0.01
    assert service(a_request(path="/tools/headers")).status == 200


FAULTS = b'{"error_rate": 1, "error_status": 503, "latency_seconds": 2, "ready": false}'


def test_faults(service: Handler, source: FakeSource) -> None:
    """Requests fail and are late, probes are as they were, and all ends by itself."""
    assert send(service, "PUT", "/tools/faults", FAULTS).status == 200
    response = service(a_request())
    assert isinstance(response, LongResponse)
    assert (response.status, response.delay_seconds) == (503, 2)
    late = service(a_request(path="/tools/delay/1"))
    assert isinstance(late, LongResponse)
    for path in ("/health", "/healthz", "/livez", "/metrics", "/tools/faults"):
        assert service(a_request(path=path)).status == 200, path
    assert service(a_request(path="/readyz")).status == 503
    source.ticks += 61
    assert service(a_request()).status == 200
    assert service(a_request(path="/readyz")).status == 200


def test_faults_end_on_demand(service: Handler) -> None:
    """DELETE ends them, and what a new PUT does not name is not injected."""
    send(service, "PUT", "/tools/faults", FAULTS)
    send(service, "PUT", "/tools/faults", b'{"latency_seconds": 0.5}')
    response = service(a_request())
    assert isinstance(response, LongResponse)
    assert (response.status, response.delay_seconds) == (200, 0.5)
    assert service(a_request("DELETE", "/tools/faults")).status == 200
    assert not isinstance(service(a_request()), LongResponse)


def test_error_rate(service: Handler) -> None:
    """About as many fail as wanted."""
    send(service, "PUT", "/tools/faults", b'{"error_rate": 0.25}')
    failed = sum(service(a_request()).status == 500 for _ in range(4000))
    assert 800 < failed < 1200


def test_workers_share_faults() -> None:
    """Whichever process gets the request, all inject."""
    services = Services(FakeSource(), "x", Config(tools=True, workers=2))
    one, other = build(services), build(services)
    send(one, "PUT", "/tools/faults", FAULTS)
    assert other(a_request()).status == 503


@pytest.mark.parametrize(
    ("path", "body"),
    [
        *(("faults", b'{"error_rate": %b}' % bad) for bad in (b"2", b"-1", b"null", b'"1"')),
        ("faults", b'{"for_seconds": 3601}'),
        ("faults", b'{"latency": 1}'),
        ("faults", b"[]"),
        ("faults", b"\xff"),
        ("burn", b'{"cpus": 9}'),
        ("burn", b'{"memory_bytes": 2000000000}'),
        ("burn", b'{"seconds": 0}'),
        ("burn", b'{"seconds": 1e999}'),
    ],
)
def test_forms(service: Handler, path: str, body: bytes) -> None:
    """A form that is not understood as a whole changes nothing; the message names the fields."""
    method = "PUT" if path == "faults" else "POST"
    response = send(service, method, f"/tools/{path}", body)
    assert response.status == 400
    assert "expected a JSON object with any of" in json_of(response)["message"]
    assert json_of(service(a_request(path="/tools/faults")))["error_rate"] == 0


@pytest.mark.parametrize(
    ("method", "path"),
    [("PUT", "faults"), ("DELETE", "faults"), ("POST", "burn"), ("POST", "exit/0")],
)
def test_web_pages(service: Handler, method: str, path: str) -> None:
    """A request with an Origin controls nothing: any web page can post anywhere."""
    response = send(service, method, f"/tools/{path}", b"{}", {b"origin": b"null"})
    assert response.status == 403


@pytest.mark.parametrize(
    "path", ["/tools/status/", "/tools/status", "/tools/status/200/", "/tools"]
)
def test_other_paths(service: Handler, path: str) -> None:
    """A parameter is one part of a path, and not empty."""
    assert service(a_request(path=path)).status == 404


def test_other_methods(service: Handler) -> None:
    """A path with a parameter has 405 with its methods as others have."""
    response = service(a_request("OPTIONS", "/tools/status/200"))
    assert (response.status, response.headers) == (405, ((b"Allow", b"GET, HEAD"),))
