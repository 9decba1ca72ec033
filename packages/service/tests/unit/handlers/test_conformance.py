"""``/conformance``, and readiness that requires it, on recorded trees."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from devops_info_service.app.routes import build
from devops_info_service.app.services import Services
from devops_info_service.config import Config, load
from devops_info_service.errors import ConfigError
from devops_info_service.expectations.conformance import Conformance
from devops_info_service.facts.fact import File
from devops_info_service.facts.system_files import SystemFiles
from devops_info_service.handlers.conformance import READINESS_TTL_SECONDS
from devops_info_service.http import Lifecycle, ProcessLifecycle
from devops_info_service.http.wire.message import Handler
from devops_info_service.snapshot_cache import FRESH_SECONDS

from ..app.test_services import FakeSource, a_request

MEMORY = "/sys/fs/cgroup/memory.max"


class Pod(SystemFiles):
    """A pod whose limit can be changed while it runs; counts snapshots of it."""

    limit = 256 * 1024**2
    snapshots = 0

    def read(self, path: str) -> File:
        self.snapshots += path == "/proc/meminfo"
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
    """The service's clock."""
    return FakeSource()


@pytest.fixture
def serve(pod: Pod, clock: FakeSource) -> Serve:
    """Build the service of that pod."""

    def with_(
        expectations: str, *, ready: bool = False, lifecycle: ProcessLifecycle | None = None
    ) -> Handler:
        config = Config(expectations=expectations, ready_requires_expectations=ready)
        return build(Services(clock, "epoll + httptools", config, files=pod, lifecycle=lifecycle))

    return with_


def get(dispatch: Handler, path: str, method: str = "GET") -> tuple[int, Any]:
    """Return status and body."""
    response = dispatch(a_request(method, path))
    return response.status, msgspec.json.decode(response.body)


def test_met_and_not_met(serve: Serve, pod: Pod, clock: FakeSource) -> None:
    """200 while all expectations are met, else 409, with the evidence of each."""
    dispatch = serve("memory.limit: 256Mi\ndns.ndots: 5")
    status, body = get(dispatch, "/conformance")
    assert status == 200
    conformance = msgspec.convert(body, Conformance)
    assert conformance.conforms
    assert [each.state for each in conformance.expectations] == ["met", "met"]

    pod.limit //= 2
    clock.ticks += FRESH_SECONDS
    status, body = get(dispatch, "/conformance")

    assert status == 409
    conformance = msgspec.convert(body, Conformance)
    assert not conformance.conforms
    changed = conformance.expectations[0]
    assert (changed.state, changed.found) == ("not met", "128Mi")
    assert [(seen.file, seen.value) for seen in changed.evidence] == [(MEMORY, "134217728")]


def test_one_snapshot_a_second(serve: Serve, pod: Pod, clock: FakeSource) -> None:
    """Requests for the conformance and the platform share one snapshot a second."""
    dispatch = serve("memory.limit: 256Mi")
    get(dispatch, "/platform")
    in_one = pod.snapshots
    for _ in range(3):
        get(dispatch, "/conformance")
        clock.ticks += FRESH_SECONDS / 4
    assert pod.snapshots == in_one

    clock.ticks += FRESH_SECONDS
    get(dispatch, "/conformance")

    assert pod.snapshots == 2 * in_one


def test_nothing_expected(serve: Serve) -> None:
    """Without expectations it is 404: a check must not pass by mistake."""
    status, body = get(serve(""), "/conformance")

    assert status == 404
    assert body["message"] == "Nothing is expected: EXPECTATIONS is not set"


def test_rejected_at_start(serve: Serve) -> None:
    """An invalid expectation is rejected before anything is served."""
    with pytest.raises(ConfigError, match=r"line 1: 'memory\.limt' is not a known name"):
        serve("memory.limt: 256Mi")


def test_nothing_readable(tmp_path: Path) -> None:
    """A platform that cannot be read is a response, not an error."""
    config = Config(expectations="memory.limit: 256Mi")
    dispatch = build(
        Services(FakeSource(), "epoll + httptools", config, files=SystemFiles(str(tmp_path), {}))
    )
    status, body = get(dispatch, "/conformance")

    assert status == 409
    (only,) = body["expectations"]
    assert (only["state"], only["found"]) == ("unknown", None)
    assert only["reason"]


def test_readiness(serve: Serve, pod: Pod, clock: FakeSource) -> None:
    """Readiness falls and rises with the expectations, some seconds late."""
    dispatch = serve("memory.limit: 256Mi", ready=True)
    assert get(dispatch, "/readyz") == (200, {"status": "ready"})
    before = pod.snapshots

    pod.limit //= 2
    clock.ticks += READINESS_TTL_SECONDS / 2
    assert get(dispatch, "/readyz") == (200, {"status": "ready"})
    assert pod.snapshots == before
    clock.ticks += READINESS_TTL_SECONDS / 2
    assert get(dispatch, "/readyz") == (503, {"status": "expectations not met"})

    pod.limit *= 2
    clock.ticks += READINESS_TTL_SECONDS
    assert get(dispatch, "/readyz") == (200, {"status": "ready"})
    assert get(dispatch, "/livez") == (200, {"status": "alive"})


def test_readiness_without_expectations(serve: Serve, pod: Pod) -> None:
    """By default readiness depends on no expectation and reads no file."""
    dispatch = serve("memory.limit: 1Ki")

    assert get(dispatch, "/readyz") == (200, {"status": "ready"})
    assert pod.snapshots == 0


def test_draining_comes_first(serve: Serve, pod: Pod) -> None:
    """A shutdown comes before the expectations, and no file is read any more."""
    lifecycle = ProcessLifecycle(Lifecycle.STOPPING)

    assert get(serve("memory.limit: 1Ki", ready=True, lifecycle=lifecycle), "/readyz") == (
        503,
        {"status": "draining"},
    )
    assert pod.snapshots == 0


def test_metric(serve: Serve, pod: Pod, clock: FakeSource) -> None:
    """Each expectation is 1 while it is met, else 0; without any the metric is missing."""
    dispatch = serve("memory.limit: 256Mi\nqos.class: Guaranteed\nidentity.node: nowhere")
    met = samples(dispatch)
    pod.limit //= 2
    clock.ticks += FRESH_SECONDS
    unmet = samples(dispatch)

    assert met == {"memory.limit": "1", "qos.class": "0", "identity.node": "0"}
    assert unmet == {"memory.limit": "0", "qos.class": "0", "identity.node": "0"}
    assert samples(serve("")) == {}


def samples(dispatch: Handler) -> dict[str, str]:
    """Return the metric of each expectation."""
    lines = dispatch(a_request(path="/metrics")).body.decode().splitlines()
    found = [line.split('"') for line in lines if line.startswith("platform_expectation_met{")]
    return {name: value.removeprefix("} ") for _, name, value in found}


def test_readiness_needs_expectations() -> None:
    """Readiness cannot require expectations that are absent: it would be ready by mistake."""
    with pytest.raises(ConfigError, match="READY_REQUIRES_EXPECTATIONS is true, but EXPECTATIONS"):
        load(["--ready-requires-expectations"], {"EXPECTATIONS": ""})
