"""A distribution built from its source, by its own build back end, for the static executable.

The back end runs in the static interpreter, with a compiler that joins the objects of each
extension instead of linking a shared object: there is no recipe per package.
"""

from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Final

import msgspec

from onebin.effects import index, unpack
from onebin.effects.context import Context
from onebin.effects.index import IndexFile
from onebin.effects.process import RunCommand
from onebin.errors import ProjectError, ToolError
from onebin.model import (
    BuiltLibrary,
    CPython,
    Distribution,
    Interpreter,
    Machine,
    Obstacle,
    Offer,
    Pin,
    Plan,
    Runtime,
    Toolchain,
)
from onebin.requirement import shown

from . import install, located, modules, programs, source, system_libraries
from .build_tools import BuildTools

CACHE_VERSION: Final = 8
"""Raised when this module makes something else of the same source: part of the key."""

HOOK: Final = Path(__file__).parent.parent / "target" / "build_wheel.py"

TARBALL: Final = (".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")
"""How names of source distributions end that are unpacked here."""


class SourceFacts(msgspec.Struct, frozen=True):
    """Facts of a source distribution about its build, none of whose code was run."""

    build_requires: tuple[Pin, ...] = ()
    """As far as its ``pyproject.toml`` names them."""
    libraries: tuple[str, ...] = ()
    """C libraries whose headers it includes."""
    environment: dict[str, str] = {}
    """Variables that make its build compile more."""
    names: tuple[str, ...] = ()
    """Of all its files and folders, as far as they can be modules'."""
    obstacle: Obstacle | None = None
    """Why it can never be built here."""


class Captured:
    """Provider: source distributions."""

    name = "captured"

    def offer(self, pin: Pin, files: Sequence[IndexFile], _: str) -> Offer | Obstacle:
        """Offer the first source distribution."""
        for file in files:
            if file.name.endswith(TARBALL):
                return Offer(pin, self.name, file.name)
        found = f"; found {', '.join(sorted(file.name for file in files[:3]))}" if files else ""
        return Obstacle(
            pin,
            f"{pin}: expected a pure-Python wheel or a source distribution{found}",
            hint="a static executable cannot load shared objects: "
            "choose another version or package",
        )

    def step(
        self, offer: Offer, plan: Plan, python: CPython, toolchain: Toolchain,
        libraries: Sequence[BuiltLibrary],
    ) -> "CapturedBuild":  # fmt: skip
        """Return the step that fetches and builds it."""
        options = plan.project.options
        return CapturedBuild(
            pin=offer.pin,
            build_pins=plan.build_pins,
            may_be_unpinned=plan.may_be_unpinned,
            level="-O2" if options.optimize == "speed" else "-Os",
            interpreter=python.interpreter,
            runtime=python.runtime,
            toolchain=toolchain,
            machine=plan.machine,
            libraries=tuple(libraries),
            environment=offer.environment,
        )


def source_facts(
    pin: Pin,
    build_pins: Sequence[Pin],
    *,
    may_be_unpinned: bool,
    python: str,
    machine: Machine,
    ctx: Context,
) -> SourceFacts | Obstacle:
    """Return the facts of *pin*'s source about its build, or why it cannot be built.

    Both as far as its ``pyproject.toml`` shows. Fetches it and its static build requirements; none
    of their code runs. Further requirements that its back end names are known in the build alone.

    Raises:
        ToolError: one of them cannot be downloaded.
    """
    with ctx.store.scratch() as scratch:
        try:
            tree = _source(pin, scratch, python, ctx)
            if tree is None:
                return SourceFacts()  # the build names the missing file
            system = source.build_system(tree, of=str(pin))
            if tool := source.rust_tool(system):
                obstacle = Obstacle(
                    pin,
                    f"{pin}: its build needs a Rust compiler ({tool}); expected C, C++ or Cython",
                    hint="onebin has no Rust for a static executable: choose a version or package "
                    "without Rust code",
                )
                return SourceFacts(obstacle=obstacle)
            tools = BuildTools(
                build_pins, scratch / "site", scratch / "tools", of=str(pin), python=python,
                machine=machine, may_be_unpinned=may_be_unpinned, run=ctx.run,
            )  # fmt: skip
            tools.install(system.requires)
        except ProjectError as exc:
            return Obstacle(pin, str(exc), hint=exc.hint)
        return SourceFacts(
            tools.used, system_libraries.wanted(tree), source.switches(tree, system),
            modules.names_in(tree),
        )  # fmt: skip


def _source(pin: Pin, scratch: Path, python: str, ctx: Context) -> Path | None:
    """Return the tree of the source of *pin* in *scratch*; None where the index has none."""
    if pin.origin:
        return located.source(pin, scratch, python, ctx)
    archive = index.download_source(pin, scratch, run=ctx.run)
    return None if archive is None else unpack.tree(archive, scratch / "unpacked")


