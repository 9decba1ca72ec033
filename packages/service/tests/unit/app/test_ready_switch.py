"""``/readyz/enable`` and ``/readyz/disable``: there where allowed, and never for a web page."""

from typing import Any

import msgspec
import pytest

from devops_info_service.app.routes import build
from devops_info_service.app.services import Services
from devops_info_service.config import Config
from devops_info_service.http import Lifecycle, ProcessLifecycle
from devops_info_service.http.wire.message import Handler
from devops_info_service.readiness import ReadySwitch

from .test_services import FakeSource, a_request

ON = Config(ready_switch=True)


def ask(
    dispatch: Handler, path: str, method: str = "GET", headers: dict[bytes, bytes] | None = None
) -> tuple[int, Any]:
    """Return the HTTP status and the body's status or error."""
    response = dispatch(a_request(method, path, headers))
    body = msgspec.json.decode(response.body)
    return response.status, body.get("status", body.get("error"))


def test_there_and_back() -> None:
    """Out of readiness and into it, alive and healthy all the time; twice is as good as once."""
    dispatch = build(Services(FakeSource(), "x", ON))

    assert ask(dispatch, "/readyz") == (200, "ready")
    for _ in range(2):
        assert ask(dispatch, "/readyz/disable", "POST") == (200, "disabled")
        assert ask(dispatch, "/readyz") == (503, "disabled")
    assert ask(dispatch, "/livez") == (200, "alive")
    assert ask(dispatch, "/health") == (200, "healthy")
    for _ in range(2):
        assert ask(dispatch, "/readyz/enable", "POST") == (200, "ready")
        assert ask(dispatch, "/readyz") == (200, "ready")


def test_not_there() -> None:
    """Without the setting the switch is neither served nor listed."""
    dispatch = build(Services(FakeSource(), "x"))

    assert ask(dispatch, "/readyz/disable", "POST") == (404, "Not Found")
    assert ask(dispatch, "/readyz/enable", "POST") == (404, "Not Found")
    assert ask(dispatch, "/readyz") == (200, "ready")
    for path in ("/", "/openapi.json"):
        assert b"/readyz/" not in dispatch(a_request(path=path)).body


def test_published() -> None:
    """With the setting it is in the route table, for POST alone."""
    dispatch = build(Services(FakeSource(), "x", ON))

    for path in ("/", "/openapi.json"):
        assert b"/readyz/disable" in dispatch(a_request(path=path)).body
    assert ask(dispatch, "/readyz/disable") == (405, "Method Not Allowed")
    assert ask(dispatch, "/readyz") == (200, "ready")


@pytest.mark.parametrize("origin", [b"https://example.com", b"http://localhost:8080", b"null", b""])
def test_web_page(origin: bytes) -> None:
    """A request with an Origin switches nothing: any web page can post anywhere."""
    dispatch = build(Services(FakeSource(), "x", ON))

    refused = ask(dispatch, "/readyz/disable", "POST", {b"origin": origin})

    assert refused == (403, "Forbidden")
    assert ask(dispatch, "/readyz") == (200, "ready")


def test_all_processes() -> None:
    """Whichever process gets the request, all that share the switch are out of readiness."""
    switch = ReadySwitch()
    one, other = (build(Services(FakeSource(), "x", ON, ready_switch=switch)) for _ in range(2))

    assert ask(one, "/readyz/disable", "POST") == (200, "disabled")
    assert ask(other, "/readyz") == (503, "disabled")
    assert ask(other, "/readyz/enable", "POST") == (200, "ready")
    assert ask(one, "/readyz") == (200, "ready")


def test_draining_comes_first() -> None:
    """A draining process cannot be switched into readiness again."""
    lifecycle = ProcessLifecycle()
    dispatch = build(Services(FakeSource(), "x", ON, lifecycle=lifecycle))
    lifecycle.current = Lifecycle.STOPPING

    assert ask(dispatch, "/readyz/enable", "POST") == (200, "draining")
    assert ask(dispatch, "/readyz") == (503, "draining")
