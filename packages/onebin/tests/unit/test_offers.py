"""Offers, at plan time: sources that cannot be built, compiled code that will be missing."""

import io
import os
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from onebin import distributions, render
from onebin.distributions import compile_time
from onebin.distributions.build_tools import SETTING
from onebin.effects.context import Context
from onebin.effects.process import run
from onebin.effects.wheel_tags import is_compiled
from onebin.errors import ProjectError
from onebin.locks import requirements, resolving
from onebin.model import Distribution, Obstacle, Offer, Pin, Plan
from onebin.planning import plan as plan_of

from .conftest import Put
from .fakes import (
    NEEDS_NOTHING,
    PYTHON,
    TOOLCHAIN,
    Programs,
    context,
    no_libraries,
    plain_interpreter,
    project_plan,
)


def built(plan: Plan, offers: Sequence[Offer | Obstacle], ctx: Context) -> Sequence[Distribution]:
    """Return what a build makes of *offers*."""
    make = distributions.maker(plan, PYTHON, TOOLCHAIN, no_libraries, plain_interpreter, ctx)
    return distributions.distributions(plan, offers, make, ctx)


@pytest.mark.parametrize(
    ("tag", "is_one"),
    [
        ("cp313-cp313-manylinux_2_28_x86_64", True),
        ("cp313-cp313-manylinux2014_x86_64.manylinux_2_17_x86_64", True),
        ("cp313-cp313-musllinux_1_2_x86_64", True),
        ("cp313-cp313-linux_x86_64", True),
        ("cp310-abi3-manylinux_2_28_x86_64", True),
        ("cp313-none-any", False),
        ("cp313-cp313t-manylinux_2_28_x86_64", False),
        ("cp312-cp312-manylinux_2_28_x86_64", False),
        ("cp314-abi3-manylinux_2_28_x86_64", False),
        ("cp313-cp313-manylinux_2_28_aarch64", False),
        ("cp313-cp313-macosx_11_0_x86_64", False),
        ("cp313-cp313-win_amd64", False),
        ("py3-none-any", False),
        ("cp313", False),
    ],
)
def test_wheel_with_compiled_code_for_this_platform(tag: str, *, is_one: bool) -> None:
    """The tags decide: interpreter, ABI, system and processor."""
    assert is_one is is_compiled(f"thing-1-{tag}.whl", "3.13", "x86_64")


PROGRAM = "py3-none-manylinux_2_28_x86_64"
COMPILED = "cp313-cp313-manylinux_2_28_x86_64"
RUST = {"pyproject.toml": '[build-system]\nrequires = ["maturin>=1"]\n'}
HUGE = {f"third_party/src/{n}.cc": "" for n in range(300)}
FLIT = {"pyproject.toml": '[build-system]\nrequires = []\nbuild-backend = "flit_core.buildapi"\n'}

UNBUILT = {
    "setup.py": "Extension('a', ['a.c'], libraries=['crc32c'])",
    "a.c": "#include <crc32c.h>",
}


