"""What a build goes through, a stage each: Plan, Runtime, Distribution, Frozen, Binary."""

from pathlib import Path

import msgspec

from .project import Machine, Project


class Pin(msgspec.Struct, frozen=True, order=True):
    """One distribution of the index at one version."""

    name: str
    """Normalised (PEP 503)."""
    version: str
    hashes: tuple[str, ...]
    """``sha256:…`` of every file that may stand for it."""


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """C code of somebody else's that is built, and where it may come from.

    ``origin`` is ``auto`` (``folder``, else ``url``, else the distribution's signed source
    package), ``apt`` (that package alone), a URL or file of a tarball, or a directory.
    """

    name: str
    version: str
    sha256: str
    """Of the tarball; empty only where apt's signatures or a directory's contents stand for it."""
    origin: str = "auto"
    folder: str = ""
    """A directory of this machine where the tarball may lie, under any name."""
    url: str = ""
    """Of the tarball, at its authors'."""
    package: str = ""
    """Debian's source package of it."""
    repacked: str = ""
    """sha256 of that package's tarball, where Debian has packed it anew."""
    contents: str = ""
    """Of the files that are compiled, where two tarballs may bring them; see ``fetch.digest``."""


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """All that will be done, decided before anything that costs time or touches the net."""

    project: Project
    machine: Machine
    python: Source
    zlib: Source
    toolchain: str
    """The compiler, pinned: ``ziglang 0.17.1``."""
    distributions: tuple[Pin, ...]
    """What the project needs at run time."""
    build_pins: tuple[Pin, ...]
    """What building them may use; anything else is refused, unless the project allows it."""
    profile: str = ""
    """The sha256 of the project's profile (``onebin.pgo.profile``), in hex; empty for none."""
    counting: bool = False
    """Whether the executable is to count how often each piece of its C code runs."""


class Toolchain(msgspec.Struct, frozen=True):
    """Where the pinned compiler's programs are: ``cc``, ``c++``, ``ar``, ``ranlib``, ``ld``."""

    bin: Path
    start: Path
    """``rcrt1.o``: what runs before ``main`` in a static position-independent executable."""
    libraries: tuple[Path, ...]
    """musl's libc and the compiler's run-time library, in link order."""
    key: str
    """Names the compiler, its version and the flags every compilation gets."""
    counting: bool = False
    """Whether what it compiles counts how often it runs."""


class Runtime(msgspec.Struct, frozen=True):
    """A static CPython: an interpreter that runs here, and the archives to link another from."""

    root: Path
    python: Path
    """Static interpreter with every module, used to compile and to run build back ends."""
    stdlib: Path
    include: Path
    archives: tuple[Path, ...]
    """In link order."""
    builtins: dict[str, str]
    """C modules the archives can provide, each with its initialiser's symbol (or ``NULL``)."""
    version: str
    key: str


class Extension(msgspec.Struct, frozen=True):
    """A C extension module, as one relocatable object with one global symbol of its own."""

    module: str
    """Dotted name."""
    object: Path
    symbol: str
    """The renamed ``PyInit`` function."""
    libraries: tuple[str, ...] = ()
    """System libraries it wants, as given to ``-l``; libc's own parts are left out."""


class Distribution(msgspec.Struct, frozen=True):
    """One installed distribution: a directory of importable code, and its C extensions."""

    pin: Pin
    code: Path
    extensions: tuple[Extension, ...] = ()
    unpinned: tuple[str, ...] = ()
    """What it was built with that no lock pins, as lines of one."""


class FrozenModule(msgspec.Struct, frozen=True):
    """One module's compiled code."""

    name: str
    is_package: bool
    code: Path
    """A file of marshalled code, packed as ``onebin.embed.code_packing`` says."""
    size: int
    """Bytes of that file."""


class LeftOut(msgspec.Struct, frozen=True):
    """A module that is imported somewhere and is not in the executable, with the reason."""

    module: str
    importer: str
    reason: str


class Frozen(msgspec.Struct, frozen=True):
    """Every module the executable will hold."""

    modules: tuple[FrozenModule, ...]
    builtins: tuple[str, ...]
    """C modules of CPython to link."""
    extensions: tuple[Extension, ...]
    left_out: tuple[LeftOut, ...]
    key: str


class Binary(msgspec.Struct, frozen=True):
    """One finished executable on disk."""

    name: str
    """Its file name, which is also its path in an image: ``/app/<name>``."""
    path: Path
    """Where it lies on this machine."""
    size: int
    """Bytes."""
    sha256: str
    """Lower-case hex of its contents."""
    machine: Machine
