"""The values a build goes through: pins, sources, Plan, CPython, Distribution, Binary."""

from pathlib import Path
from typing import NamedTuple

import msgspec

from .project import Machine, Pin, Project


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """Third-party C code that is built, and where it may come from.

    ``origin`` is ``auto`` (``folder``, else ``url``, else Debian's source package), ``apt`` (that
    package alone), a URL or file of a tarball, or a directory.
    """

    name: str
    version: str
    sha256: str
    """Of the tarball; empty only for a directory."""
    origin: str = "auto"
    folder: str = ""
    """A directory of this machine where the tarball may be, under any name."""
    url: str = ""
    """Of the tarball, at its authors'."""
    debian_file: str = ""
    """The tarball of Debian's source package of it, as the pool names it."""
    debian_sha256: str = ""
    """sha256 of that tarball, where Debian repacked it."""
    files_sha256: str = ""
    """Of the files that are compiled, where two tarballs may bring them; see ``fetch.digest``."""


class Package(msgspec.Struct, frozen=True):
    """A library, or a part of one, by the name that pkg-config(1) has for it."""

    name: str
    libraries: tuple[str, ...]
    """As ``-l`` names them, in link order; those that it needs behind it."""
    include: str = ""
    """Of its headers, the folder below ``include``."""


class BuiltLibrary(msgspec.Struct, frozen=True):
    """One static C library for the target; linked only into programs that reach it."""

    name: str
    source: Source
    license: str
    """An SPDX expression."""
    include: Path
    archives: tuple[Path, ...]
    """In link order."""
    key: str
    packages: tuple[Package, ...] = ()
    changed_files: tuple[str, ...] = ()
    """Of its source, by its recipe."""


class BuiltModule(msgspec.Struct, frozen=True):
    """One C module of CPython over C libraries, as objects for the target."""

    name: str
    symbol: str
    """Its initializer."""
    objects: tuple[Path, ...]
    libraries: tuple[BuiltLibrary, ...]


class Function(NamedTuple):
    """One C function of a profile: how often each of its counted edges was taken."""

    name: str
    """As clang names it for profiles: a function of one file alone has the file before it."""
    hash: int
    """Of its control flow: counts are of use only to the very same one."""
    counts: tuple[int, ...]


class Profile(msgspec.Struct, frozen=True):
    """Counts of a training run, read once (``onebin.pgo.profile``)."""

    path: str
    sha256: str
    """Of its text, in hex."""
    made_by: str
    """The compiler and the sources it was counted with."""
    functions: tuple[Function, ...]


class Offer(msgspec.Struct, frozen=True):
    """How a pinned distribution can come in."""

    pin: Pin
    provider: str
    """``pure`` or ``captured``: a module of ``onebin.distributions``."""
    file: str
    """The file of the index that is used, by name."""
    sha256: str = ""
    """Of that file, in hex; empty where the index does not publish it."""
    has_compiled: bool = False
    """Whether pip would install it with compiled code on this platform."""
    lacks: str = ""
    """Why that code is not built here; empty where it is, or where the project can do without."""
    libraries: tuple[str, ...] = ()
    """C libraries its source includes headers of, as ``onebin.runtime`` names their recipes."""
    environment: dict[str, str] = {}
    """Variables that make its build compile more."""
    build_requires: tuple[Pin, ...] = ()
    """What builds it, as far as its ``pyproject.toml`` names that; empty for a wheel."""
    build_sources: tuple["Offer", ...] = ()
    """Those of them that are built from source in turn."""
    names: tuple[str, ...] = ()
    """Of modules that a source may bring; empty for a wheel."""


class Obstacle(msgspec.Struct, frozen=True):
    """Why a pinned distribution cannot be part of a static executable."""

    pin: Pin
    reason: str
    hint: str


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a build will do, decided before it takes time."""

    project: Project
    machine: Machine
    """The target's processor."""
    build_machine: Machine
    """The processor that the build runs on."""
    python: Source
    series: str
    """Of CPython, ``3.13``: markers, offers and the lock are chosen for it."""
    zlib: Source
    toolchain: str
    """The compiler, pinned: ``ziglang 0.17.1``."""
    distributions: tuple[Pin, ...]
    """Dependencies at run time; without a lock those that the index has now, or none."""
    lock: str = ""
    """The file they are pinned in; empty without one."""
    lock_reason: str = ""
    """Why that one, where another would do."""
    not_needed: tuple[str, ...] = ()
    """Names the lock has for other platforms, extras and groups."""
    is_locked: bool = True
    """False if the first build will choose versions and write ``onebin.lock``."""
    obstacles: tuple[Obstacle, ...] = ()
    """What the lock has from no index: distributions without an offer."""
    offers: tuple[Offer | Obstacle, ...] = ()
    """How each distribution comes in; empty if the index was not read."""
    unknown: str = ""
    """Why versions or offers are not known: the page of an index that failed."""
    unknown_hint: str = ""
    build_pins: tuple[Pin, ...]
    """What building them may use."""
    written_build_lock: str = ""
    """The build lock that onebin writes, and extends by what ``build_pins`` lack; empty where
    the project has its own."""
    profile: Profile | None = None
    instrumented: bool = False
    """Whether the executable counts how often each piece of its C code runs."""

    @property
    def is_cross(self) -> bool:
        """Whether the executable is for another processor than the build runs on."""
        return self.machine != self.build_machine

    @property
    def may_be_unpinned(self) -> bool:
        """Whether the index may choose build requirements that ``build_pins`` lack."""
        loose = self.project.options.allow_unpinned_build_requirements
        return loose or bool(self.written_build_lock)

    @property
    def new_build_pins(self) -> tuple[Pin, ...]:
        """What the first build adds to ``written_build_lock``, as far as the offers show."""
        if not self.written_build_lock:
            return ()
        used = {
            pin for item in self.offers if isinstance(item, Offer) for pin in item.build_requires
        }
        used.update(self.project.build_requires)
        return tuple(sorted(used - set(self.build_pins)))


