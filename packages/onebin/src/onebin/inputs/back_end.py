"""Run a project's build back end on this machine, for its wheel.

Its requirements come as wheels, so that nothing runs where the indexes' passwords are seen; the
back end then runs without them. It finds no compiler: if it starts one the project has C code,
which is built as that of a dependency.
"""

import os
import re
import shutil
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

import msgspec
from packaging.utils import InvalidWheelFilename, parse_wheel_filename

from onebin.effects import files, reuse, source_tree
from onebin.effects.context import Context
from onebin.errors import ProjectError, ToolError
from onebin.model import Pin
from onebin.requirement import shown

from .build_site import BuildRequirements, Site, text_of

HOOK: Final = Path(__file__).parent.parent / "target" / "build_wheel.py"
METADATA_HOOK: Final = HOOK.with_name("build_metadata.py")

CACHE_VERSION: Final = 3
"""Raised when this module makes something else of the same project: part of the key."""

COMPILERS: Final = (
    "cc", "gcc", "clang", "c++", "g++", "clang++", "c99", "cpp", "cargo", "rustc", "go", "gfortran",
)  # fmt: skip
"""Programs that a back end starts to compile."""

NO_COMPILER: Final = """\
#!/bin/sh
echo "${0##*/}" >>'MARK'
echo "${0##*/}: no compiler here" >&2
exit 1
"""


class BuildSystem(msgspec.Struct, frozen=True, rename="kebab"):
    """``[build-system]`` (PEP 517, PEP 518)."""

    requires: tuple[str, ...] = ("setuptools",)
    build_backend: str = "setuptools.build_meta:__legacy__"
    backend_path: tuple[str, ...] = ()


class Made(msgspec.Struct, frozen=True):
    """What a back end made of a project, and the build requirements that it used."""

    wheel: Path | None
    """None if it wanted a compiler."""
    metadata: Path
    """A folder with its ``.dist-info``, if there is no wheel."""
    requires: tuple[Pin, ...]
    """Build requirements that a build lock can have, by version and hash."""
    unpinned: tuple[str, ...]
    """Those that no lock pins."""
    compiler: str = ""
    """The compiler that it started."""


REMEDIES: Final[Mapping[str, str]] = {
    r"unable to detect version|PRETEND_VERSION|PDM_BUILD_SCM_VERSION|version from (?:the )?SCM"
    r"|(?:^|\s)git\b.{0,80}(?:not found|No such file)":
        "its version is that of a repository: build in a clone with its tags, or state one in "
        "pyproject.toml (fallback_version, fallback-version); a back end sees no variable of yours",
    r"Multiple top-level \w+ discovered|No file/folder found for (?:package|module)"
    r"|non-package mode|Unable to determine which files to ship|Expected a Python module at":
        "it does not find the code to pack: name that in its own settings, or set "
        'tool.onebin.source = "." in pyproject.toml: then no back end runs, the folder is packed, '
        "and [project] has name and dependencies",
    r"No module named '(\w{1,80})":
        "its build imports {}: name the distribution that has it in build-system.requires of "
        "pyproject.toml",
}  # fmt: skip
"""How back ends word what only the project can change, each with the remedy."""

SETTINGS: Final = ("pyproject.toml", "setup.py", "setup.cfg")

ABOVE: Final = re.compile(rb"(?<![\w./])(?:\.\./)+[\w-][\w./-]*")
"""A path above a project, as its settings name it."""

TRY: Final = "does this work: pip wheel --no-deps ."


