"""Results are cached by content, appear whole or not at all, and are made once."""

import contextlib
import errno
import fcntl
import os
import shutil
import stat
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import msgspec
import pytest

from onebin.effects import owned
from onebin.effects.context import Context
from onebin.effects.store import Store, key_of
from onebin.errors import ToolError

from .fakes import context

KEY = key_of("key")


class Made(msgspec.Struct, frozen=True):
    """A step that calls a given function."""

    fill: Callable[[Path], object]
    kind = "kind"

    def key(self) -> tuple[object, ...]:
        return ("key",)

    def make(self, folder: Path, _: Context) -> None:
        self.fill(folder)

    def load(self, folder: Path) -> Path:
        return folder


def get(cache: Path, make: Callable[[Path], object]) -> Path:
    return context(cache).build(Made(make))


def test_made_once(tmp_path: Path) -> None:
    """The second request gets the result of the first."""
    calls = []

    def make(folder: Path) -> None:
        calls.append(folder)
        (folder / "result").write_text("x")

    ctx = context(tmp_path)
    assert not ctx.store.has(Made(make))
    assert ctx.build(Made(make)) == ctx.build(Made(make))
    assert ctx.store.has(Made(make))
    assert 1 == len(calls)


def test_failure_leaves_nothing(tmp_path: Path) -> None:
    """A build that fails midway leaves neither a result nor scratch files."""

    def make(folder: Path) -> None:
        (folder / "half").write_text("x")
        raise ToolError("no")

    with pytest.raises(ToolError):
        get(tmp_path, make)

    assert not (tmp_path / "kind").exists()
    assert [] == list((tmp_path / "tmp").iterdir())


def test_two_builders_of_one_key_build_once(tmp_path: Path) -> None:
    """The second waits for the first and takes its result."""
    entered, go_on = threading.Event(), threading.Event()
    calls = []

    def make(folder: Path) -> None:
        calls.append(folder)
        entered.set()
        go_on.wait(60)

    def work() -> None:
        get(tmp_path, make)

    threads = [threading.Thread(target=work) for _ in range(2)]
    threads[0].start()
    entered.wait(60)
    threads[1].start()
    go_on.set()
    for thread in threads:
        thread.join()

    assert 1 == len(calls)


def test_read_only_cache_is_reported_with_a_remedy(tmp_path: Path) -> None:
    """A file in place of the cache is an error that names the variable to set."""
    (tmp_path / "file").write_text("")

    with pytest.raises(ToolError, match="cannot write the cache") as caught:
        get(tmp_path / "file", lambda _: None)

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
def test_full_disk_is_reported_in_one_line(tmp_path: Path, failure: Exception) -> None:
    """In every layer the message names the cache, and no partial result is left."""

    def make(_: Path) -> None:
        raise failure

    with pytest.raises(ToolError, match=r"cannot write the cache .*: No space left") as caught:
        get(tmp_path, make)

    assert "make room there" in caught.value.hint
    assert "" == caught.value.detail
    assert [] == list((tmp_path / "tmp").iterdir())


@pytest.mark.parametrize(("free", "named"), [((0, 99 << 20), "there"), ((99 << 20, 0), "cache")])
def test_full_disk_of_temporary_files_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: tuple[int, int], named: str
) -> None:
    """A compiler's words do not name the disk: the one with less room is it."""
    there, cache = tmp_path / "there", tmp_path / "cache"
    rooms = dict(zip((there, cache), free, strict=True))
    monkeypatch.setenv("TMPDIR", str(there))
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=rooms[path]))

    def make(_: Path) -> None:
        raise ToolError("cc ended", detail="error: No space left on device")

    with pytest.raises(ToolError, match=f"{tmp_path / named}.*: No space left on device") as caught:
        get(cache, make)

    assert ("TMPDIR" if named == "there" else "ONEBIN_CACHE") in caught.value.hint


