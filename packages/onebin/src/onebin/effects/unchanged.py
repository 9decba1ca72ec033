"""The result of the build before, if nothing that it depended on has changed since.

Files are compared by stamps, as make and git compare them: size, times, inode, mode. The change
time is among them, which no program sets back. A stamp counts only once the clock has left the
moment it shows, as git's index has it: a second change within it would show the same stamp.
"""

import hashlib
import json
import os
import stat
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, NamedTuple

from . import owned

KIND: Final = "unchanged"
"""The folder of the cache that holds them."""

TICK_NS: Final = 20_000_000
"""Longer than a tick of the kernel's clock of files, which has 1 to 10 ms."""

COARSE_NS: Final = 2_000_000_000
"""The same for a file system without parts of milliseconds: FAT has two seconds."""

MAX_FILES: Final = 50_000
"""Of a project: more take longer than the build."""

TOOLS: Final = frozenset(
    {
        "__pycache__", ".venv", ".env", ".tox", ".nox", ".mypy_cache", ".pytest_cache",
        ".ruff_cache", ".hypothesis",
    }
)  # fmt: skip
"""Folders that neither a wheel nor an executable takes anything from."""

GIT_NAMES: Final = ("HEAD", "packed-refs", "refs", "reftable")
"""What of a repository a version may come from."""

OWN: Final = os.path.dirname(os.path.dirname(__file__))  # noqa: PTH120  (pathlib takes its time)
"""onebin's own code."""

UNREAD: Final = frozenset({"_", "OLDPWD", "SHLVL"})
"""Variables that a shell changes with each command; no build reads them."""


class Inputs(NamedTuple):
    """What a build reads beside its arguments and onebin itself."""

    trees: tuple[str, ...]
    """Folders with all that is in them."""
    left: tuple[str, ...]
    """Paths in these that do not count: results, environments."""
    files: tuple[str, ...]
    """Files, some of which may be missing."""


class State(NamedTuple):
    """The stamps of all inputs at one time."""

    digest: str
    newest: int
    """When the last of them changed, in nanoseconds, and its file system's clock had gone on."""


class TooManyError(Exception):
    """There are more than ``MAX_FILES``."""


def state(inputs: Inputs) -> State:
    """Return the stamps of *inputs* and of onebin itself.

    Raises:
        TooManyError: there are too many.
    """
    found = hashlib.sha256(f"{sys.version}\0{sys.executable}\0".encode())
    newest = count = 0
    own = Inputs((OWN,), (), tuple(filter(os.path.isdir, sys.path)))
    for group in (inputs, own):
        for path, facts in _facts(group):
            count += 1
            if count > MAX_FILES:
                raise TooManyError
            found.update(b"%s\0" % os.fsencode(path))
            if facts is None:
                continue
            newest = max(newest, settled(facts.st_ctime_ns))
            if group is own or not stat.S_ISDIR(facts.st_mode):
                found.update(repr(_stamp(facts)).encode())
    return State(found.hexdigest(), newest)


def settled(changed_ns: int) -> int:
    """Return when a file of the change time *changed_ns* cannot change unseen any more."""
    return changed_ns + (TICK_NS if changed_ns % 1_000_000 else COARSE_NS)


def _stamp(facts: os.stat_result) -> tuple[int, ...]:
    times = (facts.st_mtime_ns, facts.st_ctime_ns)
    return (facts.st_mode, facts.st_size, *times, facts.st_ino, facts.st_dev, facts.st_uid)


def _facts(inputs: Inputs) -> Iterator[tuple[str, os.stat_result | None]]:
    for path in inputs.files:
        facts = None
        with suppress(OSError):
            facts = os.stat(path)  # noqa: PTH116
        yield path, facts
    left = frozenset(inputs.left)
    seen = set[tuple[int, int]]()
    for tree in inputs.trees:
        yield from _below(tree, left, seen)


def _below(
    top: str, left: frozenset[str], seen: set[tuple[int, int]]
) -> Iterator[tuple[str, os.stat_result | None]]:
    waiting = [top]
    while waiting:
        folder = waiting.pop()
        with suppress(OSError):
            facts = os.stat(folder)  # noqa: PTH116
            if (facts.st_dev, facts.st_ino) in seen:
                continue
            seen.add((facts.st_dev, facts.st_ino))
            yield folder, facts
            names = sorted(os.listdir(folder))  # noqa: PTH208
            if folder == f"{top}/.git":
                names = [name for name in names if name in GIT_NAMES]
            for name in names:
                path = f"{folder}/{name}"
                if name in TOOLS or path in left:
                    continue
                yield from _entry(path, waiting)


