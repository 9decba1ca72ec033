"""The values a build is made of. Each is frozen; a stage takes some and gives the next.

directory -> Project -> Plan -> Runtime -> Extensions -> Frozen -> Binary -> Image,
and Binary or Image -> Report.
"""

from pathlib import Path
from typing import Literal

import msgspec

Machine = Literal["x86_64", "aarch64"]
"""A processor as the kernel names it (``uname -m``)."""

Architecture = Literal["amd64", "arm64"]
"""A processor as an image platform names it (``GOARCH``, OCI image-spec config.md)."""

ARCHITECTURES: dict[Machine, Architecture] = {"x86_64": "amd64", "aarch64": "arm64"}


class Entry(msgspec.Struct, frozen=True):
    """What the executable runs: ``sys.exit(module.function())``."""

    module: str
    function: str


class ImageSettings(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab", kw_only=True
):
    """``[tool.onebin.image]``: what the image says of itself beside the executable."""

    ports: tuple[int, ...] = ()
    """TCP ports to expose."""
    healthcheck: tuple[str, ...] = ()
    """Arguments of the executable that check a running container; exit 0 is healthy."""
    labels: dict[str, str] = {}
    """Further labels, beside the ``org.opencontainers.image`` ones taken from ``[project]``."""
    env: dict[str, str] = {}
    """Environment of the container."""


class Options(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab", kw_only=True
):
    """``[tool.onebin]`` of a project's ``pyproject.toml``."""

    entry_point: str = ""
    """A name of ``[project.scripts]``, or ``module:function``; empty for the only script."""
    source: str = ""
    """The directory that holds the importable code; ``src`` or the project itself if empty."""
    lock: str = "onebin.lock"
    """Pinned run-time requirements with hashes, relative to the project."""
    build_lock: str = ""
    """Pinned build requirements of source distributions, with hashes, relative to the project."""
    include: tuple[str, ...] = ()
    """Modules to freeze although no import of them is seen; ``pkg.*`` for all below, too."""
    exclude: tuple[str, ...] = ()
    """Modules to leave out although something imports them; ``pkg.*`` for all below."""
    asserts: bool = True
    """Keep ``assert`` statements."""
    docstrings: bool = False
    """Keep docstrings."""
    optimize: Literal["speed", "balanced", "size"] = "balanced"
    """How C is compiled: -O2, -Os, or -O2 for the interpreter's core and -Os for the rest."""
    python_source: str = ""
    """Where CPython's source is; see ``PythonSource``. Empty is the pinned default."""
    image: ImageSettings = msgspec.field(default_factory=ImageSettings)


class Project(msgspec.Struct, frozen=True, kw_only=True):
    """A Python project as its ``pyproject.toml`` describes it."""

    root: Path
    name: str
    """As ``[project]`` spells it; the executable's name too."""
    version: str
    entry: Entry
    code: Path
    """The directory its modules are imported from."""
    dependencies: tuple[str, ...]
    """PEP 508 requirements, as written."""
    options: Options
    description: str = ""
    licence: str = ""
    """An SPDX expression."""
    source_url: str = ""


class Pin(msgspec.Struct, frozen=True, order=True):
    """One distribution of the index at one version."""

    name: str
    """Normalised (PEP 503)."""
    version: str
    hashes: tuple[str, ...]
    """``sha256:…`` of every file that may stand for it."""


class PythonSource(msgspec.Struct, frozen=True):
    """Which CPython, and where its source comes from.

    ``origin`` is ``auto`` (python.org, else the distribution's signed source package),
    ``apt`` (that package alone), a URL or file of a tarball, or a directory.
    """

    version: str
    sha256: str
    """Of the tarball; empty only where apt's signatures or a directory's contents stand for it."""
    origin: str = "auto"


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """All that will be done, decided before anything that costs time or touches the net."""

    project: Project
    machine: Machine
    python: PythonSource
    toolchain: str
    """The compiler, pinned: ``ziglang 0.17.1``."""
    distributions: tuple[Pin, ...]
    """What the project needs at run time."""
    build_pins: tuple[Pin, ...]
    """What building them may use; anything else is taken unpinned."""


class Toolchain(msgspec.Struct, frozen=True):
    """Where the pinned compiler's programs are: ``cc``, ``c++``, ``ar``, ``ranlib``, ``ld``."""

    bin: Path
    start: Path
    """``rcrt1.o``: what runs before ``main`` in a static position-independent executable."""
    libraries: tuple[Path, ...]
    """musl's libc and the compiler's run-time library, in link order."""
    key: str
    """Names the compiler, its version and the flags every compilation gets."""


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


class FrozenModule(msgspec.Struct, frozen=True):
    """One module's compiled code."""

    name: str
    is_package: bool
    code: Path
    """A file of marshalled code, packed as ``onebin.packed`` says."""
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


