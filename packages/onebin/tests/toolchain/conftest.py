"""Real builds. The first one on a machine compiles CPython (minutes); the cache keeps it."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

PROJECTS = Path(__file__).parent.parent / "projects"

Build = Callable[..., Path]
Ask = Callable[..., Any]

OnebinRun = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def onebin() -> OnebinRun:
    """Run the command line as a user does."""

    def run(*arguments: str | Path, **options: Any) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "onebin", *arguments],
            capture_output=True,
            text=True,
            check=False,
            **options,
        )

    return run


@pytest.fixture(scope="session")
def build(onebin: OnebinRun, tmp_path_factory: pytest.TempPathFactory) -> Build:
    """Build a project of ``tests/projects`` once a session and return its executable."""
    built: dict[str, Path] = {}

    def make(name: str) -> Path:
        if name not in built:
            target = tmp_path_factory.mktemp(name) / name
            done = onebin("build", PROJECTS / name, "--output", target)
            assert done.returncode == 0, done.stderr
            built[name] = target
        return built[name]

    return make


@pytest.fixture(scope="session")
def ask(build: Build) -> Ask:
    """Run the ``facts`` executable with *arguments* and only the given environment."""

    def question(*arguments: str, **environment: str) -> Any:
        done = subprocess.run(
            [build("facts"), *arguments],
            capture_output=True,
            env=environment,
            check=True,
            cwd="/",
        )
        return json.loads(done.stdout)

    return question
