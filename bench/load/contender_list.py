"""The contenders, and how each is prepared on this machine."""

import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.lib.harness import ROOT, environment, go, run, timed_step
from bench.lib.server_process import Command

_PINS: Final = Path(__file__).with_name("requirements.txt")
_APPS: Final = "bench.load.contenders"

WORKSHOP: Final = ROOT / "dist/bench"
"""Executables and the environment of the other Python stacks: git ignores it, and
``make clean`` removes it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contender:
    """One way to serve the two resources."""

    name: str
    title: str
    make: Callable[[], Command]
    """Prepares it; raises MeasureError if that is impossible here."""


_SETTINGS: Final = {"HOST": "{address}", "PORT": "{port}", "WORKERS": "{workers}"}


def _static() -> Command:
    binary = WORKSHOP / "devops-info-service"
    with timed_step("onebin build packages/service"):
        run([sys.executable, "-m", "onebin", "build", "packages/service", "-o", binary])
    return Command(argv=(str(binary),), version=run([binary, "--version"]).strip(), env=_SETTINGS)


def _cpython() -> Command:
    module = (sys.executable, "-m", "devops_info_service")
    return Command(
        argv=module,
        version=f"{run([*module, '--version']).strip()}, {_python_version(sys.executable)}",
        env=_SETTINGS,
    )


def _go() -> Command:
    binary, compiler = WORKSHOP / "go-service", go()
    with timed_step("go build reference/go"):
        run(
            [compiler, "build", "-ldflags=-w -s", "-o", binary, "."],
            cwd=ROOT / "reference/go",
            env={"CGO_ENABLED": "0", "GOFLAGS": "-mod=mod", "GOTOOLCHAIN": "local"},
        )
    version = run([compiler, "version"], env={"GOTOOLCHAIN": "local"}).split()[2]
    return Command(
        argv=(str(binary),), version=version, env={"HOST": "{address}", "PORT": "{port}"}
    )


def _granian() -> Command:
    return _python_stack(
        ("granian", "uvloop"),
        *("granian", f"{_APPS}.asgi_app:app", "--interface", "asgi", "--loop", "uvloop"),
        *("--host", "{address}", "--port", "{port}", "--workers", "{workers}"),
        *("--http", "1", "--no-ws", "--no-access-log", "--log-level", "warning"),
    )


def _fastapi() -> Command:
    return _python_stack(
        ("fastapi", "uvicorn", "httptools", "uvloop"),
        *("uvicorn", f"{_APPS}.fastapi_app:app", "--http", "httptools", "--loop", "uvloop"),
        *("--host", "{address}", "--port", "{port}", "--workers", "{workers}"),
        *("--ws", "none", "--no-access-log", "--log-level", "warning"),
    )


def _flask() -> Command:
    return _python_stack(
        ("flask", "gunicorn"),
        *("gunicorn", f"{_APPS}.flask_app:app", "--bind", "{address}:{port}"),
        # Its default worker, sync, closes after each response.
        *("--worker-class", "gthread", "--threads", "4", "--keep-alive", "75"),
        *("--workers", "{workers}", "--no-control-socket", "--log-level", "warning"),
    )


CONTENDERS: Final = (
    Contender(name="static", title="the service, static", make=_static),
    Contender(name="cpython", title="the service on CPython", make=_cpython),
    Contender(name="go", title="Go, net/http", make=_go),
    Contender(name="granian", title="ASGI on Granian", make=_granian),
    Contender(name="fastapi", title="FastAPI on uvicorn", make=_fastapi),
    Contender(name="flask", title="Flask on Gunicorn", make=_flask),
)


def pinned_versions(pins: str) -> dict[str, str]:
    """Return the version of each distribution in *pins*, a requirements file."""
    return dict(re.findall(r"^([a-z0-9-]+)==(\S+)", pins, re.MULTILINE))


def _python_stack(uses: tuple[str, ...], *module: str) -> Command:
    python = environment(_PINS, WORKSHOP / "venv")
    versions = pinned_versions(_PINS.read_text())
    messages = [f"{name} {versions[name]}" for name in uses]
    return Command(
        argv=(str(python), "-m", *module), version=", ".join([*messages, _python_version(python)])
    )


def _python_version(python: str | Path) -> str:
    return run([python, "--version"]).strip().replace("Python", "CPython")
