"""A build from source is made again only if its own build requirements change."""

from pathlib import Path

import msgspec
import pytest

from onebin.distributions import install, reuse
from onebin.distributions.captured import CapturedBuild
from onebin.effects.context import Context
from onebin.effects.process import run
from onebin.model import Pin

from .fakes import PYTHON, TOOLCHAIN, context

OLD, NEW = Pin("tool", "1", ("sha256:1",)), Pin("tool", "2", ("sha256:2",))
OTHER_FILE = Pin("tool", "1", ("sha256:3",))
OTHER = Pin("other", "1", ("sha256:4",))


class Quick(CapturedBuild, frozen=True, kw_only=True):
    """A build that uses what its lock has of the tool, else the old one, and notes that it ran."""

    def make(self, folder: Path, ctx: Context) -> None:
        """Leave what a build leaves, without modules."""
        with (ctx.store.root / "ran").open("a") as file:
            file.write("x")
        for name in ("code", "objects"):
            (folder / name).mkdir()
        pinned = tuple(pin for pin in self.build_pins if pin.name == "tool")[:1]
        unpinned = () if pinned else (OLD,)
        native = install.Native(unpinned=unpinned, requires=pinned or unpinned)
        (folder / "native.json").write_bytes(msgspec.json.encode(native))


def step(*build_pins: Pin, level: str = "-Os") -> Quick:
    return Quick(
        pin=Pin("thing", "1", ("sha256:0",)), build_pins=build_pins, may_be_unpinned=True,
        level=level, interpreter=PYTHON.interpreter, runtime=PYTHON.runtime, toolchain=TOOLCHAIN,
        machine="x86_64",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("first", "second", "times"),
    [
        (step(OLD), step(OLD), 1),
        (step(OLD), step(OLD, OTHER), 1),
        (step(OLD, OTHER), step(OLD), 1),
        (step(), step(OLD), 1),
        (step(), step(OTHER, OLD), 1),
        (step(), step(), 1),
        (step(OLD), step(), 2),
        (step(), step(NEW), 2),
        (step(OLD), step(NEW), 2),
        (step(OLD), step(OTHER_FILE), 2),
        (step(OLD), step(NEW, OLD), 2),
        (step(OLD), step(OLD, level="-O2"), 2),
    ],
)
def test_times_it_is_built(first: Quick, second: Quick, times: int, tmp_path: Path) -> None:
    ctx = context(tmp_path / "cache", run)

    made = reuse.build(first, ctx)
    again = reuse.build(second, ctx)

    assert times == len((tmp_path / "cache/ran").read_text())
    assert (times == 1) == (made.key == again.key)
    assert not set(again.unpinned) & set(second.build_pins)
    assert again == reuse.build(second, ctx)
    assert times == len((tmp_path / "cache/ran").read_text())


def test_result_that_was_removed_is_made_again(tmp_path: Path) -> None:
    ctx = context(tmp_path / "cache", run)
    made = reuse.build(step(OLD), ctx)
    made.code.parent.rename(tmp_path / "elsewhere")

    assert made == msgspec.structs.replace(
        reuse.build(step(OLD, OTHER), ctx), key=made.key, code=made.code, data=made.data
    )
    assert "xx" == (tmp_path / "cache/ran").read_text()