@pytest.mark.parametrize(
    "number", [errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS, errno.EBADF, errno.EIO]
)
@pytest.mark.parametrize("which", ["every", "of a folder"])
def test_file_system_without_locks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, which: str
) -> None:
    """The fault is not that the cache cannot be written; another disk helps."""
    usual = fcntl.flock

    def flock(handle: int, operation: int) -> None:
        if which == "every" or stat.S_ISDIR(os.fstat(handle).st_mode):
            raise OSError(number, os.strerror(number))
        usual(handle, operation)

    monkeypatch.setattr(fcntl, "flock", flock)

    with pytest.raises(ToolError, match=os.strerror(number)) as caught:
        get(tmp_path, lambda _: None)

    assert ("cannot lock files" in str(caught.value)) == (number != errno.EIO)
    assert "ONEBIN_CACHE" in caught.value.hint


@pytest.mark.parametrize(
    "fault",
    [
        ValueError("dictionary update sequence element #39 has length 1"),
        FileNotFoundError(errno.ENOENT, "No such file or directory", "facts.json"),
        KeyError("size"), StopIteration(), msgspec.DecodeError("Input data was truncated"),
    ],
)  # fmt: skip
def test_damaged_entry_is_named(tmp_path: Path, fault: Exception) -> None:
    """A file that a crash has cut: which folder to remove, and no traceback."""

    class Cut(Made, frozen=True):
        def load(self, _: Path) -> Path:
            raise fault

    get(tmp_path, lambda _: None)
    with pytest.raises(ToolError, match=f"^{tmp_path}/kind/.*: damaged, ") as caught:
        context(tmp_path).build(Cut(lambda _: None))

    folder = str(caught.value).partition(":")[0]
    assert f"remove it, and build again: rm -r {folder}" == caught.value.hint


@pytest.mark.parametrize(
    ("number", "name", "is_named"),
    [
        (errno.ENOENT, "{cache}/toolchain/ab/lib/0-libc.a", True),
        (errno.ENOENT, "{cache}", True),
        (errno.EACCES, "{cache}/toolchain/ab", False),
        (errno.ENOENT, "/elsewhere/file", False),
        (errno.ENOENT, "{cache}-2/file", False),
        (errno.ENOENT, None, False),
    ],
)
def test_file_that_a_cleaner_removed(
    tmp_path: Path, number: int, name: str | None, *, is_named: bool
) -> None:
    """A missing file of the cache is the cleaner's fault; any other is not."""
    file = name and name.format(cache=tmp_path)
    found = owned.gone(OSError(number, "x", file), {"ONEBIN_CACHE": str(tmp_path)})

    assert is_named == (found is not None)
    if found is not None:
        assert f"{file}: gone from the cache while a build used it" == str(found)
        assert "build again" in found.hint


def test_other_failures_pass_through(tmp_path: Path) -> None:
    """Other errors are not reported as a full disk."""

    def make(_: Path) -> None:
        raise FileNotFoundError(errno.ENOENT, "No such file")

    with pytest.raises(FileNotFoundError):
        get(tmp_path, make)


def test_key_names_contents_not_order() -> None:
    """Equal values have equal keys, different ones different keys."""
    assert key_of({"a": 1, "b": 2}) == key_of({"b": 2, "a": 1})
    assert key_of("a", "b") != key_of("ab")


LEFT = """
import os, signal, sys
from pathlib import Path
from onebin.effects.context import Context
from onebin.effects.progress import Progress
from onebin.effects.store import Store

class Killed:
    kind = "kind"

    def key(self):
        return ("key",)

    def make(self, folder, _):
        (folder / "half").write_text("x")
        os.kill(os.getpid(), signal.SIGKILL)

Context(None, Store(Path(sys.argv[1])), Progress.silent()).build(Killed())
"""


def test_killed_build_leaves_no_entry(tmp_path: Path) -> None:
    """SIGKILL in the middle: the next build finds no partial result, and does not wait."""
    done = subprocess.run([sys.executable, "-c", LEFT, tmp_path / "cache"], check=False)
    assert -9 == done.returncode

    assert [] == list(get(tmp_path / "cache", lambda _: None).iterdir())


