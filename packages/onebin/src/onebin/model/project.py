"""A project as its ``pyproject.toml`` describes it, and the processors it is built for."""

from pathlib import Path
from typing import Literal

import msgspec

Machine = Literal["x86_64", "aarch64"]
"""A processor as the kernel names it (``uname -m``)."""

Architecture = Literal["amd64", "arm64"]
"""A processor as an image platform names it (``GOARCH``, OCI image-spec config.md)."""

ARCHITECTURES: dict[Machine, Architecture] = {"x86_64": "amd64", "aarch64": "arm64"}

PLATFORMS: dict[str, Machine] = {
    f"linux/{architecture}": machine for machine, architecture in ARCHITECTURES.items()
}
"""Platforms as images name them, each with its processor."""


HeldSignal = Literal[
    "SIGHUP", "SIGINT", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGALRM", "SIGTERM", "SIGCHLD", "SIGWINCH"
]
"""A signal that a program may handle itself (signal(7))."""


Variable = Literal[
    "PYTHONASYNCIODEBUG", "PYTHONBREAKPOINT", "PYTHONDEVMODE", "PYTHONFAULTHANDLER",
    "PYTHONHASHSEED", "PYTHONINTMAXSTRDIGITS", "PYTHONIOENCODING", "PYTHONMALLOC",
    "PYTHONMALLOCSTATS", "PYTHONPATH", "PYTHONPROFILEIMPORTTIME", "PYTHONTRACEMALLOC",
    "PYTHONUNBUFFERED", "PYTHONVERBOSE", "PYTHONWARNINGS", "PYTHON_COLORS", "PYTHON_CPU_COUNT",
    "PYTHON_DISABLE_REMOTE_DEBUG",
]  # fmt: skip
"""A variable of CPython that has a meaning in an executable (python(1)): its code is compiled, its
folders are inside and its text is UTF-8, so PYTHONOPTIMIZE, PYTHONHOME or PYTHONUTF8 have none."""


class EntryPoint(msgspec.Struct, frozen=True):
    """The start of the executable: ``sys.exit(module.function())``."""

    module: str
    function: str
    """Empty where the module runs as ``__main__``."""
    file: str = ""
    """The name of a script file that is run; then the module is ``__main__``."""
    text: str = ""
    """The source of that file."""

    def __str__(self) -> str:
        if self.file:
            return f"{self.file}, a script file"
        return f"{self.module}:{self.function}" if self.function else self.module


class Fault(msgspec.Struct, frozen=True):
    """What the project must change, where the rest of it can still be read."""

    reason: str
    hint: str


class ImageSettings(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab", kw_only=True
):
    """``[tool.onebin.image]``: settings of the image."""

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
    lock: str = ""
    """The lock, relative to the project; if empty the first there is of ``locks.NAMES``."""
    extras: tuple[str, ...] = ()
    """Extras of the project whose requirements it needs too."""
    groups: tuple[str, ...] = ()
    """Dependency groups (PEP 735) whose requirements it needs too."""
    build_lock: str = ""
    """Pinned build requirements of source distributions, with hashes, relative to the project."""
    allow_unpinned_build_requirements: bool = False
    """Let the index choose build requirements that no lock pins; each is reported with its hash."""
    from_source: tuple[str, ...] = ()
    """Distributions to build from source although they have a pure-Python wheel: for their C."""
    pure: tuple[str, ...] = ()
    """Distributions that may come without the compiled code that pip would install."""
    include: tuple[str, ...] = ()
    """Modules to freeze although no import of them is seen; ``pkg.*`` also for all below."""
    exclude: tuple[str, ...] = ()
    """Modules to omit although something imports them; ``pkg.*`` for all below."""
    asserts: bool = True
    """Keep ``assert`` statements."""
    docstrings: bool | None = None
    """Keep docstrings; None keeps them unless ``prune`` is ``reachable``."""
    prune: Literal["nothing", "reachable"] = "nothing"
    """The parts left out: nothing of the distributions, or all that no visible import reaches."""
    sources: bool = True
    """Whether source files are inside, for tracebacks and ``inspect``."""
    optimize: Literal["speed", "balanced", "size"] = "balanced"
    """How C is compiled: -O2, -Os, or -O2 for the interpreter's core and -Os for the rest."""
    profile: str = ""
    """How often each piece of C code runs, by ``onebin train``; relative to the project."""
    python: str = ""
    """A series or a release of CPython that is pinned: ``3.14``, ``3.13.5``; empty for the
    default, or the next that ``requires-python`` allows."""
    python_source: str = ""
    """Where CPython's source is; see ``Source``. Empty is the pinned default."""
    hold_signals: tuple[HeldSignal, ...] = ()
    """Signals that are blocked from the executable's first instruction on, for the program to
    unblock once it handles them."""
    environment: tuple[Variable, ...] = ()
    """``PYTHON*`` variables that the executable obeys; it ignores all others."""
    image: ImageSettings = msgspec.field(default_factory=ImageSettings)


