"""Distributions whose files are read together: the same as one by one, in fewer runs of pip."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from onebin import distributions
from onebin.effects.process import run
from onebin.errors import ProjectError, ToolError
from onebin.model import Obstacle, Offer, Pin, Plan

from .conftest import Put
from .fakes import NEEDS_NOTHING, Programs, context, project_plan

COMPILED = "cp313-cp313-manylinux_2_28_x86_64"


def answer(ask: Callable[[], tuple[Offer | Obstacle, ...]]) -> list[Offer | Obstacle | str]:
    try:
        return [*ask()]
    except (ProjectError, ToolError) as error:
        return [str(error)]


def one_by_one(plan: Plan, cache: Path) -> list[Offer | Obstacle | str]:
    found = []
    for pin in plan.distributions:
        ctx = context(cache / pin.name, run)
        found += answer(lambda: distributions.offers_of([pin], plan, "3.13", ctx))  # noqa: B023
        if isinstance(found[-1], str):
            break
    return found[-1:] if isinstance(found[-1], str) else found


@pytest.mark.parametrize(
    "kinds",
    [
        ("pure", "pure", "pure"),
        ("pure", "both", "pure", "source"),
        ("compiled", "pure", "pure"),
        ("pure", "missing", "pure"),
        ("pure", "other", "pure"),
        ("pure", "shared", "pure"),
    ],
)
def test_offers_are_those_of_each_alone(
    put_wheel: Put, put_source: Put, tmp_path: Path, kinds: tuple[str, ...]
) -> None:
    """Whatever is wrong with one of them, the reason and the others are the same."""

    def put(kind: str, name: str) -> Pin:
        makers: Mapping[str, Callable[[], Pin]] = {
            "pure": lambda: put_wheel(name),
            "compiled": lambda: put_wheel(name, tag=COMPILED),
            "source": lambda: put_source(name, **NEEDS_NOTHING),
            "missing": lambda: Pin(name, "1", (f"sha256:{'0' * 64}",)),
            # A wheel whose tags are those of pure Python, and that has a shared object.
            "shared": lambda: put_wheel(name, more={"a.so": "\x7fELF"}),
        }
        if kind == "both":
            pins = put_wheel(name, tag=COMPILED), put_source(name, **NEEDS_NOTHING)
            return Pin(name, "1", tuple(item for pin in pins for item in pin.hashes))
        if kind == "other":
            pin = put_wheel(name)
            put_wheel(name, code="changed = 1")
            return pin
        return makers[kind]()

    pins = [put(kind, f"thing{n}") for n, kind in enumerate(kinds)]
    plan = project_plan(tmp_path / "project", pins)

    joint = answer(lambda: distributions.offers(plan, "3.13", context(tmp_path / "cache", run)))

    assert one_by_one(plan, tmp_path / "alone") == joint


def test_pip_runs_twice(put_wheel: Put, tmp_path: Path) -> None:
    """Once for all lists of files, once for all wheels; of those in the cache not at all."""
    calls: list[list[str]] = []

    def noted(words: list[str], options: dict[str, Any]) -> bytes:
        calls.append(words)
        return run(words, **options)

    pins = [put_wheel(f"thing{n}") for n in range(5)]
    ctx = context(tmp_path / "cache", Programs(noted))

    distributions.offers(project_plan(tmp_path / "first", pins[:4]), "3.13", ctx)
    first = len(calls)
    distributions.offers(project_plan(tmp_path / "same", pins[:4]), "3.13", ctx)
    same = len(calls)
    distributions.offers(project_plan(tmp_path / "more", pins), "3.13", ctx)

    assert (2, 2) == (first, same)
    assert not any("thing0" in word for call in calls[same:] for word in call)