class NativeTools(msgspec.Struct, frozen=True):
    """The same compiler for programs that a build runs itself."""

    machine: Machine
    """The processor that the build runs on."""
    bin: Path


class Toolchain(msgspec.Struct, frozen=True):
    """Where the pinned compiler's programs are: ``cc``, ``c++``, ``ar``, ``ranlib``, ``ld``."""

    bin: Path
    """Beside them is ``assemble``, a name that no build system has."""
    crt_start: Path
    """``rcrt1.o``: runs before ``main`` in a static position-independent executable."""
    libraries: tuple[Path, ...]
    """musl's libc and the compiler's run-time library, in link order."""
    key: str
    """Names the compiler, its version and the flags every compilation gets."""
    instrumented: bool = False
    """Whether compiled code counts how often it runs."""
    native: NativeTools | None = None
    """Of a compiler for another processor; None where the compiled code runs here."""


class Interpreter(msgspec.Struct, frozen=True):
    """A CPython that runs on this machine: it compiles modules and runs build back ends.

    For another processor ``stdlib`` is the target's, which states how that CPython was built.
    """

    python: Path
    """A static executable with every module built in."""
    home: Path
    """``PYTHONHOME`` of it."""
    stdlib: Path
    runs_on: Machine
    version: str
    """``3.13``."""
    key: str


class Runtime(msgspec.Struct, frozen=True):
    """The archives of a static CPython for the target; nothing of it runs here."""

    target: Machine
    archives: tuple[Path, ...]
    """In link order."""
    include: Path
    builtins: dict[str, str]
    """C modules the archives can provide, each with its initializer's symbol (or ``NULL``)."""
    key: str
    sources: Path = Path()
    """CPython's ``Modules``: sources compiled only for programs that reach them."""
    library_modules: dict[str, tuple[str, ...]] = {}
    """C modules over C libraries, each with its source files in ``sources``."""


class CPython(msgspec.Struct, frozen=True):
    """One build of CPython: the interpreter of this machine and the archives for the target."""

    interpreter: Interpreter
    runtime: Runtime
    compiling: Interpreter | None = None
    """What compiles modules, if it is another one: the same code, with a faster libc."""


class Extension(msgspec.Struct, frozen=True):
    """A C extension module, as one relocatable object with one global symbol."""

    module: str
    """Dotted name."""
    object: Path
    symbol: str
    """The renamed ``PyInit`` function."""
    libraries: tuple[str, ...] = ()
    """System libraries it wants, as given to ``-l``; parts of libc are left out."""
    built: tuple[BuiltLibrary, ...] = ()
    """Those that are there for it."""
    distribution: str = ""
    """The one it is part of, as errors name it; empty for a module of none."""

    def __str__(self) -> str:
        """Return it as errors name it: ``thing 1.0: its C module thing._c``."""
        of = f"{self.distribution}: its " if self.distribution else ""
        return f"{of}C module {self.module}"


class Distribution(msgspec.Struct, frozen=True):
    """One installed distribution: a directory of importable code, and its C extensions."""

    pin: Pin
    code: Path
    key: str
    """Cache key: names its contents by their inputs."""
    extensions: tuple[Extension, ...] = ()
    unpinned: tuple[Pin, ...] = ()
    """Build requirements no lock pins."""
    data: Path | None = None
    """A folder of its files below ``sys.prefix``, such as ``share/``."""
    lost: tuple[str, ...] = ()
    """C extensions that its build left out since they do not compile."""
    requires: tuple[Pin, ...] = ()
    """Build requirements that it was built with."""


class BuildTool(msgspec.Struct, frozen=True):
    """A build requirement that was built from source; its C extensions are in the interpreter."""

    pin: Pin
    code: Path
    key: str
    """Cache key: names its contents by their inputs."""


class Binary(msgspec.Struct, frozen=True):
    """One finished executable on disk."""

    name: str
    """Its file name, which is also its path in an image: ``/app/<name>``."""
    path: Path
    size: int
    """Bytes."""
    sha256: str
    """Lower-case hex of its contents."""
    machine: Machine
