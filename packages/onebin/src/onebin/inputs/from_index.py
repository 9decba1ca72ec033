"""A requirement, ``httpie==3.2.4`` -> Project: the wheel that the index has for it."""

from pathlib import Path

import msgspec

from onebin import requirement
from onebin.effects import index
from onebin.effects.context import Context
from onebin.errors import ProjectError
from onebin.model import RELEASE, Machine, Project, target_environment

from . import wheel
from .given import Given

PYTHON = ".".join(RELEASE.split(".")[:2])


class FromIndex(msgspec.Struct, frozen=True):
    """Input: a requirement; pip chooses its version."""

    text: str
    machine: Machine
    ctx: Context
    given: Given = Given()

    def project(self, *, with_code: bool = True) -> Project:  # noqa: ARG002  (its code is in it)
        """Fetch its wheel and read that (an ``Input``).

        Raises:
            ProjectError: it is malformed, or the index has no pure-Python wheel that fits.
        """
        markers = target_environment(self.machine)
        found = requirement.wanted([self.text], markers, where="--from")
        if not found:
            raise ProjectError(
                f"--from: the marker of {requirement.shown(self.text)} does not hold"
            )
        item = found[0]
        with self.ctx.progress.stage("fetch") as stage, self.ctx.store.scratch() as scratch:
            file = self._fetch(requirement.line(item), scratch)
            stage.summary = file.name
            extras = tuple(sorted({*item.extras, *self.given.extras}))
            given = msgspec.structs.replace(self.given, extras=extras)
            return wheel.of_file(file, given, self.ctx)

    def _fetch(self, line: str, folder: Path) -> Path:
        wanted = folder / "wanted.txt"
        wanted.write_text(f"{line}\n", "ascii")
        target = folder / "files"
        call: list[str | Path] = [
            "download", "--quiet", "--no-deps", "--dest", target, *index.pure(PYTHON), "-r", wanted,
        ]  # fmt: skip
        try:
            index.pip(self.ctx.run, call)
        except index.NoMatchError as exc:
            raise ProjectError(
                f"--from {line}: the index has no pure-Python wheel that fits",
                hint="is it spelled right? if it has compiled code, make a project that depends "
                "on it, and set tool.onebin.entry-point",
            ) from exc
        return next(iter(target.iterdir()))