@pytest.mark.sample(every=3)
@pytest.mark.parametrize(
    ("files", "settings", "outcome"),
    [
        ("pure", "", "pure"),
        ("source", "", "captured"),
        ("compiled", "", "expected a pure-Python wheel or a source distribution"),
        ("pure source", "", "pure"),
        ("pure source", 'from-source = ["Thing"]', "captured"),
        ("pure", 'from-source = ["thing"]', "expected a pure-Python wheel or a source"),
        ("compiled source", "", "captured"),
        ("compiled source", 'pure = ["thing"]', "captured"),
        ("compiled pure source", "", "captured"),
        ("compiled pure source", 'pure = ["Thing"]', "pure"),
        ("compiled pure", "", "pure: the index has no source distribution"),
        ("compiled pure unlocked", "", "pure: the index's file is not one the lock knows"),
        ("compiled pure rust", "", "pure: its build needs a Rust compiler (maturin)"),
        ("compiled pure rust", 'pure = ["thing"]', "pure"),
        ("compiled pure rust", 'from-source = ["thing"]', "needs a Rust compiler (maturin)"),
        ("compiled rust", "", "needs a Rust compiler (maturin)"),
        ("compiled pure flit", "", "pure: its source distribution is built without the compiled"),
        ("compiled pure flit", 'pure = ["thing"]', "pure"),
        ("compiled flit", "", "its source distribution is built without the compiled code"),
        ("compiled flit", 'pure = ["thing"]', "captured"),
        ("compiled unbuilt", "", "its C code needs crc32c (crc32c.h), which onebin does not build"),
        ("compiled unbuilt", 'pure = ["thing"]', "captured"),
        ("compiled pure unbuilt", "", "pure: its C code needs crc32c (crc32c.h), which"),
        ("unbuilt", "", "captured"),
        ("pure flit", 'from-source = ["thing"]', "captured"),
        ("program source", "", "its wheels bring programs, or shared libraries"),
        ("program source", 'from-source = ["thing"]', "captured"),
        ("program pure", "", "pure: its wheels bring programs, or shared libraries"),
        ("program pure", 'pure = ["thing"]', "pure"),
        ("program compiled source", "", "captured"),
        ("plain source", "", "captured"),
        ("plain pure", "", "pure"),
        ("plain", "", "expected a pure-Python wheel or a source distribution"),
        ("compiled huge", "", "its C and C++ code would be compiled for about 15 minutes"),
        ("compiled huge", 'from-source = ["thing"]', "captured"),
        ("compiled pure huge", "", "pure: its C and C++ code would be compiled for about 15"),
    ],
)
def test_form_of_a_distribution(
    put_wheel: Put, put_source: Put, tmp_path: Path, files: str, settings: str, outcome: str
) -> None:
    """As pip would install it, compiled from source, unless that cannot be or is not wanted."""
    makers = {
        "pure": lambda: put_wheel("thing"),
        "compiled": lambda: put_wheel("thing", tag=COMPILED),
        "program": lambda: put_wheel("thing", tag=PROGRAM, more={"bin/thing": "\x7fELF"}),
        "plain": lambda: put_wheel("thing", tag=PROGRAM),
        "source": lambda: put_source("thing", **NEEDS_NOTHING),
        "unlocked": lambda: put_source("thing", **NEEDS_NOTHING),
        "rust": lambda: put_source("thing", **RUST),
        "flit": lambda: put_source("thing", **FLIT),
        "unbuilt": lambda: put_source("thing", **NEEDS_NOTHING | UNBUILT),
        "huge": lambda: put_source("thing", **NEEDS_NOTHING | HUGE),
    }
    pins = {name: makers[name]() for name in files.split()}
    hashes = [item for name, pin in pins.items() if name != "unlocked" for item in pin.hashes]
    pin = Pin("thing", "1", tuple(hashes))
    plan = project_plan(tmp_path / "project", [pin], settings)

    (found,) = distributions.offers(plan, "3.13", context(tmp_path / "cache", run))

    if isinstance(found, Obstacle):
        assert outcome in found.reason
        assert found.hint
        return
    provider, _, lacks = outcome.partition(": ")
    assert provider == found.provider
    has_more = "compiled" in files or bool(lacks)
    assert has_more is found.has_compiled
    assert lacks in found.lacks if lacks else not found.lacks
    lines = render.plan(msgspec.structs.replace(plan, offers=(found,))).splitlines()
    (line,) = (line for line in lines if line.startswith("thing "))
    assert (provider == "pure" and found.has_compiled) is ("without the compiled code" in line)