class OwnWheel(msgspec.Struct, frozen=True, kw_only=True):
    """Step: the wheel of a project, or its metadata if it has C code."""

    source: Path
    """The project, or a folder around it."""
    place: str
    """The project's folder in *source*."""
    digest: str
    """Of the files that are copied."""
    system: BuildSystem
    name: str
    """The project's folder, for messages."""
    build_lock: Path | None = None
    """The project's own."""
    build_pins: tuple[Pin, ...] = ()
    """Those of the lock that onebin writes."""
    hooks: tuple[Path, ...] = (HOOK, METADATA_HOOK)
    parts: tuple[Path, ...] = ()
    """What of *source* is copied; without any, all."""
    kind = "own-wheel"

    def key(self) -> tuple[object, ...]:
        """Return its files, its back end, the lock of that, and all that runs it."""
        return (
            CACHE_VERSION, self.digest, self.place, self.name, self.system,
            text_of(self.build_lock), self.build_pins, sys.version,
            [hook.read_text("utf-8") for hook in self.hooks],
        )  # fmt: skip

    def without_pins(self) -> "OwnWheel":
        """Return the step without the build lock (a ``PinnedStep``)."""
        return msgspec.structs.replace(self, build_pins=())

    def make(self, folder: Path, ctx: Context) -> None:
        """Run the back end in a copy of the project, and keep the wheel.

        Raises:
            ProjectError: it makes no wheel, or needs what no index has as a wheel.
            ToolError: it fails.
        """
        with ctx.store.scratch() as scratch:
            copied = scratch / "source"
            source_tree.copy(self.source, copied, self.parts)
            parts = tuple(copied / part.relative_to(self.source) for part in self.parts)
            if source_tree.digest(copied, parts) != self.digest:
                raise ProjectError(
                    f"{self.source}: changed while it was read; expected files that stay",
                    hint="build again",
                )
            out, home, tools = scratch / "out", scratch / "home", scratch / "tools"
            for place in (out, home, tools):
                place.mkdir()
            started = scratch / "started"
            for name in COMPILERS:
                tool = tools / name
                tool.write_text(NO_COMPILER.replace("MARK", str(started)), "utf-8")
                tool.chmod(0o755)
            site, made = self._built(scratch, ctx, started)
            if started.exists():
                self._keep_metadata(scratch, site, folder, ctx)
                compiler = started.read_text("utf-8").partition("\n")[0]
                (folder / "compiler").write_text(compiler, "utf-8")
            else:
                if len(made) != 1 or "/" in made[0] or not made[0].endswith(".whl"):
                    fault = f"{self.name}: its build made {shown(made)}; expected a wheel"
                    raise ProjectError(fault)
                try:
                    parse_wheel_filename(made[0])
                except InvalidWheelFilename as exc:
                    raise ProjectError(
                        f"{self.name}: its build made {shown(made[0])}, which is not a wheel's "
                        "name; pip would not install it either",
                        hint="a project's name has letters, digits and - _ . between them",
                    ) from exc
                shutil.copyfile(out / made[0], folder / made[0])
            used = (site.requires, site.unpinned)
            (folder / "tools.json").write_bytes(msgspec.json.encode(used))

    def load(self, folder: Path) -> Made:
        """Return it."""
        requires, unpinned = msgspec.json.decode(
            (folder / "tools.json").read_bytes(), type=tuple[tuple[Pin, ...], tuple[str, ...]]
        )
        compiler = folder / "compiler"
        started = compiler.read_text("utf-8") if compiler.exists() else ""
        wheel = None if started else next(folder.glob("*.whl"))
        return Made(wheel, folder / "metadata", requires, unpinned, started)

    def _built(self, scratch: Path, ctx: Context, started: Path) -> tuple[Site, list[str]]:
        """Run the back end, and return its site and the names of its results."""
        out = scratch / "out"
        site = self._site(self.system.requires, ctx)
        made: list[str] = []
        try:
            for what in ("requires", "wheel"):
                self._run(HOOK, what, scratch=scratch, site=site, ctx=ctx)
                made = (out / "result").read_text("utf-8").splitlines()
                if what == "requires" and made:
                    site = self._site((*self.system.requires, *made), ctx)
        except ToolError as exc:
            if not started.exists():
                raise ToolError(
                    f"{self.name}: its back end {self.system.build_backend} makes no wheel",
                    hint=_broken_link(scratch / "source")
                    or _remedy(exc.detail)
                    or _above(scratch / "source", self.place)
                    or TRY,
                    detail=exc.detail,
                ) from exc
        return site, made

    def _keep_metadata(self, scratch: Path, site: Site, folder: Path, ctx: Context) -> None:
        """Let the back end state the metadata; none is kept where that takes a compiler too."""
        kept = folder / "metadata"
        kept.mkdir()
        made = ""
        try:
            self._run(METADATA_HOOK, scratch=scratch, site=site, ctx=ctx)
            made = (scratch / "out" / "result").read_text("utf-8").strip()
        except ToolError as exc:
            ctx.progress.report(f"{self.name}: {exc}")
        if made and "/" not in made and (scratch / "out" / made).is_dir():
            shutil.copytree(scratch / "out" / made, kept / made)

    def _site(self, requires: Iterable[str], ctx: Context) -> Site:
        step = BuildRequirements(
            requires=tuple(requires), name=self.name, build_lock=self.build_lock,
            build_pins=self.build_pins,
        )  # fmt: skip
        return reuse.build(step, ctx, lambda made: made.requires)

    def _run(self, hook: Path, *what: str, scratch: Path, site: Site, ctx: Context) -> None:
        tools, home, source = scratch / "tools", scratch / "home", scratch / "source"
        environment = {
            "PATH": f"{site.folder}/bin:{tools}:/usr/bin:/bin",
            "PYTHONPATH": str(site.folder),
            "SOURCE_DATE_EPOCH": "315532800",  # 1980, the oldest date a zip file can hold
            "PYTHONHASHSEED": "0",
            "PYTHONDONTWRITEBYTECODE": "1",
            "HOME": str(home),
            "TMPDIR": str(home),
            "GIT_CEILING_DIRECTORIES": str(scratch),
            "GIT_CONFIG_NOSYSTEM": "1",
            "CC": str(tools / "cc"),
            "CXX": str(tools / "c++"),
            "LDSHARED": f"{tools}/cc -shared",
        }
        call: list[str | Path] = [
            sys.executable, "-P", "-S", hook, *what, site.folder, scratch / "out",
            self.system.build_backend, *self.system.backend_path,
        ]  # fmt: skip
        ctx.run(call, cwd=source / self.place, env=environment, on_line=ctx.progress.report)


def _remedy(output: str) -> str:
    for pattern, hint in REMEDIES.items():
        if found := re.search(pattern, output, re.IGNORECASE):
            return hint.format(*found.groups())
    return ""


def _above(copied: Path, place: str) -> str:
    """Return a hint where the settings name a path above the copy; empty without one."""
    texts = [files.read_bytes(copied / place / name) for name in SETTINGS
             if (copied / place / name).is_file()]  # fmt: skip
    found = next((match for text in texts if (match := ABOVE.search(text))), None)
    if place != "." or found is None:
        return ""
    return (
        f"its settings name {shown(os.fsdecode(found[0]))}: build in a git repository that has "
        "both, or in a directory that contains both, as in: onebin build projects/app"
    )


def _broken_link(copied: Path) -> str:
    """Return a hint where the copy of a project has a link to nothing; empty without one."""
    link = source_tree.dangling(copied)
    if link is None:
        return ""
    return (
        f"{link.relative_to(copied)} is a link to {shown(str(link.readlink()))}, which is not in "
        "the project, nor in a repository around it: put its target there, or remove it"
    )
