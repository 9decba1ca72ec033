"""Results at hand are kept all at once: whole or not at all, if another puts the same there too."""

import errno
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from onebin.effects.cached import NotCachedError, ReadStore
from onebin.effects.context import Context
from onebin.effects.store import Store
from onebin.errors import ToolError

from .fakes import context


class Text(msgspec.Struct, frozen=True):
    """A step whose result is its name."""

    name: str
    fill: Callable[[Path], object] = lambda _: None
    """Called before it is written."""
    kind = "text"

    def key(self) -> tuple[object, ...]:
        return (self.name,)

    def make(self, folder: Path, _: Context) -> None:
        self.fill(folder)
        (folder / "text").write_text(self.name)

    def load(self, folder: Path) -> str:
        return (folder / "text").read_text()


@given(st.lists(st.lists(st.sampled_from("abcdef"), max_size=5), min_size=1, max_size=4))
def test_builders_put_the_same_at_once(lists: list[list[str]]) -> None:
    """Each gets its own results, of which the cache has one of each."""
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(len(lists)) as pool:
        root = Path(folder)
        contexts = [context(root) for _ in lists]
        calls = zip(contexts, lists, strict=True)
        found = pool.map(lambda call: call[0].put(map(Text, call[1])), [*calls])

        assert lists == [*found]
        kept = [path.read_text() for path in root.glob("text/*/text")]
        assert sorted(set().union(*lists)) == sorted(kept)
        assert [] == [*root.glob("tmp/*"), *root.glob("locks/*")]


def test_a_result_that_appears_meanwhile_stays(tmp_path: Path) -> None:
    other = context(tmp_path)

    def overtaken(_: Path) -> None:
        other.build(Text("a"))
        entry = next(tmp_path.glob("text/*/text"))
        entry.write_text("the other's")

    assert ["the other's"] == context(tmp_path).put([Text("a", overtaken)])


@pytest.mark.parametrize(
    ("failure", "expected"),
    [
        (ToolError("no"), "^no$"),
        (OSError(errno.ENOSPC, "No space left on device"), "cannot write the cache"),
    ],
)
def test_failure_leaves_those_before(tmp_path: Path, failure: Exception, expected: str) -> None:
    def fail(folder: Path) -> None:
        (folder / "half").write_text("x")
        raise failure

    with pytest.raises(ToolError, match=expected):
        context(tmp_path).put([Text("a"), Text("b", fail), Text("c")])

    assert ["a"] == [path.read_text() for path in tmp_path.glob("text/*/text")]
    assert [] == [*tmp_path.glob("tmp/*")]


@pytest.mark.parametrize("is_made", [True, False])
def test_cache_that_is_read_alone(tmp_path: Path, *, is_made: bool) -> None:
    """It has those that are there, and makes those that it may."""
    context(tmp_path).put([Text("a")])
    base = context(tmp_path)
    reading = Context(base.run, ReadStore(tmp_path, lambda _: is_made), base.progress)

    assert ["a"] == reading.put([Text("a")])
    if is_made:
        assert ["a", "b"] == reading.put([Text("a"), Text("b")])
    else:
        with pytest.raises(NotCachedError, match="text"):
            reading.put([Text("a"), Text("b")])


def test_result_at_hand_is_not_read_again(tmp_path: Path) -> None:
    """``make`` may return it; the next build reads the file."""
    read = []

    class Kept(Text, frozen=True):
        def load(self, folder: Path) -> str:
            read.append(folder)
            return super().load(folder)

    def write(folder: Path) -> str:
        (folder / "text").write_text("a")
        return "a"

    assert "a" == Store(tmp_path).build(Kept("a"), write)
    assert [] == read
    assert "a" == Store(tmp_path).build(Kept("a"), write)
    assert 1 == len(read)
