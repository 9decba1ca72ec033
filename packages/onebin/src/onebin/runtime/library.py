"""One C library of the runtime: a recipe as a value, and the step that follows it."""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec

from onebin.effects import fetch, unpack
from onebin.effects.context import Context
from onebin.errors import ToolError
from onebin.model import BuiltLibrary, Machine, Package, Source, Toolchain

CACHE_VERSION: Final = 1
"""Raised when this module builds another result from the same recipe: part of the key."""

SYSTEM_PATH: Final = f"{os.defpath}:/usr/sbin:/sbin"
"""Where make, perl and the file tools are; the caller's own PATH must not matter."""

ENV: Final = {
    # By bare names: OpenSSL writes its compiler's command line into the library.
    "CC": "cc", "CXX": "c++", "AR": "ar", "RANLIB": "ranlib",
    # Or configure would find the build machine's own libraries.
    "PKG_CONFIG": "false",
    "SOURCE_DATE_EPOCH": "0",
}  # fmt: skip


AUTOCONF: Final = (
    "./configure",
    "--build={triplet}",
    "--host={triplet}",
    "--disable-shared",
    "--enable-static",
    "--disable-dependency-tracking",
)


class Command(msgspec.Struct, frozen=True, tag=True):
    """A program of the machine: ``configure``, ``make``, ``perl``.

    ``{jobs}`` is the number of cores, ``{triplet}`` the target's, ``{needs}`` the folder of the
    library's needs: their headers in ``include``, their archives in ``lib``.
    """

    words: tuple[str, ...]
    folder: str = "."


class Compile(msgspec.Struct, frozen=True, tag=True):
    """C and assembly, each file by itself, as one archive."""

    archive: str
    files: tuple[str, ...]
    flags: tuple[str, ...] = ()


class Text(msgspec.Struct, frozen=True, tag=True):
    """A file of the source tree, written by the step: *template* or *text*, with replacements."""

    file: str
    text: str = ""
    template: str = ""
    replace: dict[str, str] = {}


class Patch(msgspec.Struct, frozen=True, tag=True):
    """Changes of a file of the source tree: each text, which occurs there once, and the new one."""

    file: str
    changes: dict[str, str]


class Library(msgspec.Struct, frozen=True, kw_only=True):
    """A static library and how it is made of its pinned source."""

    name: str
    """As its authors write it: ``OpenSSL``."""
    source: Source
    license: str
    """An SPDX expression."""
    steps: tuple[Command | Compile | Text | Patch, ...]
    headers: tuple[tuple[str, str], ...]
    """Patterns of headers in the tree, each with the folder below ``include`` they go into."""
    archives: tuple[str, ...]
    """In link order; their place in the tree once the steps are done."""
    programs: tuple[str, ...] = ()
    """Programs of the machine the steps need, as Debian's packages name them."""
    needs: tuple[str, ...] = ()
    """Names of libraries that are built before."""
    packages: tuple[Package, ...] = ()
    """Names by which other builds find it."""
    only_generates: bool = False
    """Whether its commands write nothing but sources, with programs that they compile for that."""


