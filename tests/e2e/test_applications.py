"""Applications, built by one command and used in an image FROM scratch: read-only, any user."""

import contextlib
import shutil
import socket
import subprocess
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
                until(accepts, pause=0.1)
            yield f"http://{address}:{port}"


@pytest.mark.sample(every=6)
@pytest.mark.parametrize("name", USES)
def test_application_is_used_as_people_use_it(name: str, engine: Engine, tmp_path: Path) -> None:
    """One command makes its image; the versions are those of its lock, or of the index today."""
    project, scratch = tmp_path / name, tmp_path / "data"
    shutil.copytree(PROJECTS / name, project)
    scratch.mkdir()
    scratch.chmod(0o777)
    script = next(project.glob("report.py"), project)
    tag = f"onebin-applications/{name}:test"
    onebin("image", script, "--to", f"archive:{tmp_path}/image.tar", "--tag", tag)
    engine.run("load", "--input", tmp_path / "image.tar")
    try:
        USES[name](Image(engine, tag, scratch))
    finally:
        engine.run("rmi", "--force", tag)