def test_build_warns_of_missing_compiled_code(put_wheel: Put, tmp_path: Path) -> None:
    """A line with reason and remedy, each time."""
    put_wheel("thing", tag=COMPILED)
    plan = project_plan(tmp_path / "project", [put_wheel("thing")])
    log = io.StringIO()
    ctx = context(tmp_path / "cache", run, log)
    offers = distributions.offers(plan, "3.13", ctx)

    for _ in range(2):
        built(plan, offers, ctx)

    assert 2 == log.getvalue().count("thing 1: without the compiled code")
    assert 2 == log.getvalue().count('tool.onebin.pure = ["thing"]')
    assert 2 == log.getvalue().count("the index has no source distribution")


@pytest.mark.parametrize("settings", ["", 'pure = ["thing"]'])
def test_build_that_leaves_compiled_code_out(
    put_wheel: Put, put_source: Put, tmp_path: Path, settings: str
) -> None:
    """An error with the setting that accepts it, and none with that setting."""
    put_wheel("thing", tag=COMPILED)
    pin = put_source("thing", **NEEDS_NOTHING)
    plan = project_plan(tmp_path / "project", [pin], settings)

    def act(words: list[str], options: dict[str, Any]) -> bytes:
        if words[0] != str(PYTHON.interpreter.python):
            return run(words, **options)
        what, _, out = words[4:7]
        Path(out, "result").write_text("" if what == "requires" else "thing-1-py3-none-any.whl\n")
        with zipfile.ZipFile(Path(out, "thing-1-py3-none-any.whl"), "w") as archive:
            archive.writestr("thing.py", "")
        return b""

    ctx = context(tmp_path / "cache", Programs(act))
    offers = distributions.offers(plan, "3.13", ctx)

    if settings:
        (made,) = built(plan, offers, ctx)
        assert () == made.extensions
        return
    with pytest.raises(ProjectError, match="thing 1: its build leaves out compiled code") as caught:
        built(plan, offers, ctx)
    assert 'tool.onebin.pure = ["thing"]' in caught.value.hint


@pytest.mark.sample(every=3)
@pytest.mark.parametrize(
    ("system", "settings", "reason", "hint"),
    [
        ('requires = ["tool"]', "", "its build needs tool, which no build lock pins", SETTING),
        ('requires = ["tool"]', f"{SETTING} = true", "", ""),
        ('requires = ["absent"]', f"{SETTING} = true", "its build needs absent", "another version"),
        ('requires = ["shared"]', f"{SETTING} = true", "its build needs shared", "another version"),
        ('requires = ["own"]', f"{SETTING} = true", "", ""),
        (
            'requires = ["rusty"]',
            f"{SETTING} = true",
            "its build needs rusty 1: its build needs a Rust compiler",
            "Rust",
        ),
        (
            'requires = ["thing"]',
            f"{SETTING} = true",
            "needs itself (thing -> thing)",
            "pure-Python",
        ),
        ('requires = ["program"]', f"{SETTING} = true", "", ""),
        ('requires = ["setuptools_rust>=1"]', "", "a Rust compiler (setuptools-rust)", "Rust"),
        ('requires = []\nbuild-backend = "maturin"', "", "a Rust compiler (maturin)", "Rust"),
        ('requires = ["tool @ file:///a"]', f"{SETTING} = true", "its build requirements", ""),
        ('requires = "tool"', "", "its pyproject.toml cannot be read", ""),
        ('requires = []\nbuild-backend = "a b"', "", "is not an object's name", ""),
    ],
)
def test_source_that_cannot_be_built_is_an_obstacle(
    system: str, settings: str, reason: str, hint: str,
    put_wheel: Put, put_source: Put, tmp_path: Path,
) -> None:  # fmt: skip
    """The plan knows by the source's own file, before anything is compiled."""
    put_wheel("tool")
    put_wheel("shared", tag="cp313-cp313-manylinux_2_28_x86_64")
    put_wheel("program", tag=f"py3-none-manylinux_2_17_{os.uname().machine}")
    for name, files in (("own", NEEDS_NOTHING), ("rusty", RUST)):
        put_wheel(name, tag=COMPILED)
        put_source(name, **files)
    put_wheel("thing", tag=COMPILED)
    pin = put_source("thing", **{"pyproject.toml": f"[build-system]\n{system}\n"})
    plan = project_plan(tmp_path / "project", [pin], settings.replace("tool.onebin.", ""))

    (found,) = distributions.offers(plan, "3.13", context(tmp_path / "cache", run))

    if not reason:
        assert isinstance(found, Offer)
        from_source = ["own"] if "own" in system else []
        assert from_source == [item.pin.name for item in found.build_sources]
        return
    assert isinstance(found, Obstacle)
    assert found.reason.startswith("thing 1: ")
    assert reason in found.reason
    assert hint in found.hint


