"""The cache keeps the results that were used last, of kinds that each change of a program makes."""

import os
import tempfile
import time
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from onebin.effects import eviction
from onebin.effects.context import Context
from onebin.effects.eviction import REST_NS, surplus

from .fakes import context

HOUR_NS = 3600 * 10**9


class Numbered(msgspec.Struct, frozen=True):
    """A step whose result is its number."""

    number: int
    kind: str = "binary"

    def key(self) -> tuple[object, ...]:
        return (self.number,)

    def make(self, folder: Path, _: Context) -> None:
        (folder / "number").write_text(str(self.number))

    def load(self, folder: Path) -> int:
        return int((folder / "number").read_text())


def age(root: Path, by_ns: int = HOUR_NS) -> None:
    """Let that much time pass for all results."""
    for entry in root.glob("*/*"):
        then = entry.stat().st_mtime_ns - by_ns
        os.utime(entry, ns=(then, then))


@given(st.lists(st.integers(0, 3 * REST_NS), unique=True, max_size=30), st.integers(1, 10))
def test_those_used_last_stay(ages: list[int], limit: int) -> None:
    """No more than the limit once there are a quarter more; none that may still be read."""
    now = time.time_ns()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for number, since in enumerate(ages):
            (folder / str(number)).mkdir()
            os.utime(folder / str(number), ns=(now - since, now - since))

        found = [int(path.name) for path in surplus(folder, limit, now)]

    oldest = sorted(range(len(ages)), key=lambda number: -ages[number])
    too_many = oldest[: len(ages) - limit] if len(ages) > limit + limit // 4 else []
    assert [number for number in too_many if ages[number] > REST_NS] == found


@pytest.mark.parametrize(("kind", "kept"), [("binary", eviction.LIMITS["binary"]), ("runtime", 61)])
def test_oldest_leave_as_new_ones_come(tmp_path: Path, kind: str, kept: int) -> None:
    ctx = context(tmp_path)
    for number in range(50):
        assert number == ctx.build(Numbered(number, kind))
        age(tmp_path)
    ctx.build(Numbered(0, kind))  # used again
    age(tmp_path, HOUR_NS // 2)

    ctx.build(Numbered(50, kind))
    for number in range(51, 61):
        ctx.build(Numbered(number, kind))

    there = {int(path.read_text()) for path in tmp_path.glob(f"{kind}/*/number")}
    assert kept <= len(there) <= kept + kept // 4
    assert {0, *range(50, 61)} <= there
    assert (1 in there) == (kind == "runtime")
    assert [] == [*tmp_path.glob("tmp/*")]
    assert 1 == ctx.build(Numbered(1, kind)), "made again"


def test_cache_that_cannot_be_written_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context(tmp_path).build(Numbered(1))

    def refused(*_: object, **__: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(os, "utime", refused)

    assert 1 == context(tmp_path).build(Numbered(1))
