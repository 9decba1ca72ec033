"""``/conformance`` and what readiness makes of it, on the saved trees."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from devops_info_service.app.services import build
from devops_info_service.config import Config, load
from devops_info_service.errors import ConfigError
from devops_info_service.expectations.conformance import Conformance
from devops_info_service.facts.fact import File
from devops_info_service.facts.system_files import SystemFiles
from devops_info_service.handlers.conformance import READY_SECONDS
from devops_info_service.handlers.platform import FRESH_SECONDS
from devops_info_service.http.connection.server_state import State
from devops_info_service.http.wire.message import Handler

from .test_services import FakeSource, a_request

MEMORY = "/sys/fs/cgroup/memory.max"


class Pod(SystemFiles):
    """A pod whose limit can be changed while it runs, and who counts the looks at it."""

    limit = 256 * 1024**2
    looks = 0

    def read(self, path: str) -> File:
        self.looks += path == "/proc/meminfo"
        return File(path, str(self.limit)) if path == MEMORY else super().read(path)


@pytest.fixture
def pod() -> Pod:
    """A pod on cgroup v2."""
    data = Path(__file__).parents[2] / "data" / "platform" / "containerd-restricted"
    return Pod(str(data / "root"), {})


Serve = Callable[..., Handler]
"""Expectations and readiness -> the service of the pod."""


@pytest.fixture
def clock() -> FakeSource:
    """What the service takes for the time."""
    return FakeSource()


@pytest.fixture
def serve(pod: Pod, clock: FakeSource) -> Serve:
    """Build the service of that pod."""

    def with_(expectations: str, *, ready: bool = False, state: State | None = None) -> Handler:
        config = Config(expectations=expectations, ready_requires_expectations=ready)
        return build(clock, "epoll + httptools", config, tree=pod, state=state)

    return with_


def ask(dispatch: Handler, path: str, method: str = "GET") -> tuple[int, Any]:
    """Return status and body."""
    response = dispatch(a_request(method, path))
    return response.status, msgspec.json.decode(response.body)


def test_met_and_not_met(serve: Serve, pod: Pod, clock: FakeSource) -> None:
    """200 while all is as expected, 409 once it is not, with the evidence of each."""
    dispatch = serve("memory.limit: 256Mi\ndns.ndots: 5")
    status, body = ask(dispatch, "/conformance")
    assert status == 200
    conformance = msgspec.convert(body, Conformance)
    assert conformance.conforms
    assert [each.state for each in conformance.expectations] == ["met", "met"]

    pod.limit //= 2
    clock.ticks += FRESH_SECONDS
    status, body = ask(dispatch, "/conformance")

    assert status == 409
    conformance = msgspec.convert(body, Conformance)
    assert not conformance.conforms
    changed = conformance.expectations[0]
    assert (changed.state, changed.found) == ("not met", "128Mi")
    assert [(seen.file, seen.value) for seen in changed.evidence] == [(MEMORY, "134217728")]


def test_one_look_a_second(serve: Serve, pod: Pod, clock: FakeSource) -> None:
    """However many ask, for the conformance or the platform, there is one look a second."""
    dispatch = serve("memory.limit: 256Mi")
    ask(dispatch, "/platform")
    in_one_look = pod.looks
    for _ in range(3):
        ask(dispatch, "/conformance")
        clock.ticks += FRESH_SECONDS / 4
    assert pod.looks == in_one_look

    clock.ticks += FRESH_SECONDS
    ask(dispatch, "/conformance")

    assert pod.looks == 2 * in_one_look


def test_nothing_expected(serve: Serve) -> None:
    """Without expectations there is nothing to conform to: a check must not pass by mistake."""
    status, body = ask(serve(""), "/conformance")

    assert status == 404
    assert body["message"] == "Nothing is expected: EXPECTATIONS is not set"


def test_refused_at_start(serve: Serve) -> None:
    """What cannot be understood is refused before anything is served."""
    with pytest.raises(ConfigError, match=r"line 1: 'memory\.limt' is not a known name"):
        serve("memory.limt: 256Mi")


def test_nothing_readable(tmp_path: Path) -> None:
    """A platform of which nothing can be read is an answer, not an error."""
    config = Config(expectations="memory.limit: 256Mi")
    dispatch = build(FakeSource(), "epoll + httptools", config, tree=SystemFiles(str(tmp_path), {}))
    status, body = ask(dispatch, "/conformance")

    assert status == 409
    (only,) = body["expectations"]
    assert (only["state"], only["found"]) == ("unknown", None)
    assert only["reason"]


def test_readiness(serve: Serve, pod: Pod, clock: FakeSource) -> None:
    """Where readiness wants it, it falls and rises with the expectations, looking now and then."""
    dispatch = serve("memory.limit: 256Mi", ready=True)
    assert ask(dispatch, "/readyz") == (200, {"status": "ready"})
    looks = pod.looks

    pod.limit //= 2
    clock.ticks += READY_SECONDS / 2
    assert ask(dispatch, "/readyz") == (200, {"status": "ready"})
    assert pod.looks == looks
    clock.ticks += READY_SECONDS / 2
    assert ask(dispatch, "/readyz") == (503, {"status": "expectations not met"})

    pod.limit *= 2
    clock.ticks += READY_SECONDS
    assert ask(dispatch, "/readyz") == (200, {"status": "ready"})
    assert ask(dispatch, "/livez") == (200, {"status": "alive"})


def test_readiness_does_not_care(serve: Serve, pod: Pod) -> None:
    """Unless it is told to, readiness looks at nothing."""
    dispatch = serve("memory.limit: 1Ki")

    assert ask(dispatch, "/readyz") == (200, {"status": "ready"})
    assert pod.looks == 0


def test_draining_comes_first(serve: Serve, pod: Pod) -> None:
    """Who is told to end says so, whatever is expected, and looks at nothing more."""
    state = State()
    state.draining = True

    assert ask(serve("memory.limit: 1Ki", ready=True, state=state), "/readyz") == (
        503,
        {"status": "draining"},
    )
    assert pod.looks == 0


def test_metric(serve: Serve, pod: Pod, clock: FakeSource) -> None:
    """Each expectation is 1 while it is met, else 0; without any there is no such metric."""
    dispatch = serve("memory.limit: 256Mi\nqos.class: Guaranteed\nidentity.node: nowhere")
    met = samples(dispatch)
    pod.limit //= 2
    clock.ticks += FRESH_SECONDS
    unmet = samples(dispatch)

    assert met == {"memory.limit": "1", "qos.class": "0", "identity.node": "0"}
    assert unmet == {"memory.limit": "0", "qos.class": "0", "identity.node": "0"}
    assert samples(serve("")) == {}


def samples(dispatch: Handler) -> dict[str, str]:
    """Return what the metrics say of expectations."""
    lines = dispatch(a_request(path="/metrics")).body.decode().splitlines()
    found = [line.split('"') for line in lines if line.startswith("platform_expectation_met{")]
    return {name: value.removeprefix("} ") for _, name, value in found}


def test_readiness_needs_expectations() -> None:
    """Readiness that requires what nobody expects would be ready by mistake."""
    with pytest.raises(ConfigError, match="READY_REQUIRES_EXPECTATIONS is true, but EXPECTATIONS"):
        load(["--ready-requires-expectations"], {"EXPECTATIONS": ""})