class BuildLibrary(msgspec.Struct, frozen=True):
    """Step: one library for the target."""

    library: Library
    needs: tuple[BuiltLibrary, ...]
    toolchain: Toolchain
    machine: Machine
    kind = "library"

    def key(self) -> tuple[object, ...]:
        """Return all that decides the archives; where the source comes from does not."""
        library = self.library
        return (
            CACHE_VERSION, library.name, library.source.sha256, library.source.files_sha256,
            library.steps, library.headers, library.archives, ENV,
            [(need.key, need.source.sha256) for need in self.needs],
            self.toolchain.key, self.machine,
        )  # fmt: skip

    def make(self, folder: Path, ctx: Context) -> None:
        """Fetch, configure and compile.

        Raises:
            ToolError: a program is missing; the source cannot be fetched, or does not build.
        """
        library = self.library
        for program in library.programs:
            _require(program, library.name, ctx)
        with ctx.store.scratch() as scratch:
            downloads = scratch / "downloads"
            downloads.mkdir()
            tarball = fetch.tarball(
                library.source, downloads, run=ctx.run, report=ctx.progress.report,
                is_offline=ctx.is_offline,
            )  # fmt: skip
            source = unpack.tree(tarball, scratch / "source")
            needs = _together(self.needs, scratch / "needs")
            ctx.progress.report(f"compiling {library.name} {library.source.version}")
            for step in library.steps:
                self._do(step, source, needs, ctx)
            _collect(library, source, folder)

    def load(self, folder: Path) -> BuiltLibrary:
        """Return where its headers and archives are."""
        library = self.library
        archives = tuple(folder / "lib" / Path(name).name for name in library.archives)
        return BuiltLibrary(
            library.name, library.source, library.license, folder / "include", archives,
            folder.name, library.packages,
            tuple(step.file for step in library.steps if isinstance(step, Patch)),
        )  # fmt: skip

    def _do(
        self, step: Command | Compile | Text | Patch, source: Path, needs: Path, ctx: Context
    ) -> None:
        match step:
            case Command(words, folder):
                given = self._native() | {
                    "{jobs}": str(len(os.sched_getaffinity(0))),
                    "{triplet}": f"{self.machine}-linux-musl",
                    "{needs}": str(needs),
                }
                # The output is long, and of interest only after a failure: the error has its end.
                ctx.run(
                    [_filled(word, given) for word in words],
                    cwd=source / folder, env=self._env(), on_line=lambda _: None,
                )  # fmt: skip
            case Compile(archive, files, flags):
                objects = [f"{name}.o" for name in files]
                for name, made in zip(files, objects, strict=True):
                    # Given several at once, zig keeps only the first one's object.
                    call: list[str | Path] = [
                        self.toolchain.bin / "cc",
                        *flags,
                        "-c",
                        name,
                        "-o",
                        made,
                    ]
                    ctx.run(call, cwd=source)
                ctx.run([self.toolchain.bin / "ar", "rcsD", archive, *objects], cwd=source)
            case Text(file, text, template, replace):
                text = (source / template).read_text("utf-8") if template else text
                (source / file).write_text(_filled(text, replace), "utf-8")
            case Patch(file, changes):
                _patch(source / file, changes)

    def _native(self) -> dict[str, str]:
        """Return other words for configure, where the target is another processor.

        By two different triplets it knows that its results do not run here.
        """
        native = self.toolchain.native
        if native is None:
            return {}
        return {
            "--build={triplet}": f"--build={native.machine}-linux-musl",
            "BUILD_CC=cc": f"BUILD_CC={native.bin}/cc",
        }

    def _env(self) -> dict[str, str]:
        tools, native = self.toolchain.bin, self.toolchain.native
        if native and self.library.only_generates:
            tools = native.bin
        return ENV | {"PATH": f"{tools}:{SYSTEM_PATH}"}


def _filled(text: str, values: Mapping[str, str]) -> str:
    for name, value in values.items():
        text = text.replace(name, value)
    return text


def _patch(file: Path, changes: Mapping[str, str]) -> None:
    text = file.read_text("utf-8")
    for old, new in changes.items():
        if text.count(old) != 1:
            raise ToolError(
                f"{file.name}: {old.strip()!r} occurs {text.count(old)} times; expected 1",
                hint="the recipe is of another version of the library: fit its changes to this one",
            )
        text = text.replace(old, new)
    file.write_text(text, "utf-8")


def _require(program: str, library: str, ctx: Context) -> None:
    """Report a missing program now, before anything is downloaded."""
    try:
        ctx.run(["sh", "-c", f"command -v {program}"], env={"PATH": SYSTEM_PATH})
    except ToolError as exc:
        raise ToolError(
            f"{program}: not installed; {library} is built with it",
            hint=f"install it: apt-get install {program}, or as your system has it",
        ) from exc


def _together(libraries: tuple[BuiltLibrary, ...], folder: Path) -> Path:
    """Link headers and archives of *libraries* into one folder, as configure scripts want them."""
    for library in libraries:
        shutil.copytree(library.include, folder / "include", dirs_exist_ok=True)
        (folder / "lib").mkdir(parents=True, exist_ok=True)
        for archive in library.archives:
            shutil.copy(archive, folder / "lib")
    return folder


def _collect(library: Library, source: Path, folder: Path) -> None:
    for pattern, below in library.headers:
        target = folder / "include" / below
        target.mkdir(parents=True, exist_ok=True)
        found = sorted(source.glob(pattern))
        if not found:
            raise ToolError(f"{library.name}: its source has no {pattern}")
        for header in found:
            shutil.copy(header, target)
    (folder / "lib").mkdir()
    for name in library.archives:
        shutil.copy(source / name, folder / "lib")
