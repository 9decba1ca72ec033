"""Whether the compiler and its cache are as they were: only then a failed build is its own fault.

A compiler that an upgrade of a package replaces, or a cache that a cleaner empties while a build
runs, makes each compilation fail as if the code were wrong.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from onebin.effects import owned
from onebin.effects.context import Context
from onebin.effects.store import damaged
from onebin.errors import OnebinError, ToolError
from onebin.model import Machine, Toolchain

from .flags import PINNED
from .toolchain import CheckedCompiler, installed

ABSENT: Final = r"No such file or directory|FileNotFound|not found"
"""Words of zig, clang and shells."""


@contextmanager
def in_use(release: str, machine: Machine, made: Toolchain, ctx: Context) -> Iterator[None]:
    """Let the block use *made*, the compiler *release* on *machine*; a failure may be its own.

    Raises:
        ToolError: the block has failed, and something is gone or another file.
    """
    try:
        yield
    except OnebinError as exc:
        if fault := lost(release, machine, made, ctx, getattr(exc, "detail", "")):
            raise fault from exc
        raise


def lost(
    release: str, machine: Machine, made: Toolchain, ctx: Context, detail: str
) -> ToolError | None:
    """Return what of the compiler is gone or was replaced; *detail* are a program's last lines."""
    try:
        folder = installed(release)
    except ToolError as exc:
        return exc
    parts = [made.bin / "cc", made.crt_start, *made.libraries]
    gone = next((part for part in parts if not part.is_file()), None)
    root = re.escape(str(ctx.store.root))
    if gone is None and (
        found := re.search(rf"(?P<file>{root}/zig/[^\s':]*)'?: *({ABSENT})", detail)
    ):
        gone = Path(found["file"])
    if gone is not None:
        return ToolError(f"{gone}: gone from the cache while a build used it", hint=owned.AGAIN)
    if found := re.search(rf"(?m)(^|error: )(?P<entry>{root}/[a-z-]+/[0-9a-f]+)/\S*: ", detail):
        return damaged(Path(found["entry"]), found.string[found.end() :].partition("\n")[0])
    if not ctx.store.has(CheckedCompiler(folder, release, PINNED[release, machine])):
        return _replaced(folder, release)
    if not all((folder / "lib" / name).is_dir() for name in ("include", "libc", "std")):
        return _replaced(folder, release)
    return None


def _replaced(folder: Path, release: str) -> ToolError:
    return ToolError(
        f"{folder}: replaced or removed while it compiled; it is the compiler, {release}",
        hint="build again; if it stays: pip install --force-reinstall --no-deps "
        f"{release.replace(' ', '==')}",
    )
