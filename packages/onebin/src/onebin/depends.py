"""The inputs of a directory's build, noted for the next build of the same."""

import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from onebin import locks, terminal
from onebin.effects import unchanged
from onebin.effects.context import Context
from onebin.effects.store import key_of
from onebin.effects.unchanged import Inputs, State, TooManyError
from onebin.inputs import own_wheel
from onebin.materials import KeptBill
from onebin.model import Plan, Project
from onebin.pipeline import BuildResult
from onebin.selection import own_files

ABOVE: Final = ("pyproject.toml", *locks.NAMES)
"""Files of a folder above a project that may concern it: a workspace's settings, its lock."""


class Note:
    """The stamps of a project before its build, to be kept when that is done."""

    def __init__(self, project: Project, arguments: Sequence[str], began_ns: int) -> None:
        """Take the stamps of *project*, whose build by *arguments* began at *began_ns*."""
        self._arguments, self._began_ns = arguments, began_ns
        self._inputs = inputs_of(project)
        self._before: State | None = None
        with suppress(TooManyError):
            self._before = unchanged.state(self._inputs)

    def keep(self, built: BuildResult, target: Path, printed: str, ctx: Context) -> None:
        """Note that *built*, at *target*, is what the project gives; if that is certain."""
        if self._before is None or not covers(self._inputs, built.plan):
            return
        bill = KeptBill(built.binary.sha256)
        kept = (str(built.binary.path), str(ctx.store.root / bill.kind / key_of(*bill.key())))
        summary = f"{built.binary.name}, {terminal.size(built.binary.size)}"
        unchanged.remember(
            self._arguments, os.environ,
            unchanged.Result(str(target.absolute()), printed, summary, (*ctx.progress.warnings,)),
            self._inputs, began_ns=self._began_ns, before=self._before, kept=kept,
            folder=ctx.store.shared(unchanged.KIND),
        )  # fmt: skip


def inputs_of(project: Project) -> Inputs:
    """Return what a build of the directory *project* reads, as far as that is known before."""
    root, here = project.root, Path.cwd().resolve()
    # A workspace's lock names folders of it.
    tops = [folder for folder in root.parents if (folder / "uv.lock").is_file()]
    top, parts = own_wheel.needed(root)
    trees = {root, project.code.resolve(), *filter(Path.is_dir, parts or (top,)), *tops}
    options = project.options
    named = (options.lock, options.build_lock, options.profile)
    files = {(root / name).resolve() for name in named if name}
    files |= {folder / name for folder in (here, *root.parents) for name in ABOVE}
    files |= {part for part in parts if not part.is_dir()}
    left = own_files.left_out(project)
    return Inputs(*(tuple(sorted(map(str, paths))) for paths in (trees, left, files)))


def covers(inputs: Inputs, plan: Plan) -> bool:
    """Whether *inputs* has all that a build of *plan* has read."""
    pins = (*plan.distributions, *plan.build_pins)
    near = [pin.origin for pin in pins if pin.origin and pin.origin.kind in {"directory", "file"}]
    trees = [Path(tree) for tree in inputs.trees]
    # A worktree's commits and tags, from which a version may come, are in another place.
    if any((tree / ".git").is_file() for tree in trees):
        return False
    # A Python from a folder or a file of this machine is another one at any time.
    return plan.python.origin in {"auto", "apt"} and all(
        any(map(Path(origin.address).resolve().is_relative_to, trees)) for origin in near
    )
