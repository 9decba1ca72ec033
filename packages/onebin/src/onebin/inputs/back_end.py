"""Run a project's build back end on this machine, for its wheel.

Its requirements come as wheels, so that nothing runs where the indexes' passwords are seen; the
back end then runs without them. It finds no compiler: if it starts one the project has C code,
which is built as that of a dependency.
"""

import shutil
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import msgspec
from packaging.utils import canonicalize_name

from onebin import requirement
from onebin.effects import index, source_tree
from onebin.effects.context import Context
from onebin.errors import ProjectError, ToolError
from onebin.requirement import shown

HOOK: Final = Path(__file__).parent.parent / "target" / "build_wheel.py"
METADATA_HOOK: Final = HOOK.with_name("build_metadata.py")

CACHE_VERSION: Final = 2
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
    """What a back end made of a project, and the build requirements that no lock pins."""

    wheel: Path | None
    """None if it wanted a compiler."""
    metadata: Path
    """A folder with its ``.dist-info``, if there is no wheel."""
    unpinned: tuple[str, ...]
    compiler: str = ""
    """The compiler that it started."""


class Site(msgspec.Struct, frozen=True):
    """A folder of build requirements, and the versions of those that no lock pins."""

    folder: Path
    unpinned: tuple[str, ...]


class BuildRequirements(msgspec.Struct, frozen=True, kw_only=True):
    """Step: a back end and all that it needs, importable by this Python."""

    requires: tuple[str, ...]
    name: str
    """The project's, for messages."""
    build_lock: Path | None = None
    kind = "build-site"

    def key(self) -> tuple[object, ...]:
        """Return the requirements and the lock."""
        return CACHE_VERSION, self.requires, _text(self.build_lock), sys.version

    def make(self, folder: Path, ctx: Context) -> None:
        """Fetch them.

        Raises:
            ProjectError: one is not a requirement of an index, or not in the lock, or has no wheel.
        """
        site = folder / "site"
        site.mkdir()
        where = f"{self.name}: its build requirements"
        wanted = [item for item in (requirement.parse(text, where=where) for text in self.requires)
                  if item.marker is None or item.marker.evaluate()]  # fmt: skip
        if any(item.url for item in wanted):
            raise ProjectError(f"{where}: one has an address; expected versions of an index")
        if not wanted:
            return
        call: list[str | Path] = ["install", "--quiet", "--target", site, "--only-binary", ":all:"]
        ctx.progress.report(f"{self.name}: fetching its back end")
        with ctx.store.scratch() as scratch:
            if self.build_lock:
                call += ["--no-deps", "--require-hashes", "--requirement", self.build_lock]
            else:
                lines = scratch / "requires.txt"
                lines.write_text("".join(f"{requirement.line(item)}\n" for item in wanted), "ascii")
                call += ["--requirement", lines]
            try:
                index.pip(ctx.run, call)
            except index.NoMatchError as exc:
                raise ProjectError(
                    f"{where}: {exc} has no wheel for this machine",
                    hint="a build requirement is not built in turn: choose another version",
                ) from exc
        have = dict(line.split("==") for line in _installed(site))
        for item in wanted:
            version = have.get(canonicalize_name(item.name))
            if version is None or not item.specifier.contains(version, prereleases=True):
                raise ProjectError(
                    f"{where}: {requirement.line(item)} is not in tool.onebin.build-lock",
                    hint="pin it there, with its hash and all that it needs",
                )

    def load(self, folder: Path) -> Site:
        """Return them."""
        site = folder / "site"
        return Site(site, () if self.build_lock else tuple(sorted(_installed(site))))


class OwnWheel(msgspec.Struct, frozen=True, kw_only=True):
    """Step: the wheel of a project, or its metadata if it has C code."""

    source: Path
    """The project, or the repository around it."""
    place: str
    """The project's folder in *source*."""
    digest: str
    """Of the files of *source*."""
    system: BuildSystem
    name: str
    """The project's folder, for messages."""
    build_lock: Path | None = None
    hooks: tuple[Path, ...] = (HOOK, METADATA_HOOK)
    kind = "own-wheel"

    def key(self) -> tuple[object, ...]:
        """Return its files, its back end, the lock of that, and all that runs it."""
        return (
            CACHE_VERSION, self.digest, self.place, self.name, self.system, _text(self.build_lock),
            sys.version, [hook.read_text("utf-8") for hook in self.hooks],
        )  # fmt: skip

    def make(self, folder: Path, ctx: Context) -> None:
        """Run the back end in a copy of the project, and keep the wheel.

        Raises:
            ProjectError: it makes no wheel, or needs what no index has as a wheel.
            ToolError: it fails.
        """
        with ctx.store.scratch() as scratch:
            source_tree.copy(self.source, scratch / "source")
            if source_tree.digest(scratch / "source") != self.digest:
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
                shutil.copyfile(out / made[0], folder / made[0])
            lines = "".join(f"{line}\n" for line in site.unpinned)
            (folder / "tools").write_text(lines, "utf-8")

    def load(self, folder: Path) -> Made:
        """Return it."""
        tools = (folder / "tools").read_text("utf-8").splitlines()
        compiler = folder / "compiler"
        started = compiler.read_text("utf-8") if compiler.exists() else ""
        wheel = None if started else next(folder.glob("*.whl"))
        return Made(wheel, folder / "metadata", tuple(tools), started)

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
                    hint="does this work: pip wheel --no-deps .",
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
            requires=tuple(requires), name=self.name, build_lock=self.build_lock
        )
        return ctx.build(step)

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


def _text(file: Path | None) -> str:
    return file.read_text("utf-8") if file else ""


def _installed(site: Path) -> Iterable[str]:
    for info in site.glob("*.dist-info"):
        name, _, version = info.name.removesuffix(".dist-info").rpartition("-")
        yield f"{canonicalize_name(name)}=={version}"
