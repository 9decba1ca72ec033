"""Private directories: only this user and root can have put anything into them.

The contents of the cache are executed: a compiler, an interpreter, objects of executables. So each
directory above it, each link, and each entry in it must belong to this user or root: both can
change onebin itself as well. OpenSSH checks a user's keys in the same way (sshd(8), StrictModes).
"""

import os
import pwd
import stat
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

from onebin.errors import ToolError

PRIVATE: Final = 0o700
"""As the XDG base directory specification wants directories made that are not there."""

OTHERS_MAY_WRITE: Final = stat.S_IWGRP | stat.S_IWOTH

MAX_LINKS: Final = 40
"""Links in one path: the kernel's own limit (path_resolution(7))."""

WAY_OUT: Final = "set ONEBIN_CACHE to a directory of your own"


def default_root(environ: Mapping[str, str]) -> Path:
    """Return the cache directory: ``ONEBIN_CACHE``, else the XDG base directory's ``onebin``.

    Raises:
        ToolError: this user has no home, neither in HOME nor in the system's list of users.
    """
    if chosen := environ.get("ONEBIN_CACHE"):
        return Path(chosen).absolute()
    base = environ.get("XDG_CACHE_HOME", "")
    # "All paths must be absolute. If an implementation encounters a relative path it should
    # consider the path invalid and ignore it" (XDG base directory specification 0.8).
    if Path(base).is_absolute():
        return Path(base, "onebin")
    home = environ.get("HOME", "")
    if not Path(home).is_absolute():
        home = _home_of(os.geteuid())
    return Path(home, ".cache", "onebin")


def _home_of(uid: int) -> str:
    try:
        home = pwd.getpwuid(uid).pw_dir
    except KeyError:
        home = ""
    if not (Path(home).is_absolute() and Path(home).is_dir()):
        raise ToolError(
            f"where to keep the cache? HOME is not set, and user {uid} has no home", hint=WAY_OUT
        )
    return home


AGAIN: Final = "build again, and let nothing remove files of the cache while a build runs"


def gone(exc: OSError, environ: Mapping[str, str]) -> ToolError | None:
    """Return the error of a file of the cache that *exc* found missing; None of another file."""
    if not isinstance(exc, FileNotFoundError) or not isinstance(exc.filename, str | bytes):
        return None
    file = Path(os.fsdecode(exc.filename))
    root = default_root(environ)
    if not any(map(file.is_relative_to, (root, root.resolve()))):
        return None
    return ToolError(f"{file}: gone from the cache while a build used it", hint=AGAIN)


def private_directory(path: Path) -> Path:
    """Make *path* private if it is missing, and return it without links in it.

    Raises:
        OSError: it cannot be made.
        ToolError: another user can write to it, or could replace it.
    """
    place = _resolved(path)
    missing = []
    while not _exists(place):
        missing.append(place)
        place = place.parent
    for parent in reversed(place.parents):
        _require_ours(parent, os.lstat(parent), on_the_way=True)
    _require_ours(place, os.lstat(place), on_the_way=bool(missing))
    for new in reversed(missing):
        # Another process may have been faster: its directory is checked like any other.
        with suppress(FileExistsError):
            new.mkdir(PRIVATE)
        _require_ours(new, os.lstat(new))
    return missing[0] if missing else place


def is_ours(path: Path) -> bool:
    """Whether *path* is a private directory; False if nothing is there.

    Raises:
        ToolError: it is something else: a link, a file, or another user's.
    """
    try:
        facts = os.lstat(path)
    except FileNotFoundError:
        return False
    _require_ours(path, facts)
    return True


def _resolved(path: Path) -> Path:
    """Follow the links in *path* as the kernel does, and refuse those another user made."""
    done, waiting, links = Path("/"), list(path.parts[1:]), 0
    while waiting:
        part = waiting.pop(0)
        if part == "..":
            done = done.parent
            continue
        step = done / part
        try:
            facts = os.lstat(step)
        except FileNotFoundError:
            done = step
            continue
        if not stat.S_ISLNK(facts.st_mode):
            done = step
            continue
        links += 1
        if links > MAX_LINKS or facts.st_uid not in _trusted():
            raise ToolError(f"{step}: the cache is behind a link of another user", hint=WAY_OUT)
        target = step.readlink()
        waiting[:0] = target.parts[1:] if target.is_absolute() else target.parts
        done = Path("/") if target.is_absolute() else done
    return done


def _exists(path: Path) -> bool:
    try:
        os.lstat(path)
    except FileNotFoundError:
        return False
    return True


def _trusted() -> set[int]:
    return {0, os.geteuid()}


def _require_ours(path: Path, facts: os.stat_result, *, on_the_way: bool = False) -> None:
    """Reject *path* if a user other than this one and root could change its contents.

    With *on_the_way* it may be a directory such as /tmp, where all users may make files and remove
    only their own; and in a user namespace without root it may belong to the overflow user.
    """
    if not stat.S_ISDIR(facts.st_mode):
        raise ToolError(f"cannot write the cache {path}: it is not a directory", hint=WAY_OUT)
    owners = _trusted() | ({_overflow()} if on_the_way else set())
    if facts.st_uid not in owners:
        raise ToolError(
            f"{path} belongs to user {facts.st_uid}; expected user {os.geteuid()} or root: "
            "the contents of the cache are executed",
            hint=WAY_OUT,
        )
    shared = on_the_way and facts.st_mode & stat.S_ISVTX
    if facts.st_mode & OTHERS_MAY_WRITE and not shared:
        raise ToolError(
            f"{path} can be written by others (mode {stat.S_IMODE(facts.st_mode):o}): "
            "the contents of the cache are executed",
            hint=f"remove it, or if you trust its contents: chmod -R go-w {path}; or {WAY_OUT}",
        )


def _overflow() -> int:
    """Return the overflow user, if this namespace has no number for root; else root."""
    try:
        table = Path("/proc/self/uid_map").read_text("utf-8").split("\n")
        ranges = [tuple(map(int, line.split())) for line in table if line]
        if any(first == 0 for first, _, _ in ranges):
            return 0
        return int(Path("/proc/sys/kernel/overflowuid").read_text("utf-8"))
    except (OSError, ValueError):
        return 0
