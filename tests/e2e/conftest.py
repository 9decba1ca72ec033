"""Fixtures of the end-to-end tests: a real engine, its images and containers, a free port.

Without an engine the tests are skipped, with the reason.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from tests.lib.http_client import ProtocolError, Response, get
from tests.lib.running_service import free_port
from tests.lib.waiting import until

ROOT: Final = Path(__file__).resolve().parents[2]
TAG: Final = "devops-info-service:e2e"
SERVICE: Final = "packages/service"


@dataclass(frozen=True, slots=True)
class Engine:
    """A running Docker engine."""

    client: str
    """Path of a client with BuildKit."""

    def run(self, *arguments: str | Path, check: bool = True) -> str:
        """Run the client with *arguments* and return its stdout, stripped.

        Raises:
            AssertionError: it failed and *check* is true; with its stderr.
        """
        done = subprocess.run(
            [self.client, *map(str, arguments)],
            cwd=ROOT,
            env={**os.environ, "DOCKER_BUILDKIT": "1"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if check and done.returncode:
            command = " ".join(map(str, arguments))
            raise AssertionError(f"docker {command} failed ({done.returncode}):\n{done.stderr}")
        return done.stdout.strip()


@pytest.fixture(scope="session")
def engine() -> Engine:
    """A running engine; root starts one if none runs."""
    client = _client()
    if client is None and os.geteuid() == 0:
        prepared = _stderr_of(ROOT / ".ci/prepare-engine")
        client = _client()
        if client is None:
            pytest.skip(
                f"no Docker engine: {prepared.splitlines()[-1] if prepared else 'no reason'}"
            )
    if client is None:
        pytest.skip("no Docker engine responds; run .ci/prepare-engine as root")
    return Engine(client)


@pytest.fixture(name="free_port")
def free_port_fixture() -> int:
    """A free TCP port; the size of the kernel's range makes a clash unlikely."""
    return free_port()


@pytest.fixture(scope="session")
def chromium() -> Path:
    """Debian's browser."""
    program = Path("/usr/bin/chromium")
    if not program.exists():
        pytest.skip(f"no {program}: run .ci/prepare-browser")
    return program


@pytest.fixture(scope="session")
def image(engine: Engine) -> str:
    """The image of the repository's Dockerfile, on an empty base."""
    subprocess.run([ROOT / ".ci/prepare-bases", "debian:trixie-slim"], check=True)
    engine.run("build", *secret(), "--tag", TAG, ".")
    return TAG


@pytest.fixture(scope="session")
def binary(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The executable as ``onebin build`` makes it outside any container."""
    target = tmp_path_factory.mktemp("binary") / "devops-info-service"
    onebin("build", SERVICE, "--output", target)
    return target


def onebin(*arguments: str | Path) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "onebin", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def secret() -> list[str]:
    """A CA bundle for builds behind a TLS-inspecting proxy, where this machine has one."""
    bundle = os.environ.get("PIP_CERT") or os.environ.get("SSL_CERT_FILE")
    return ["--secret", f"id=ca,src={bundle}"] if bundle else []


@contextmanager
def running(engine: Engine, *arguments: str | int) -> Iterator[str]:
    """Run a container in the background and remove it afterwards, whatever happens."""
    container = engine.run("run", "--detach", *map(str, arguments))
    try:
        yield container
    finally:
        engine.run("rm", "--force", container)


def wait_for(port: int, path: str = "/health") -> Response:
    """Request *path* from outside until a response comes: a container takes a while to start."""

    def attempt() -> Response | None:
        try:
            return get(port, path)
        except (OSError, ProtocolError):
            return None

    response: Response = until(attempt, pause=0.05)
    return response


def _client() -> str | None:
    """Find a client that can build and whose engine responds."""
    found = subprocess.run([ROOT / ".ci/find-docker"], capture_output=True, text=True, check=False)
    client = found.stdout.strip()
    if not client:
        return None
    info = subprocess.run([client, "info"], capture_output=True, check=False)
    return None if info.returncode else client


def _stderr_of(program: Path) -> str:
    done = subprocess.run(
        [program], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    return done.stderr.strip()
