"""A back end's requirements come as the build lock has them: a real pip against a local index."""

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from onebin.effects.context import Context
from onebin.effects.process import run
from onebin.errors import ProjectError
from onebin.inputs.build_site import PYTHON, BuildRequirements, Site
from onebin.model import Pin

from .fakes import context

pytestmark = pytest.mark.claim("pinned downloads")

Put = Callable[..., Pin]

BINARY = f"cp{PYTHON.replace('.', '')}-none-any"
"""Of one Python alone, as a wheel with C extensions."""


@pytest.fixture
def ctx(tmp_path: Path) -> Context:
    return context(tmp_path / "cache", run)


def site(ctx: Context, *requires: str, pins: tuple[Pin, ...] = ()) -> Site:
    return ctx.build(BuildRequirements(requires=requires, name="app", build_pins=pins))


def names(found: Site) -> set[str]:
    return {file.name for file in found.folder.glob("*.py")}


def test_what_no_lock_has_is_known_by_its_hash(put_wheel: Put, ctx: Context) -> None:
    """All that it needs is there, so that a lock can have all of it."""
    helper, tool = put_wheel("helper"), put_wheel("tool", "helper")

    found = site(ctx, "tool", 'other; python_version < "3"')

    assert (helper, tool) == found.requires
    assert () == found.unpinned
    assert {"helper.py", "tool.py"} == names(found)


@pytest.mark.parametrize(
    ("wanted", "locked", "version"),
    [
        ("tool", ("1",), "1"),
        ("tool", (), "3"),
        ("tool", ("1", "2"), "2"),
        ("tool<2", ("1", "2"), "1"),
        ("tool>2", ("1", "2"), "3"),
        ("tool", ("4",), "3"),  # which the index has no longer
    ],
)
def test_versions_are_those_of_the_lock(
    wanted: str, locked: tuple[str, ...], version: str, put_wheel: Put, ctx: Context
) -> None:
    put_wheel("idle")
    known = {n: put_wheel("tool", version=n, code=f"V = {n}") for n in "123"}
    gone = Pin("tool", "4", ("sha256:" + "0" * 64,))

    found = site(ctx, wanted, pins=tuple(known.get(n, gone) for n in locked))

    assert (known[version],) == found.requires


def test_file_that_the_lock_does_not_know(put_wheel: Put, ctx: Context) -> None:
    """It was changed by a mirror, or on the index."""
    tool = msgspec.structs.replace(put_wheel("tool"), hashes=("sha256:" + "0" * 64,))

    with pytest.raises(ProjectError, match="not one the lock knows"):
        site(ctx, "tool", pins=(tool,))


def test_wheel_for_one_python_stays_out_of_the_lock(put_wheel: Put, ctx: Context) -> None:
    """The executable's builds compile its source: the same version has another file there."""
    put_wheel("fast", tag=BINARY)
    tool = put_wheel("tool", "fast")

    found = site(ctx, "tool", pins=(Pin("fast", "1", ("sha256:" + "0" * 64,)),))

    assert ((tool,), ("fast==1",)) == (found.requires, found.unpinned)
    assert {"fast.py", "tool.py"} == names(found)


def test_requirement_without_a_wheel(put_source: Put, ctx: Context) -> None:
    put_source("tool")

    with pytest.raises(ProjectError, match="app: its build requirements: tool has no wheel"):
        site(ctx, "tool")