def _entry(path: str, waiting: list[str]) -> Iterator[tuple[str, os.stat_result | None]]:
    """Yield the facts of *path*, of a link also those of its end; a folder joins *waiting*."""
    try:
        facts = os.lstat(path)
        if stat.S_ISLNK(facts.st_mode):
            yield path, facts
            facts = os.stat(path)  # noqa: PTH116
    except OSError:
        yield path, None
        return
    if stat.S_ISDIR(facts.st_mode):
        waiting.append(path)
    else:
        yield path, facts


def _file(folder: str, args: Sequence[str]) -> str:
    """Return where in *folder* the note of the command *args* in the current directory is."""
    words = json.dumps([os.getcwd(), *args])  # noqa: PTH109
    name = hashlib.sha256(words.encode("utf-8", "surrogateescape")).hexdigest()[:24]
    return os.path.join(folder, f"{name}.json")  # noqa: PTH118


def _of_environment(environ: Mapping[str, str]) -> str:
    """Return a digest: values may be passwords."""
    known = sorted((name, value) for name, value in environ.items() if name not in UNREAD)
    text = repr((known, os.geteuid()))
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


class Result(NamedTuple):
    """What an earlier build has left."""

    target: str
    """The executable."""
    printed: str
    """The line on stdout."""
    summary: str
    warnings: tuple[str, ...]


def remember(
    args: Sequence[str],
    environ: Mapping[str, str],
    result: Result,
    inputs: Inputs,
    *,
    began_ns: int,
    before: State,
    kept: Iterable[str],
    folder: Path,
) -> bool:
    """Note that the build of *args* gave *result*; False if its inputs may be others by now.

    Args:
        args: The arguments of the command.
        environ: Its environment.
        result: All that it has left.
        inputs: All that it has read.
        began_ns: When it began, before it read any of them.
        before: Their stamps, once it knew them.
        kept: Paths in the cache that must stay: later commands want them.
        folder: The cache's for such notes.
    """
    facts = os.stat(result.target)  # noqa: PTH116
    wait_ns = settled(facts.st_ctime_ns) - time.time_ns()
    if before.newest >= began_ns or wait_ns > TICK_NS:
        return False
    time.sleep(max(0, wait_ns) / 1e9)
    is_same = _stamp(os.stat(result.target)) == _stamp(facts)  # noqa: PTH116
    if not is_same or state(inputs).digest != before.digest:
        return False
    note = {
        "environment": _of_environment(environ), "inputs": inputs, "digest": before.digest,
        "kept": [*kept], "stamp": _stamp(facts), "result": result,
    }  # fmt: skip
    file = _file(str(folder), args)
    temporary = f"{file}.{os.getpid()}"
    try:
        with open(temporary, "w", encoding="ascii") as out:  # noqa: PTH123
            json.dump(note, out)
        os.replace(temporary, file)  # noqa: PTH105
    except OSError:  # a full disk: the build itself is done
        with suppress(OSError):
            os.unlink(temporary)  # noqa: PTH108
        return False
    return True


def result(args: Sequence[str], environ: Mapping[str, str]) -> Result | None:
    """Return the result of the command *args* if the build before has left it, and it is right.

    None if anything changed, is gone, or cannot be read: then it is built.
    """
    try:
        root = owned.private_directory(owned.default_root(environ))
        if not owned.is_ours(root / KIND):
            return None
        with open(_file(str(root / KIND), args), encoding="ascii") as file:  # noqa: PTH123
            note: dict[str, Any] = json.load(file)
        inputs = Inputs(*map(tuple, note["inputs"]))
        target, printed, summary, warnings = note["result"]
        is_right = (
            note["environment"] == _of_environment(environ)
            and all(map(os.path.exists, note["kept"]))
            and [*_stamp(os.stat(target))] == note["stamp"]  # noqa: PTH116
            and state(inputs).digest == note["digest"]
        )
        return Result(target, printed, summary, tuple(warnings)) if is_right else None
    except Exception:  # noqa: BLE001  (whatever it is, the build itself will meet and name it)
        return None
