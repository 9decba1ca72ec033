"""Warnings of a build, each a line that names the place and the setting."""

import io
from pathlib import Path

import msgspec
import pytest

from onebin import notices
from onebin.effects.progress import Progress
from onebin.model import (
    ComputedImport,
    EntryPoint,
    FrozenModule,
    ModuleImports,
    ModuleOrigin,
    OmittedModule,
    Options,
    Project,
)
from onebin.selection.selector import Selection

PROJECT = Project(
    root=Path("/p"), name="app", version="1", entry=EntryPoint("app", "main"), code=Path("/p"),
    dependencies=(), options=Options(prune="reachable"),
)  # fmt: skip


COMPUTED = (ComputedImport(3, "import_module(x)"), ComputedImport(9, "__import__(y)"))


def progress_to(stream: io.StringIO) -> Progress:
    return Progress(stream, terminal=False, color=False)


def module(name: str, *computed: ComputedImport) -> FrozenModule:
    return FrozenModule(name, False, Path("/c"), 1, "k", ModuleImports(computed=computed))  # noqa: FBT003


@pytest.mark.parametrize(
    ("origin", "include", "expected"),
    [
        ("project", (), "app/a.py:3 import_module(x); app/a.py:9 __import__(y)"),
        ("project", ("plugins.*",), ""),
        ("dependency", (), ""),
        ("stdlib", (), ""),
    ],
)
def test_computed_imports(origin: str, include: tuple[str, ...], expected: str) -> None:
    """Those of the project, unless it names modules itself."""
    stream = io.StringIO()
    options = msgspec.structs.replace(PROJECT.options, include=include)
    project = msgspec.structs.replace(PROJECT, options=options)
    origins = {"app.a": ModuleOrigin("source", label="app/a.py", origin=origin)}  # type: ignore[arg-type]
    found = module(
        "app.a", ComputedImport(3, "import_module(x)"), ComputedImport(9, "__import__(y)")
    )

    notices.computed(
        project,
        Selection(origins, (), (), ()),
        [found],
        progress_to(stream),
    )

    assert expected in stream.getvalue()
    assert bool(expected) is ("tool.onebin.include" in stream.getvalue())


def test_modules_of_the_project_that_are_left_out() -> None:
    """Others are listed on request only."""
    stream = io.StringIO()
    own = OmittedModule("app.x", "app", "app.x needs gone", ("app.x", "gone"), is_project=True)

    notices.omitted(
        [own, OmittedModule("ssl", "app", "no such module")],
        progress_to(stream),
    )

    assert "app.x, imported by app, is left out: app.x needs gone (app.x -> gone)" in (
        stream.getvalue()
    )
    assert "ssl" not in stream.getvalue()
