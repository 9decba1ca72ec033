"""Offers, at plan time: sources that cannot be built, compiled code that will be missing."""

import io
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest

from onebin import distributions, render
from onebin.distributions.build_tools import SETTING
from onebin.distributions.pure import is_compiled
from onebin.effects.process import run
from onebin.locks import requirements, resolving
from onebin.model import Obstacle, Offer, Pin, Plan
from onebin.planning import plan as plan_of

from .conftest import Put
from .fakes import context
from .test_distributions import NEEDS_NOTHING, PYTHON, TOOLCHAIN, project_plan


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


def test_missing_compiled_code_is_reported(put_wheel: Put, put_source: Put, tmp_path: Path) -> None:
    """A real pip lists a wheel for this platform beside the file that the lock allows."""
    put_wheel("thing", tag="cp313-cp313-manylinux_2_28_x86_64")
    put_wheel("other", tag="cp310-abi3-manylinux_2_28_x86_64")
    pins = [put_wheel("thing"), put_source("other", **NEEDS_NOTHING), put_wheel("third")]
    plan = project_plan(tmp_path / "project", pins)

    found = distributions.offers(plan, "3.13", context(tmp_path / "cache", run))

    offers = [(item.provider, item.has_compiled) for item in found if isinstance(item, Offer)]
    assert [("captured", True), ("pure", True), ("pure", False)] == sorted(
        offers, key=lambda item: (item[0], not item[1])
    )
    lines = render.plan(msgspec.structs.replace(plan, offers=found)).splitlines()
    (line,) = (line for line in lines if "without the compiled code" in line)
    assert line.startswith("thing ")


def test_build_warns_of_missing_compiled_code(put_wheel: Put, tmp_path: Path) -> None:
    """A line with the remedy, each time."""
    plan = project_plan(tmp_path / "project", [put_wheel("thing")])
    log = io.StringIO()
    ctx = context(tmp_path / "cache", run, log)
    (offer,) = distributions.offers(plan, "3.13", ctx)
    offers = [offer, msgspec.structs.replace(offer, has_compiled=True)]

    distributions.distributions(plan, offers, PYTHON, TOOLCHAIN, ctx)

    assert 1 == log.getvalue().count("thing 1: without the compiled code")
    assert "tool.onebin.from-source" in log.getvalue()


@pytest.mark.parametrize(
    ("system", "settings", "reason", "hint"),
    [
        ('requires = ["tool"]', "", "its build needs tool, which no build lock pins", SETTING),
        ('requires = ["tool"]', f"{SETTING} = true", "", ""),
        ('requires = ["absent"]', f"{SETTING} = true", "its build needs absent", "another version"),
        ('requires = ["shared"]', f"{SETTING} = true", "its build needs shared", "another version"),
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
    pin = put_source("thing", **{"pyproject.toml": f"[build-system]\n{system}\n"})
    plan = project_plan(tmp_path / "project", [pin], settings.replace("tool.onebin.", ""))

    (found,) = distributions.offers(plan, "3.13", context(tmp_path / "cache", run))

    if not reason:
        assert isinstance(found, Offer)
        return
    assert isinstance(found, Obstacle)
    assert found.reason.startswith("thing 1: ")
    assert reason in found.reason
    assert hint in found.hint


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
