"""A requirement, ``httpie==3.2.4`` -> Project: a program that is a distribution of the index."""

from pathlib import Path

import msgspec
from packaging.specifiers import SpecifierSet

from onebin import requirement
from onebin.effects import index, pip_options
from onebin.effects.context import Context
from onebin.errors import ProjectError
from onebin.model import RELEASE, Machine, Project, target_environment

from . import described, wheel
from .given import Given

PYTHON = ".".join(RELEASE.split(".")[:2])


class FromIndex(msgspec.Struct, frozen=True):
    """Input: a requirement; pip chooses its version."""

    text: str
    machine: Machine
    ctx: Context
    given: Given = Given()

    def project(self, *, with_code: bool = True) -> Project:  # noqa: ARG002  (it has none)
        """Fetch a file of it, for its metadata alone, and depend on it (an ``Input``).

        It comes in as any dependency does: as pip would install it, its C code included.

        Raises:
            ProjectError: it is malformed, or the index has no file that fits.
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
            if file.suffix == ".whl":
                read = wheel.of_file(file, given, self.ctx, metadata_only=True)
            else:
                read = described.of_file(file, given, self.ctx)
        item.extras, item.marker = set(extras), None
        item.specifier = SpecifierSet(f"=={read.version}")
        return msgspec.structs.replace(
            read, dependencies=(requirement.line(item),), data=None, is_distribution=True
        )

    def _fetch(self, line: str, folder: Path) -> Path:
        wanted = folder / "wanted.txt"
        wanted.write_text(f"{line}\n", "ascii")
        target = folder / "files"
        call: list[str | Path] = [
            "download", "--quiet", "--no-deps", "--dest", target,
            *pip_options.choosable(PYTHON, self.machine), "-r", wanted,
        ]  # fmt: skip
        try:
            # With markers: then the metadata of a source is read from the source.
            index.pip(self.ctx.run, call, environment=target_environment(self.machine))
        except index.NoMatchError as exc:
            raise ProjectError(
                f"--from {line}: the index has no file that fits Python {PYTHON}",
                hint="is it spelled right?",
            ) from exc
        return next(iter(target.iterdir()))
