"""The Compose file of deploy/ on a real engine: healthy, as granted, replaced, ended."""

import contextlib
import fcntl
import json
import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from tests.lib.http_client import ProtocolError, get
from tests.lib.running_service import free_port
from tests.lib.waiting import until

from .conftest import ROOT, SERVICE, Engine, onebin, wait_for

pytestmark = pytest.mark.engine

FILE: Final = ROOT / "deploy/compose/compose.yaml"
PROJECT: Final = "devops-info-service-e2e"
IMAGE: Final = "devops-info-service:compose-e2e"


class Compose:
    """A project that is up."""

    def __init__(self, program: str, override: Path, port: int) -> None:
        self._argv: list[str | Path] = [
            program,
            "--project-name",
            PROJECT,
            "--file",
            FILE,
            "--file",
            override,
        ]
        self.port = port

    def run(self, *words: str) -> str:
        """Run Compose to its end and return stdout."""
        done = subprocess.run(
            [*self._argv, *words],
            env={**os.environ, "PORT": str(self.port), "TOOLS": "true"},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def container(self) -> str:
        """Return the id of the service's container."""
        return self.run("ps", "--all", "--quiet", "service")


@pytest.fixture
def compose(engine: Engine, tmp_path: Path) -> Iterator[Compose]:
    """The project, healthy, with its own image."""
    prepared = subprocess.run(
        [ROOT / ".ci/prepare-compose"], capture_output=True, text=True, check=False
    )
    if prepared.returncode:
        pytest.skip(f"no Compose: {prepared.stderr.strip()}")
    onebin("image", SERVICE, "--output", tmp_path, "--tag", IMAGE)
    engine.run("load", "--input", tmp_path / "devops-info-service.tar")
    override = tmp_path / "override.yaml"
    override.write_text(json.dumps({"services": {"service": {"image": IMAGE}}}))
    project = Compose(prepared.stdout.strip(), override, free_port())
    with (Path(tempfile.gettempdir()) / f"{PROJECT}.lock").open("w") as lock:
        # The engine has one project of that name, and may have several processes of tests.
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            project.run("up", "--detach", "--wait", "--quiet-pull")
            yield project
        finally:
            project.run("down", "--timeout", "12")
        assert engine.run("ps", "--all", "--quiet", "--filter", f"name={PROJECT}") == ""


def inspect(engine: Engine, container: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(engine.run("container", "inspect", container))[0]
    return found


def test_is_granted_what_the_file_requests(compose: Compose) -> None:
    """Health by the binary itself; every expectation in the file is met."""
    found = wait_for(compose.port, "/conformance").json

    assert found["conforms"], found
    assert len(found["expectations"]) == 6
    assert {each["state"] for each in found["expectations"]} == {"met"}


def test_is_restricted_as_far_as_an_engine_can(engine: Engine, compose: Compose) -> None:
    """No check of the standards fails; Docker's default profile of seccomp is in force."""
    report = json.loads(
        engine.run("exec", compose.container(), "/app/devops-info-service", "report", "--json")
    )

    checks = [each for each in report["security"]["checks"] if each["profile"] != "hardening"]
    assert len(checks) > 10
    assert [each for each in checks if each["verdict"] == "fail"] == []


def test_is_started_again_after_its_end(engine: Engine, compose: Compose) -> None:
    """A process that ends by itself is followed by another one, which gets healthy."""
    container = compose.container()
    with contextlib.suppress(OSError, ProtocolError):
        get(compose.port, "/tools/exit/7", method="POST")
    until(lambda: inspect(engine, container)["RestartCount"] == 1)
    until(lambda: inspect(engine, container)["State"]["Health"]["Status"] == "healthy")

    assert get(compose.port, "/health").status == 200


def test_ends_within_its_grace(engine: Engine, compose: Compose) -> None:
    """``stop`` is a drain: status 0, and the last event is the shutdown record."""
    container = compose.container()
    assert get(compose.port, "/health").status == 200

    compose.run("stop")

    assert inspect(engine, container)["State"]["ExitCode"] == 0
    events = [json.loads(line) for line in engine.run("logs", container).splitlines()]
    [record] = [event for event in events if event["event"] == "termination"]
    assert record["aborted"] == 0