ElfKind = Literal[
    "static", "static-pie", "dynamic", "dynamic-pie", "shared-object", "relocatable", "core"
]


class ElfFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What an executable says of itself, read from its headers."""

    machine: str
    """As ``uname -m`` has it where it is known, else ``machine-<e_machine>``."""
    bits: Literal[32, 64]
    little_endian: bool
    kind: ElfKind
    static: bool
    """It starts with no help: an executable without a loader and without libraries."""
    reasons: tuple[str, ...]
    """Why it is static, or why it is not."""
    interpreter: str
    """The loader it asks for (PT_INTERP); empty for none."""
    needed: tuple[str, ...]
    """Libraries it asks for (DT_NEEDED)."""
    run_paths: tuple[str, ...]
    """Folders it looks for them in (DT_RPATH, DT_RUNPATH)."""
    relro: bool
    """Relocated data becomes read-only after the start (PT_GNU_RELRO)."""
    bind_now: bool
    """All symbols are bound at the start; means nothing without libraries."""
    executable_stack: bool
    writable_code: int
    """Segments that may be written and executed."""
    stack_protector: bool | None
    """Functions check a canary; None where the file does not tell."""
    stripped: bool
    """It has no symbol table."""
    sections: dict[str, int]
    """Size in bytes by name; empty where there is no section table."""


class Executable(msgspec.Struct, frozen=True):
    """The executable a report is about."""

    path: str
    """In the image where it is in one, else as it was given."""
    size: int
    """Bytes."""
    compressed: int
    """Bytes that gzip -9 makes of it."""
    sha256: str
    """Lower-case hex."""
    elf: ElfFacts


class FileFacts(msgspec.Struct, frozen=True):
    """One file, folder or link of an image."""

    path: str
    """Absolute."""
    kind: str
    mode: str
    """Four octal digits."""
    uid: int
    gid: int
    size: int
    """Bytes."""
    link: str = ""
    """Where a symlink or hard link leads, as written."""


class LayerReport(msgspec.Struct, frozen=True):
    """One layer, as measured."""

    digest: str
    """Of the stored blob."""
    diff_id: str
    """Of the tar in it."""
    stored: int
    """Bytes of the blob."""
    compressed: int
    """Bytes in gzip: the blob's, or what gzip -9 makes of a layer stored as a plain tar."""
    unpacked: int
    """Bytes of the data of its files."""


class ImageReport(msgspec.Struct, frozen=True, kw_only=True):
    """What an image is and holds."""

    names: tuple[str, ...]
    digest: str
    """Of the manifest; empty where the archive has none."""
    id: str
    """Digest of the config: what ``docker images`` shows."""
    platform: str
    """``os/architecture``."""
    created: str
    """RFC 3339, as written; may be empty."""
    user: str
    entrypoint: tuple[str, ...]
    cmd: tuple[str, ...]
    env: tuple[str, ...]
    """Names only: values may be secret."""
    ports: tuple[str, ...]
    volumes: tuple[str, ...]
    working_dir: str
    stop_signal: str
    healthcheck: tuple[str, ...]
    """As the config has it: ``CMD`` and a command, ``CMD-SHELL`` and a line, or nothing."""
    labels: dict[str, str]
    layers: tuple[LayerReport, ...]
    unpacked: int
    """Bytes of the data of all files of all layers: what ``docker images`` shows."""
    compressed: int
    """Bytes of all layers in gzip: what a pull moves."""
    wasted: int
    """Bytes of files that a later layer hides."""
    file_count: int
    """Regular files; the rest are folders and links."""
    files: tuple[FileFacts, ...]
    """Everything in it, by path."""
    other_executables: tuple[str, ...]
    """ELF files with an execute bit, beside the one it starts."""
    other_elf: tuple[str, ...]
    """Further ELF files: libraries, objects."""
    shells: tuple[str, ...]
    interpreters: tuple[str, ...]
    network_tools: tuple[str, ...]
    package_managers: tuple[str, ...]
    """Programs and databases."""
    setuid: tuple[str, ...]
    """Files with the setuid or setgid bit, or with file capabilities."""
    world_writable: tuple[str, ...]


class Finding(msgspec.Struct, frozen=True):
    """One check of the list in ``docs/reference/inspect.md``."""

    id: str
    status: Literal["pass", "fail", "unknown"]
    check: str
    """What must hold: one sentence."""
    evidence: tuple[str, ...]
    """What was seen."""


ImageFormat = Literal["oci-layout", "oci-archive", "docker-archive"]


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """Everything ``onebin inspect`` has to say."""

    kind: Literal["executable", "image"]
    path: str
    """What was inspected, as it was given."""
    format: Literal["elf"] | ImageFormat
    executable: Executable | None
    """None for an image that starts no ELF file."""
    image: ImageReport | None
    """None for a bare executable."""
    findings: tuple[Finding, ...]