class Trace(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What runs of the program used beyond what its imports show: ``onebin-trace.toml``."""

    modules: tuple[str, ...] = ()
    """By dotted name, sorted."""
    files: tuple[str, ...] = ()
    """Below the standard library's folder, sorted: ``site-packages/app/x.html``; those in ``bin``
    below the prefix. A name with a slash at its end is a folder whose files were listed."""


class Origin(msgspec.Struct, frozen=True, order=True, omit_defaults=True):
    """Where a distribution comes from if no index has it."""

    kind: Literal["directory", "file", "git", "url"]
    address: str
    """A path, in a lock relative to that; or an address, perhaps with a password."""
    commit: str = ""
    """Of a repository: the whole name of one, in hex."""
    folder: str = ""
    """The project's place in the repository, the archive or the directory."""
    digest: str = ""
    """Of a directory's files, once it was read: ``effects.source_tree``."""

    def __str__(self) -> str:
        at = f" at {self.commit[:12]}" if self.commit else ""
        within = f", in {self.folder}" if self.folder else ""
        return f"{self.kind} {self.address}{at}{within}"


class Pin(msgspec.Struct, frozen=True, order=True, omit_defaults=True):
    """One distribution at one version, of the index or of another origin."""

    name: str
    """Normalized (PEP 503)."""
    version: str
    """Empty where only its build states it: that of a folder may be dynamic."""
    hashes: tuple[str, ...]
    """``sha256:…`` of every file accepted for it."""
    origin: Origin | None = None
    """None for the index."""

    def __str__(self) -> str:
        return f"{self.name} {self.version}".rstrip()


class Project(msgspec.Struct, frozen=True, kw_only=True):
    """A Python project as its ``pyproject.toml`` describes it."""

    root: Path
    name: str
    """As ``[project]`` spells it; the executable's name too."""
    version: str
    entry: EntryPoint
    """Of no meaning beside a ``start_fault``."""
    start_fault: Fault | None = None
    """Why it has no start, where it has none: an obstacle of its plan beside all others."""
    starts: tuple[str, ...] = ()
    """Names of its scripts, each of which can be chosen as the start."""
    not_starts: tuple[str, ...] = ()
    """Its programs that cannot, each with the reason."""
    code: Path
    """The directory its modules are imported from."""
    dependencies: tuple[str, ...]
    """PEP 508 requirements, as written."""
    options: Options
    requires_python: str = ""
    """Versions of Python it runs on (PEP 440 specifiers); empty for any."""
    description: str = ""
    license: str = ""
    """An SPDX expression."""
    source_url: str = ""
    metadata: str = ""
    """Its core metadata, as an installed distribution has it in ``METADATA``."""
    entry_points: str = ""
    """Its entry points, as ``entry_points.txt`` has them."""
    data: Path | None = None
    """A folder of its files below ``sys.prefix``, such as ``share/``."""
    is_distribution: bool = False
    """Whether its code and its metadata are those of one of its distributions."""
    origin: Origin | None = None
    """Where that one comes from, if no dependency names it: a project with C code."""
    results: tuple[Path, ...] = ()
    """Where this build writes: an earlier result there is no part of the program."""
    sources_elsewhere: dict[str, str] | None = None
    """Of a script: the kind of source of each dependency that uv takes from no index. None where
    the folder's files decide."""
    build_requires: tuple[Pin, ...] = ()
    """Build requirements that its own wheel was made with."""
    trace: Trace = Trace()
    """Read for a pruned program; of no meaning in a whole one."""
    is_traced: bool = False
    """Whether the executable notes the modules and files that it uses."""

    @property
    def is_whole(self) -> bool:
        """Whether whole distributions go in, with all their files."""
        return self.options.prune == "nothing"

    @property
    def has_files(self) -> bool:
        """Whether files are inside: of a pruned program those that a run has used."""
        return self.is_whole or bool(self.trace.files)

    @property
    def interprets(self) -> bool:
        """Whether the program is an interpreter for its children."""
        return self.is_whole or "bin/python3" in self.trace.files

    @property
    def docstrings(self) -> bool:
        """Whether docstrings are kept."""
        chosen = self.options.docstrings
        return self.is_whole if chosen is None else chosen
