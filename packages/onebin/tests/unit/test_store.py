"""Results are kept by content, appear whole or not at all, and are made once."""

import errno
import threading
from pathlib import Path

import pytest

from onebin.effects.store import Store, default_root, key_of
from onebin.errors import ToolError


def test_made_once(tmp_path: Path) -> None:
    """The second asker gets what the first one made."""
    calls = []

    def make(folder: Path) -> None:
        calls.append(folder)
        (folder / "result").write_text("x")

    store = Store(tmp_path)
    first, was_there = store.get("kind", "key", make)
    second, is_there = store.get("kind", "key", make)

    assert (False, True) == (was_there, is_there)
    assert first == second
    assert 1 == len(calls)


def test_failure_leaves_nothing(tmp_path: Path) -> None:
    """A build that fails half-way leaves no result and no scratch behind."""

    def make(folder: Path) -> None:
        (folder / "half").write_text("x")
        raise ToolError("no")

    with pytest.raises(ToolError):
        Store(tmp_path).get("kind", "key", make)

    assert not (tmp_path / "kind").exists()
    assert [] == list((tmp_path / "tmp").iterdir())


def test_two_builders_of_one_key_build_once(tmp_path: Path) -> None:
    """The second waits for the first and takes its result."""
    entered, go_on = threading.Event(), threading.Event()
    calls = []

    def make(folder: Path) -> None:
        calls.append(folder)
        entered.set()
        go_on.wait(10)

    def work() -> None:
        Store(tmp_path).get("kind", "key", make)

    threads = [threading.Thread(target=work) for _ in range(2)]
    threads[0].start()
    entered.wait(10)
    threads[1].start()
    go_on.set()
    for thread in threads:
        thread.join()

    assert 1 == len(calls)


def test_cache_that_cannot_be_written_is_said_with_the_way_out(tmp_path: Path) -> None:
    """A file where the cache should be is an error that names the variable to set."""
    (tmp_path / "file").write_text("")

    with pytest.raises(ToolError, match="cannot write the cache") as caught:
        Store(tmp_path / "file").get("kind", "key", lambda _: None)

    assert "ONEBIN_CACHE" in caught.value.hint


@pytest.mark.parametrize(
    "failure",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        ToolError("cc ended with status 1", detail="a.c\nfatal error: No space left on device"),
        ToolError("zig ended with status 1", detail="error: NoSpaceLeft"),
    ],
    ids=["here", "a program", "zig"],
)
def test_full_disk_is_said_in_one_line(tmp_path: Path, failure: Exception) -> None:
    """Whoever met it first, the message names the cache, and nothing half-made is left."""

    def make(_: Path) -> None:
        raise failure

    with pytest.raises(ToolError, match=r"cannot write the cache .*: No space left") as caught:
        Store(tmp_path).get("kind", "key", make)

    assert "make room there" in caught.value.hint
    assert "" == caught.value.detail
    assert [] == list((tmp_path / "tmp").iterdir())


def test_other_failures_pass_through(tmp_path: Path) -> None:
    """What is no full disk is not taken for one."""

    def make(_: Path) -> None:
        raise FileNotFoundError(errno.ENOENT, "No such file")

    with pytest.raises(FileNotFoundError):
        Store(tmp_path).get("kind", "key", make)


def test_key_names_contents_not_order() -> None:
    """Equal values have equal keys, different ones different keys."""
    assert key_of({"a": 1, "b": 2}) == key_of({"b": 2, "a": 1})
    assert key_of("a", "b") != key_of("ab")


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"ONEBIN_CACHE": "/c", "XDG_CACHE_HOME": "/x", "HOME": "/h"}, "/c"),
        ({"XDG_CACHE_HOME": "/x", "HOME": "/h"}, "/x/onebin"),
        ({"HOME": "/h"}, "/h/.cache/onebin"),
        ({}, "/tmp/.cache/onebin"),
    ],
)
def test_default_root(environ: dict[str, str], expected: str) -> None:
    """The cache is where the user says, then where the XDG base directories say."""
    assert Path(expected) == default_root(environ)
