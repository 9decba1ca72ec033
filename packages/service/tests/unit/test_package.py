"""Agreement of files that cannot import each other."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from devops_info_service import __version__
from devops_info_service.app.router import Route
from devops_info_service.app.routes import published
from devops_info_service.config import SETTINGS, Config, Setting

pytestmark = pytest.mark.claim("limits have reasons")

PACKAGE = Path(__file__).parents[2]
REFERENCE = PACKAGE.parents[1] / "docs" / "reference" / "service.md"


def test_version() -> None:
    """The constant is the version of the distribution."""
    project = tomllib.loads((PACKAGE / "pyproject.toml").read_text())["project"]

    assert project["version"] == __version__


@pytest.mark.parametrize("setting", SETTINGS, ids=[setting.field for setting in SETTINGS])
def test_reference_lists_every_setting(setting: Setting) -> None:
    """The reference has a row for each setting, with its default as it is."""
    default = str(setting.default).lower()
    row = f"| `{setting.flag}` | `{setting.variable}` | {default} |"

    assert row in REFERENCE.read_text()


@pytest.mark.parametrize(
    "route",
    published(Config(ready_switch=True, tools=True)),
    ids=lambda route: f"{route.method} {route.path}",
)
def test_reference_lists_every_route(route: Route) -> None:
    """The reference has a row for each endpoint."""
    rows = [line.split(" | ") for line in REFERENCE.read_text().splitlines()]
    found = [
        row[0]
        for row in rows
        if len(row) > 1 and (f"`{route.path}`" in row[1] or f"`{route.path}?" in row[1])
    ]

    assert any(f"`{route.method}`" in methods for methods in found)


@pytest.mark.parametrize(
    ("module", "unwanted"),
    [
        ("devops_info_service.cli", {"asyncio", "argparse", "httptools"}),
        ("devops_info_service.commands.report", {"asyncio", "argparse", "yaml"}),
        ("devops_info_service.commands.report", {"devops_info_service.standards.requested"}),
        ("devops_info_service.commands.audit", {"asyncio", "argparse", "yaml"}),
        ("devops_info_service.app.openapi", {"yaml"}),
        ("devops_info_service.expectations.conformance", {"yaml"}),
        ("devops_info_service.commands.check", {"asyncio", "urllib.request", "ssl", "json"}),
        (
            "devops_info_service.commands.serve",
            {"argparse", "copy", "dataclasses", "urllib", "importlib.metadata", "mmap"},
        ),
        (
            "devops_info_service.commands.serve",
            {
                "devops_info_service.handlers.platform",
                "devops_info_service.facts.linux.mounts",
                "devops_info_service.http.wire.forwarded",
                "devops_info_service.http.shared_memory.shutdown_record",
                "devops_info_service.app.openapi",
                "devops_info_service.termination",
            },
        ),
        (
            # In every idle process: it polls five small files.
            "devops_info_service.facts.linux.limit_watch",
            {
                "devops_info_service.facts.forms",
                "devops_info_service.facts.linux.disks",
                "devops_info_service.facts.linux.pressure",
                "devops_info_service.facts.linux.resources",
            },
        ),
    ],
)
def test_imports_stay_small(module: str, unwanted: set[str]) -> None:
    """Slow imports happen only where they are needed."""
    code = f"import {module}, sys; print(*sys.modules, sep='\\n')"
    process = subprocess.run(
        [sys.executable, "-S", "-c", f"import sys; sys.path[:] = {sys.path!r}; {code}"],
        capture_output=True,
        text=True,
        check=True,
    )

    assert not unwanted & set(process.stdout.split())