class CapturedBuild(msgspec.Struct, frozen=True, kw_only=True):
    """Step: the code and the objects of a distribution that is built from source."""

    pin: Pin
    build_pins: tuple[Pin, ...]
    may_be_unpinned: bool
    """Whether the index may choose build requirements that ``build_pins`` lack."""
    level: str
    """The compiler's ``-O``."""
    interpreter: Interpreter
    runtime: Runtime
    toolchain: Toolchain
    machine: Machine
    libraries: tuple[BuiltLibrary, ...] = ()
    """Their headers are seen where it is compiled."""
    environment: dict[str, str] = {}
    """Variables that make the build compile more."""
    hook: Path = HOOK
    kind = "distribution"

    def key(self) -> tuple[object, ...]:
        """Return the pins, and all that builds."""
        return (
            CACHE_VERSION, "captured", self.pin, self.build_pins, self.may_be_unpinned, self.level,
            self.interpreter.key, self.runtime.key, self.toolchain.key, self.machine,
            [(library.key, library.source.sha256) for library in self.libraries],
            sorted(self.environment.items()),
            self.hook.read_text("utf-8"),
        )  # fmt: skip

    def make(self, folder: Path, ctx: Context) -> None:
        """Fetch, build, and unpack the wheel that comes out.

        Raises:
            ProjectError: a build requirement is not pinned; the build makes no wheel that fits.
            ToolError: it does not build.
        """
        with ctx.store.scratch() as scratch:
            tree = _source(self.pin, scratch, self.interpreter.version, ctx)
            if tree is None:
                raise ProjectError(f"{self.pin}: the index has no source distribution any more")
            wheel, tools = self._build(tree, scratch, ctx.run)
            libraries = scratch / "out" / "libraries"
            names = libraries.read_text("utf-8").split() if libraries.exists() else []
            native = install.Native(tuple(sorted(set(names))), tools)
            install.wheel(self.pin, wheel, folder, native)

    def load(self, folder: Path) -> Distribution:
        """Return it."""
        return install.load(self.pin, folder)

    def _build(self, tree: Path, scratch: Path, run: RunCommand) -> tuple[Path, tuple[Pin, ...]]:
        """Return the wheel, and its build requirements that are not pinned."""
        system = source.build_system(tree, of=str(self.pin))
        site, out, home = scratch / "site", scratch / "out", scratch / "home"
        out.mkdir()
        home.mkdir()
        tools = BuildTools(
            self.build_pins,
            site,
            scratch / "tools",
            of=str(self.pin),
            python=self.interpreter.version,
            machine=self.machine,
            may_be_unpinned=self.may_be_unpinned,
            run=run,
        )
        tools.install(system.requires)
        programs.write(site, tools.programs, self.interpreter.python)
        env = self._environment(tree, scratch, tools.programs)
        call: list[str | Path] = [self.interpreter.python, "-P", "-S", self.hook]
        rest: list[str | Path] = [site, out, system.build_backend, *system.backend_path]
        try:
            # Line by line, and not kept: a back end may print without end.
            run([*call, "requires", *rest], cwd=tree, env=env, on_line=_ignore)
            if further := (out / "result").read_text("utf-8").splitlines():
                tools.install(further)
                programs.write(site, tools.programs, self.interpreter.python)
            run([*call, "wheel", *rest], cwd=tree, env=env, on_line=_ignore)
        except ToolError as exc:
            raise ToolError(
                f"{self.pin}: does not build for a static executable",
                hint="choose another version; or, if it has a pure-Python wheel and may be slower: "
                f'tool.onebin.pure = ["{self.pin.name}"]',
                detail=exc.detail,
            ) from exc
        made = (out / "result").read_text("utf-8").rstrip("\n")
        if made != PurePosixPath(made).name or not made.endswith(".whl"):
            raise ProjectError(f"{self.pin}: its build made {shown(made)}; expected a wheel")
        return out / made, tools.unpinned

    def _environment(self, tree: Path, scratch: Path, programs: Path) -> dict[str, str]:
        tools, home = self.toolchain.bin, scratch / "home"
        # After all others: a copy that the source brings is the one it fits.
        include = [f"-idirafter {library.include}" for library in self.libraries]
        archives = [file for library in self.libraries for file in library.archives]
        return {
            "PATH": f"{programs}:{tools}:/usr/bin:/bin",
            "PYTHONHOME": str(self.interpreter.home),
            # Programs of build requirements are Python too.
            "PYTHONPATH": str(scratch / "site"),
            "PYTHONDONTWRITEBYTECODE": "1",
            "SOURCE_DATE_EPOCH": "315532800",  # 1980, the oldest date a zip file can hold
            "PYTHONHASHSEED": "0",
            # The caller's settings of git, pip and distutils, and a repository above the cache,
            # must not matter.
            "HOME": str(home),
            "TMPDIR": str(home),
            "GIT_CEILING_DIRECTORIES": str(scratch),
            "GIT_CONFIG_NOSYSTEM": "1",
            "CC": str(tools / "cc"),
            "CXX": str(tools / "c++"),
            "LDSHARED": f"{tools}/cc -shared",
            "LDCXXSHARED": f"{tools}/c++ -shared",
            "AR": str(tools / "ar"),
            "CFLAGS": f"{self.level} -DNDEBUG -ffile-prefix-map={tree}=.",
            "CPPFLAGS": " ".join([f"-I{self.runtime.include}", *include]),
            "LDFLAGS": " ".join(
                f"-L{folder}" for folder in dict.fromkeys(file.parent for file in archives)
            ),
            # Or a build would find the machine's own libraries.
            "PKG_CONFIG": "false",
            "ONEBIN_LIBRARIES": str(scratch / "out" / "libraries"),
        } | self.environment


def _ignore(_: str) -> None:
    """Drop a line; the last ones are kept for the error."""