def test_entry_that_is_a_link_is_rejected(tmp_path: Path) -> None:
    """An entry is a real directory in the cache."""
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "cache" / "kind").mkdir(parents=True)
    (tmp_path / "cache" / "kind" / KEY).symlink_to(tmp_path / "elsewhere")

    with pytest.raises(ToolError, match=f"{KEY}: it is not a directory"):
        get(tmp_path / "cache", lambda _: None)


@pytest.mark.parametrize("where", ["locks", "tmp", "kind"])
def test_folder_that_is_a_link_is_rejected(tmp_path: Path, where: str) -> None:
    """The same holds for the cache's own directories."""
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / where).symlink_to(tmp_path / "elsewhere")

    with pytest.raises(ToolError, match="not a directory"):
        get(tmp_path / "cache", lambda _: None)
    assert [] == list((tmp_path / "elsewhere").iterdir())


def test_lock_is_not_written_through_a_link(tmp_path: Path) -> None:
    """A linked file keeps its contents."""
    (tmp_path / "precious").write_text("x")
    (tmp_path / "cache" / "locks").mkdir(parents=True)
    (tmp_path / "cache" / "locks" / f"kind-{KEY}").symlink_to(tmp_path / "precious")

    with pytest.raises(ToolError, match="cannot write the cache"):
        get(tmp_path / "cache", lambda _: None)
    assert "x" == (tmp_path / "precious").read_text()


def test_entries_are_not_writable_by_others(tmp_path: Path) -> None:
    """For any umask: a directory that others may write would be refused the next time."""
    before = os.umask(0)
    try:
        made = get(tmp_path / "a" / "cache", lambda _: None)
    finally:
        os.umask(before)

    modes = {path: path.stat().st_mode & 0o777 for path in (made, *made.parents)}
    assert 0o700 == modes[tmp_path / "a"] == modes[tmp_path / "a" / "cache"]
    assert not any(mode & 0o022 for path, mode in modes.items() if path.is_relative_to(tmp_path))
    assert Store(tmp_path / "a" / "cache").has(Made(lambda _: None))


HOLDS_SCRATCH = """
import sys, time
from pathlib import Path
from onebin.effects.store import Store

with Store(Path(sys.argv[1])).scratch() as folder:
    (folder / "inner").mkdir()
    (folder / "inner" / "half").write_text("made")
    print(folder, flush=True)
    time.sleep(600)
"""


def test_scratch_of_killed_processes_is_removed(tmp_path: Path) -> None:
    """By the next process that needs one; that of a process which lives stays."""
    call = [sys.executable, "-c", HOLDS_SCRATCH, str(tmp_path / "cache")]
    folders = []
    with contextlib.ExitStack() as stack:
        processes = []
        for _ in range(3):
            process = stack.enter_context(subprocess.Popen(call, stdout=subprocess.PIPE, text=True))
            stack.callback(process.kill)
            assert process.stdout is not None
            folders.append(Path(process.stdout.readline().strip()))
            processes.append(process)
        for process in processes[:2]:
            process.kill()
            process.wait()

        with Store(tmp_path / "cache").scratch() as mine:
            assert {mine, folders[2]} == set((tmp_path / "cache" / "tmp").iterdir())
            assert (folders[2] / "inner" / "half").exists()


class Numbered(msgspec.Struct, frozen=True):
    """A step of which each is made once."""

    number: int
    made: Callable[[int], object]
    kind = "kind"

    def key(self) -> tuple[object, ...]:
        return (self.number,)

    def make(self, folder: Path, _: Context) -> None:
        self.made(self.number)
        (folder / "result").touch()

    def load(self, folder: Path) -> Path:
        return folder


def test_locks_leave_no_files(tmp_path: Path) -> None:
    """Eight builds at once: each result is made once, and the file of no lock is left."""
    made: list[int] = []

    def build() -> None:
        ctx = context(tmp_path)
        for number in range(40):
            ctx.build(Numbered(number, made.append))

    threads = [threading.Thread(target=build) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(made) == list(range(40))
    assert list((tmp_path / "locks").iterdir()) == []
