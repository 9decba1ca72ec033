"""Run an instrumented executable, and build with the profile it gives."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from onebin.effects import csrc
from onebin.effects.context import Context
from onebin.errors import ToolError
from onebin.model import Binary, Function, LinkInput, Profile

from . import profile

CACHE_VERSION: Final = 1
"""Raised when ``profile.indexed`` writes other bytes: part of the key."""


def counters() -> LinkInput:
    """Return the code that writes the counters of an instrumented executable at its end."""
    return LinkInput(
        sources=(csrc.source("counters.c"),),
        # Counters are referred to by where their section begins and ends, and by nothing else.
        options=("-z", "nostart-stop-gc"),
    )


class IndexedProfile(msgspec.Struct, frozen=True):
    """Step: a profile in the format clang reads."""

    profile: Profile
    kind = "profile"

    def key(self) -> tuple[object, ...]:
        """Return the hash of the profile's text."""
        return CACHE_VERSION, self.profile.sha256

    def make(self, folder: Path, _: Context) -> None:
        """Write it."""
        (folder / "profdata").write_bytes(profile.indexed(self.profile.functions))

    def load(self, folder: Path) -> Path:
        """Return the file."""
        return folder / "profdata"


def run(binary: Binary, command: Sequence[str], ctx: Context) -> tuple[list[Function], int, int]:
    """Let *command* use the instrumented *binary*.

    *command* finds it in the environment variable ``ONEBIN_PROGRAM``; without a command the
    executable itself is run. Each process that ends by itself leaves its counters.

    Returns:
        The functions that matter, normalized; the number of processes; that of all functions.

    Raises:
        ToolError: the command failed, or no process left counters.
    """
    with ctx.store.scratch() as scratch:
        folder = scratch / "counters"
        folder.mkdir()
        ctx.run(
            list(command) or [str(binary.path)],
            env={"ONEBIN_PROGRAM": str(binary.path), "ONEBIN_COUNTERS": str(folder)},
            on_line=lambda line: ctx.progress.report(line.strip()),
        )
        runs = [profile.read_counters(file.read_bytes()) for file in sorted(folder.iterdir())]
    if not runs:
        raise ToolError(
            f"training left no counters: no process of {binary.name} ended by itself",
            hint="the command must run $ONEBIN_PROGRAM and let it end, not kill it",
        )
    every = profile.merge(runs)
    return profile.normalize(every), len(runs), len(every)