@pytest.mark.parametrize(
    ("own", "reasons"),
    [
        (150, ["its C and C++ code", "its build needs large 1: with that, C and C++ code would"]),
        (450_000, ["its C and C++ code would be", "its C and C++ code would be"]),
    ],
)
def test_source_that_takes_too_long_is_named_and_read_once(
    own: int, reasons: list[str],
    put_wheel: Put, put_source: Put, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """The large one is known by name, in each plan, and unpacked once for all of them."""
    monkeypatch.setattr(compile_time, "MAX_SECONDS", 2)
    for tag in (COMPILED, COMPILED.replace("cp313", "cp314")):
        put_wheel("large", tag=tag)
    large = put_source("large", **NEEDS_NOTHING, **{"large.c": "x" * 450_000})
    system = {"pyproject.toml": '[build-system]\nrequires = ["large"]\n', "a.c": "x" * own}
    pins = [put_source("user", **system), large]
    settings = "allow-unpinned-build-requirements = true"
    plan, ctx = project_plan(tmp_path / "project", pins, settings), context(tmp_path, run)

    found = [*distributions.offers(plan, "3.13", ctx), *distributions.offers(plan, "3.14", ctx)]

    expected = zip([*reasons, *reasons], found, strict=True)
    for reason, item in expected:
        assert isinstance(item, Obstacle)
        assert reason in item.reason
    assert 2 == len([*(tmp_path / "source").iterdir()])


def test_build_requirements_are_pinned_by_the_first_build(
    put_wheel: Put, put_source: Put, tmp_path: Path
) -> None:
    """The index chooses what no lock pins; the lock then keeps it, each build by its own need."""
    ctx = context(tmp_path / "cache", run)
    for version in ("1", "2"):
        put_wheel("tool", version=version)
    old = put_source("old", **{"pyproject.toml": '[build-system]\nrequires = ["tool<2"]\n'})
    new = put_source("new", **{"pyproject.toml": '[build-system]\nrequires = ["tool"]\n'})
    root = tmp_path / "project"
    planned = written_plan(root, [old, new], "")

    offered = msgspec.structs.replace(planned, offers=distributions.offers(planned, "3.13", ctx))
    pinned = resolving.pin_build_requirements(offered, offered.new_build_pins, ctx)

    assert ["tool 1", "tool 2"] == [str(pin) for pin in pinned.build_pins]
    text = (root / "onebin-build.lock").read_text("utf-8")
    again = written_plan(root, [old, new], text)
    assert pinned.build_pins == again.build_pins
    put_wheel("tool", version="3")
    offers = distributions.offers(again, "3.13", ctx)
    used = [str(pin) for item in offers if isinstance(item, Offer) for pin in item.build_requires]
    assert ["tool 2", "tool 1"] == used
    assert () == msgspec.structs.replace(again, offers=offers).new_build_pins
    assert pinned is resolving.pin_build_requirements(pinned, pinned.build_pins, ctx)


def written_plan(root: Path, pins: Sequence[Pin], text: str) -> Plan:
    """Return the plan of a project whose build lock onebin writes; it has *text*."""
    planned = project_plan(root, pins)
    lock = "".join(f"{requirements.line(pin)}\n" for pin in pins)
    return plan_of(
        planned.project, machine="x86_64", lock=lock, build_lock=text,
        written_build_lock="onebin-build.lock",
    )  # fmt: skip
