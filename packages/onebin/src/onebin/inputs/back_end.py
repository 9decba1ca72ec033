"""Run a project's build back end on this machine, for its wheel.

Its requirements come as wheels, so that nothing runs where the indexes' passwords are seen; the
back end then runs without them.
"""

import hashlib
import os
import shutil
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import msgspec
from packaging.utils import canonicalize_name

from onebin import requirement
from onebin.effects import index
from onebin.effects.context import Context
from onebin.errors import ProjectError, ToolError
from onebin.requirement import shown

HOOK: Final = Path(__file__).parent.parent / "target" / "build_wheel.py"

CACHE_VERSION: Final = 1
"""Raised when this module makes something else of the same project: part of the key."""

LEFT: Final = frozenset(
    {
        ".venv", "venv", ".env", ".tox", ".nox", ".mypy_cache", ".pytest_cache", ".ruff_cache",
        ".hypothesis", "__pycache__", "node_modules", "dist", ".eggs",
    }
)  # fmt: skip
"""Names in a working directory that are a tool's: no part of a project."""

MAX_BYTES: Final = 2 << 30
"""Of a project's files: a larger folder is not a project's alone."""


class BuildSystem(msgspec.Struct, frozen=True, rename="kebab"):
    """``[build-system]`` (PEP 517, PEP 518)."""

    requires: tuple[str, ...] = ("setuptools",)
    build_backend: str = "setuptools.build_meta:__legacy__"
    backend_path: tuple[str, ...] = ()


class Made(msgspec.Struct, frozen=True):
    """A built wheel, and the build requirements that no lock pins."""

    wheel: Path
    unpinned: tuple[str, ...]


class OwnWheel(msgspec.Struct, frozen=True, kw_only=True):
    """Step: the wheel of a project."""

    source: Path
    """A copy of it, in which the back end may write."""
    digest: str
    """Of its files."""
    system: BuildSystem
    name: str
    """Its folder's, for messages."""
    build_lock: Path | None = None
    hook: Path = HOOK
    kind = "own-wheel"

    def key(self) -> tuple[object, ...]:
        """Return its files, its back end, the lock of that, and all that runs it."""
        lock = self.build_lock.read_text("utf-8") if self.build_lock else ""
        return (
            CACHE_VERSION, self.digest, self.name, self.system, lock, sys.version,
            self.hook.read_text("utf-8"),
        )  # fmt: skip

    def make(self, folder: Path, ctx: Context) -> None:
        """Fetch the back end, run it, and keep the wheel.

        Raises:
            ProjectError: it makes no wheel, or needs what no index has as a wheel.
            ToolError: it fails.
        """
        with ctx.store.scratch() as scratch:
            site, out, home = scratch / "site", scratch / "out", scratch / "home"
            for place in (site, out, home):
                place.mkdir()
            self._install(self.system.requires, site, scratch, ctx)
            call: list[str | Path] = [sys.executable, "-P", "-S", self.hook]
            rest: list[str | Path] = [
                site, out, self.system.build_backend, *self.system.backend_path
            ]  # fmt: skip
            environment = {
                "PATH": f"{site}/bin:/usr/bin:/bin",
                "PYTHONPATH": str(site),
                "SOURCE_DATE_EPOCH": "315532800",  # 1980, the oldest date a zip file can hold
                "PYTHONHASHSEED": "0",
                "PYTHONDONTWRITEBYTECODE": "1",
                "HOME": str(home),
                "TMPDIR": str(home),
                "GIT_CEILING_DIRECTORIES": str(self.source.parent),
                "GIT_CONFIG_NOSYSTEM": "1",
            }
            made: list[str] = []
            try:
                for what in ("requires", "wheel"):
                    ctx.run(
                        [*call, what, *rest], cwd=self.source, env=environment,
                        on_line=ctx.progress.report,
                    )  # fmt: skip
                    made = (out / "result").read_text("utf-8").splitlines()
                    if what == "requires" and made:
                        self._install(made, site, scratch, ctx)
            except ToolError as exc:
                raise ToolError(
                    f"{self.name}: its back end {self.system.build_backend} makes no wheel",
                    hint="does this work: pip wheel --no-deps .",
                    detail=exc.detail,
                ) from exc
            if len(made) != 1 or "/" in made[0] or not made[0].endswith(".whl"):
                raise ProjectError(f"{self.name}: its build made {shown(made)}; expected a wheel")
            shutil.copyfile(out / made[0], folder / made[0])
            unpinned = [] if self.build_lock else sorted(_installed(site))
            (folder / "tools").write_text("".join(f"{line}\n" for line in unpinned), "utf-8")

    def load(self, folder: Path) -> Made:
        """Return it."""
        tools = (folder / "tools").read_text("utf-8").splitlines()
        return Made(next(folder.glob("*.whl")), tuple(tools))

    def _install(self, texts: Iterable[str], site: Path, scratch: Path, ctx: Context) -> None:
        where = f"{self.name}: its build requirements"
        wanted = [item for item in (requirement.parse(text, where=where) for text in texts)
                  if item.marker is None or item.marker.evaluate()]  # fmt: skip
        if any(item.url for item in wanted):
            raise ProjectError(f"{where}: one has an address; expected versions of an index")
        if not wanted:
            return
        call: list[str | Path] = ["install", "--quiet", "--target", site, "--upgrade",
                                  "--only-binary", ":all:"]  # fmt: skip
        if self.build_lock:
            call += ["--no-deps", "--require-hashes", "--requirement", self.build_lock]
        else:
            lines = scratch / "requires.txt"
            lines.write_text("".join(f"{requirement.line(item)}\n" for item in wanted), "ascii")
            call += ["--requirement", lines]
        ctx.progress.report(f"{self.name}: fetching its back end")
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


def copy_of(root: Path, target: Path) -> str:
    """Copy the project in *root* to *target*, with its repository, and return a digest of it.

    Raises:
        ProjectError: it is too large, or a file cannot be read.
    """
    try:
        shutil.copytree(root, target, symlinks=True, ignore=_ignored)
        return _digest(target)
    except (OSError, shutil.Error) as exc:
        raise ProjectError(f"{root}: cannot be copied: {shown(str(exc))}") from exc


def _ignored(folder: str, names: list[str]) -> set[str]:
    """Leave out what no back end packs, and what cannot be copied."""
    special = {
        name for name in names
        if not (path := Path(folder, name)).is_symlink()
        and not path.is_file() and not path.is_dir()
    }  # fmt: skip
    return special | (LEFT & set(names)) | {n for n in names if n.endswith(".egg-info")}


def _digest(folder: Path) -> str:
    total = 0
    found = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        parts = path.relative_to(folder).parts
        # Objects and logs of git are named by its references.
        if parts[0] == ".git" and not {"HEAD", "packed-refs", "refs"} & set(parts[1:2]):
            continue
        name = "/".join(parts).encode("utf-8", "surrogateescape")
        if path.is_symlink():
            data = os.fsencode(path.readlink())
        elif path.is_file():
            total += path.stat().st_size
            if total > MAX_BYTES:
                raise ProjectError(f"{folder}: has more than {MAX_BYTES} bytes")
            data = path.read_bytes()
        else:
            continue
        mode = path.lstat().st_mode & 0o111
        found.update(b"%d %s %d %d\n" % (len(name), name, mode, len(data)))
        found.update(data)
    return found.hexdigest()


def _installed(site: Path) -> Iterable[str]:
    for info in site.glob("*.dist-info"):
        name, _, version = info.name.removesuffix(".dist-info").rpartition("-")
        yield f"{canonicalize_name(name)}=={version}"
