"""Applications, built by one command and used in an image FROM scratch: read-only, any user."""

import contextlib
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.e2e.applications import PROJECTS, USES
from tests.e2e.conftest import Engine, onebin, running
from tests.lib.waiting import until

pytestmark = [pytest.mark.engine, pytest.mark.toolchain]

USER = "23456:34567"
"""Any: no /etc/passwd inside knows it."""


class Image:
    """An application's image, run with nothing but /tmp and /data to write to."""

    def __init__(self, engine: Engine, tag: str, scratch: Path) -> None:
        self._engine, self._tag, self.scratch = engine, tag, scratch
        self.starts: list[float] = []
        """Seconds to the first connection, the engine's own included."""

    def _options(self, env: Mapping[str, str], network: str) -> list[str]:
        return [
            "--read-only", "--user", USER, "--tmpfs", "/tmp", "--cap-drop", "ALL",
            "--security-opt", "no-new-privileges", "--pids-limit", "200",
            "--volume", f"{self.scratch}:/data", "--network", network,
            *(f"--env={name}={value}" for name, value in env.items()), self._tag,
        ]  # fmt: skip

    def run(self, *arguments: str, stdin: str = "", env: Mapping[str, str] = {}) -> str:
        """Run it to its end and return its stdout."""
        done = subprocess.run(
            [self._engine.client, "run", "--rm", "-i", *self._options(env, "host"), *arguments],
            input=stdin, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        assert 0 == done.returncode, done.stderr
        return done.stdout

    @contextlib.contextmanager
    def serving(
        self, *arguments: str, port: int = 8080, env: Mapping[str, str] = {}
    ) -> Iterator[str]:
        """Run it while the block runs, and give its base URL."""
        options = self._options(env, "bridge" if port else "host")
        began = time.monotonic()
        with running(self._engine, *options, *arguments) as container:
            address = self._engine.run(
                "inspect", "--format", "{{.NetworkSettings.IPAddress}}", container
            )

            def accepts() -> bool:
                try:
                    socket.create_connection((address, port), timeout=5).close()
                except OSError:
                    state = self._engine.run("inspect", "--format", "{{.State.Running}}", container)
                    assert "true" == state, self._engine.run("logs", container)
                    return False
                return True

            if port:
                until(accepts, pause=0.02)
                self.starts.append(time.monotonic() - began)
            yield f"http://{address}:{port}"


SAMPLE = ("flask-waitress", "namespace-plugins")
"""What every run tries; `make applications` tries all, which takes minutes."""

CHOSEN = USES if os.environ.get("APPLICATIONS") else SAMPLE


@pytest.mark.parametrize("name", CHOSEN)
def test_application_is_used_as_people_use_it(name: str, engine: Engine, tmp_path: Path) -> None:
    """One command makes its image; the index chooses the versions of today."""
    project, scratch = tmp_path / name, tmp_path / "data"
    shutil.copytree(PROJECTS / name, project)
    scratch.mkdir()
    scratch.chmod(0o777)
    script = next(project.glob("report.py"), project)
    tag = f"onebin-applications/{name}:test"
    onebin("image", script, "--to", f"archive:{tmp_path}/image.tar", "--tag", tag)
    engine.run("load", "--input", tmp_path / "image.tar")
    image = Image(engine, tag, scratch)
    try:
        USES[name](image)
        size = int(engine.run("image", "inspect", "--format", "{{.Size}}", tag))
        start = f", accepts after {min(image.starts):.2f} s" if image.starts else ""
        print(f"{name}: {size / 1e6:.1f} MB{start}")  # noqa: T201  (for `make applications`)
    finally:
        engine.run("rmi", "--force", tag)
