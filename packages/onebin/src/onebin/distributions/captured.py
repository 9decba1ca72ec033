"""A distribution built from its source, by its own build back end, for the static executable.

The back end runs in the static interpreter, with a compiler that joins the objects of each
extension instead of linking a shared object: there is no recipe per package.
"""

import re
import sys
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath
from typing import Final

import msgspec

from onebin.effects.context import Context
from onebin.effects.index import IndexFile
from onebin.effects.process import RunCommand
from onebin.errors import ProjectError, ToolError
from onebin.model import (
    BuildTool,
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

from . import (
    build_faults,
    cross,
    install,
    machine_programs,
    own_prefix,
    program_links,
    programs,
    source,
    source_facts,
)
from .build_tools import BuildTools

CACHE_VERSION: Final = 14
"""Raised when this module makes something else of the same source: part of the key."""

HOOK: Final = Path(__file__).parent.parent / "target" / "build_wheel.py"

FAILED: Final = re.compile(r'building extension "([\w.]+)" failed')
"""distutils of an extension with ``optional=True``: the build goes on without it."""

OLD_C: Final = (
    "-Wno-error=int-conversion -Wno-error=incompatible-pointer-types "
    "-Wno-error=incompatible-function-pointer-types"
)
"""What GCC before 14 and clang before 16 only warned of: sources are older than those."""

SHOWN: Final = 100
"""Characters of a line of a back end's output: a call of the compiler has hundreds."""

TARBALL: Final = (".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")
"""How names of source distributions end that are unpacked here."""


class Captured:
    """Provider: source distributions."""

    name = source_facts.PROVIDER

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
        libraries: Sequence[BuiltLibrary], tools: Sequence[BuildTool],
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
            tools=tuple(tools),
            environment=offer.environment,
        )


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
    tools: tuple[BuildTool, ...] = ()
    """Build requirements that were built from source."""
    environment: dict[str, str] = {}
    """Variables that make the build compile more."""
    hook: Path = HOOK
    kind = "distribution"

    def key(self) -> tuple[object, ...]:
        """Return the pins, and all that builds."""
        return (
            CACHE_VERSION, source_facts.PROVIDER, self.pin, self.build_pins, self.may_be_unpinned,
            self.level, self.interpreter.key, self.runtime.key, self.toolchain.key, self.machine,
            [(item.key, item.source.sha256, item.packages) for item in self.libraries],
            [(tool.pin, tool.key) for tool in self.tools],
            sorted(self.environment.items()),
            self.hook.read_text("utf-8"),
            *((cross.HOOK.read_text("utf-8"),) if self._is_cross else ()),
        )  # fmt: skip

    @property
    def _is_cross(self) -> bool:
        return self.toolchain.native is not None

    def without_pins(self) -> "CapturedBuild":
        """Return the step without the build lock (a ``PinnedStep``)."""
        return msgspec.structs.replace(self, build_pins=(), may_be_unpinned=False)

    def make(self, folder: Path, ctx: Context) -> None:
        """Fetch, build, and unpack the wheel that comes out.

        Raises:
            ProjectError: a build requirement is not pinned; the build makes no wheel that fits.
            ToolError: it does not build.
        """
        with ctx.store.scratch() as scratch:
            tree = source_facts.tree_of(self.pin, scratch, self.interpreter.version, ctx)
            if tree is None:
                raise ProjectError(f"{self.pin}: the index has no source distribution any more")
            noted = _Failures(str(self.pin), ctx.progress.report)
            wheel, tools = self._build(tree, scratch, ctx.run, noted)
            libraries = _wanted_by(wheel, scratch / "out" / "libraries")
            native = install.Native(libraries, tools.unpinned, tools.used, tuple(noted.names))
            install.wheel(self.pin, wheel, folder, native)

    def load(self, folder: Path) -> Distribution:
        """Return it."""
        return install.load(self.pin, folder)

    def _build(
        self, tree: Path, scratch: Path, run: RunCommand, noted: "_Failures"
    ) -> tuple[Path, BuildTools]:
        """Return the wheel, and the build requirements that were used."""
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
            machine=self.interpreter.runs_on,
            may_be_unpinned=self.may_be_unpinned,
            run=run,
            built={tool.pin.name: tool for tool in self.tools},
        )
        tools.install(source.requirements(tree, system))
        programs.write(site, tools.programs, self.interpreter.python)
        env = self._environment(tree, scratch, tools.programs)
        call: list[str | Path] = [self.interpreter.python, "-P", "-S"]
        call += [cross.HOOK, self.machine] if self._is_cross else []
        call.append(self.hook)
        rest: list[str | Path] = [site, out, system.build_backend, *system.backend_path]
        try:
            # Line by line, and not kept: a back end may print without end.
            run([*call, "requires", *rest], cwd=tree, env=env, on_line=noted.show)
            if further := (out / "result").read_text("utf-8").splitlines():
                tools.install(further)
                programs.write(site, tools.programs, self.interpreter.python)
            run([*call, "wheel", *rest], cwd=tree, env=env, on_line=noted.add)
        except ToolError as exc:
            raise ToolError(
                f"{self.pin}: does not build for a static executable",
                hint=f"{cross.HINT if self._is_cross else ''}"
                f"{build_faults.remedy(self.pin.name, exc.detail)}",
                detail=exc.detail,
            ) from exc
        made = (out / "result").read_text("utf-8").rstrip("\n")
        if made != PurePosixPath(made).name or not made.endswith(".whl"):
            raise ProjectError(f"{self.pin}: its build made {shown(made)}; expected a wheel")
        return out / made, tools

    def _environment(self, tree: Path, scratch: Path, programs: Path) -> dict[str, str]:
        tools, home = self.toolchain.bin, scratch / "home"
        prefix = own_prefix.write(
            scratch / "prefix", self.libraries, python=Path(sys.executable),
            target=self.machine if self._is_cross else None,
        )  # fmt: skip
        target, native = {}, self.toolchain.native
        if native:
            target = cross.environment(self.interpreter, self.machine, native, scratch / "target")
        machine = machine_programs.links(scratch / "machine")
        compilers = program_links.write(scratch / "compilers", tools, self.machine)
        own = {
            "PATH": f"{programs}:{prefix}/bin:{compilers}:{tools}:{machine}",
            "PYTHONHOME": str(self.interpreter.home),
            # Programs of build requirements are Python too.
            "PYTHONPATH": f"{scratch}/target:{scratch}/site" if target else f"{scratch}/site",
            "PYTHONDONTWRITEBYTECODE": "1",
            "SOURCE_DATE_EPOCH": "315532800",  # 1980, the oldest date a zip file can hold
            "PYTHONHASHSEED": "0",
            # The caller's settings of git, pip and distutils, and a repository above the cache,
            # must not matter.
            "HOME": str(home),
            "TMPDIR": str(home),
            "GIT_CEILING_DIRECTORIES": str(scratch),
            "GIT_CONFIG_NOSYSTEM": "1",
            "CC": str(compilers / "cc"),
            "CXX": str(compilers / "c++"),
            "LDSHARED": f"{tools}/cc -shared",
            "LDCXXSHARED": f"{tools}/c++ -shared",
            "AR": str(tools / "ar"),
            "CFLAGS": f"{self.level} -DNDEBUG -ffile-prefix-map={tree}=. {OLD_C}",
            # After all others: a copy that the source brings is the one it fits.
            "CPPFLAGS": f"-I{self.runtime.include} -idirafter {prefix}/include",
            "LDFLAGS": f"-L{prefix}/lib",
            "PKG_CONFIG": f"{prefix}/bin/pkg-config",
            "CMAKE_PREFIX_PATH": str(prefix),
            "CMAKE_TOOLCHAIN_FILE": f"{prefix}/cmake",
            "ONEBIN_PREFIX": str(prefix),
            "ONEBIN_VISIBLE": str(self.interpreter.home.parent.parent),
            "ONEBIN_LIBRARIES": str(scratch / "out" / "libraries"),
        }
        return own | target | self.environment


class _Failures:
    """The extensions that a back end leaves out since they do not compile, by its output."""

    def __init__(self, of: str, report: Callable[[str], None]) -> None:
        self.names: dict[str, None] = {}
        self._of, self._report = of, report

    def add(self, line: str) -> None:
        """Note the failure in *line*, if there is one."""
        if found := FAILED.search(line):
            self.names[found[1]] = None
        self.show(line)

    def show(self, line: str) -> None:
        """Report *line* as the progress."""
        self._report(f"{self._of}: {line.strip()[:SHOWN]}")


def _wanted_by(wheel: Path, noted: Path) -> tuple[str, ...]:
    """Return the libraries that linkers of the files in *wheel* were given, by the lines *noted*.

    Those of configure's experiments and of programs do not count.
    """
    if not noted.exists():
        return ()
    with zipfile.ZipFile(wheel) as archive:
        inside = {name.rpartition("/")[2] for name in archive.namelist()}
    lines = (line.rpartition(" ") for line in noted.read_text("utf-8").splitlines())
    return tuple(sorted({name for output, _, name in lines if output in inside}))
