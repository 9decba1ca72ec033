"""Project -> Plan: everything that will cost time or touch the net, decided as data."""

import hashlib
import re
import urllib.parse
from collections.abc import Iterable, Mapping
from typing import Final

import msgspec
from packaging.utils import canonicalize_name

from onebin.errors import ProjectError
from onebin.model import RELEASE, Machine, Pin, Plan, Project, Source, target_environment
from onebin.pgo.profile import from_text
from onebin.requirement import shown

from . import requirement

PYTHON: Final = Source(
    name="CPython",
    version=RELEASE,
    sha256="93e583f243454e6e9e4588ca2c2662206ad961659863277afcdb96801647d640",
    url=f"https://www.python.org/ftp/python/{RELEASE}/Python-{RELEASE}.tar.xz",
    package="python3.13",
)
"""The default: what Debian 13 carries, so that its signed source package has the same bytes."""

ZLIB: Final = Source(
    name="zlib",
    version="1.3.1",
    sha256="9a93b2b7dfdac77ceba5a558a580e74667dd6fede4585b91eefb60f03b72df23",
    url="https://zlib.net/fossils/zlib-1.3.1.tar.gz",
    package="zlib",
    repacked="60dd315c07f616887caa029408308a018ace66e3d142726a97db164b3b8f69fb",
    contents="72b4b64d801d08aa3508d4fa5f7f85b0d37e0b7ba23884d3468fe86188ac18a9",
)
"""Debian packs it anew, without contributed programs; the C files are the same."""

TOOLCHAIN: Final = "ziglang 0.17.1"
"""One pinned compiler with its own musl: the same bytes wherever the build runs."""

HASH: Final = re.compile("sha256:[0-9a-f]{64}")
CHECKSUM: Final = re.compile("sha256=([0-9a-f]{64})")

SCHEMES: Final = ("https", "http")
"""Of an address a source is fetched from; its checksum says that it is the right one."""


def plan(
    project: Project,
    *,
    machine: Machine,
    lock: str,
    build_lock: str = "",
    source: str = "",
    profile: str = "",
    counting: bool = False,
) -> Plan:
    """Decide how *project* is built for *machine*.

    Args:
        project: What to build.
        machine: What it will run on.
        source: Where CPython's source is, instead of what the project says.
        lock: The text of its lock file: ``name==version --hash=sha256:…`` lines.
        build_lock: The same for what its source distributions need to be built.
        profile: The text of its profile, if it has one.
        counting: Whether it is built to be trained: then without a profile.

    Raises:
        ProjectError: the lock is no lock, or lacks one of the project's dependencies; or the
            profile is none.
    """
    environment = target_environment(machine)
    distributions = parse_lock(lock, environment, where=project.options.lock)
    _check_complete(project, distributions, environment)
    python = python_source(source or project.options.python_source)
    if profile:
        from_text(profile, project.options.profile)
    return Plan(
        project=project,
        machine=machine,
        python=python,
        zlib=_beside(python),
        toolchain=TOOLCHAIN,
        distributions=distributions,
        build_pins=parse_lock(build_lock, environment, where=project.options.build_lock),
        profile=hashlib.sha256(profile.encode()).hexdigest() if profile else "",
        counting=counting,
    )


def provenance(plan: Plan) -> str:
    """Say what a profile of *plan* is of: what compiles, what is compiled, for what, and how."""
    python = plan.python.version or plan.python.sha256[:12] or plan.python.origin
    level = plan.project.options.optimize
    return f"{plan.toolchain}, CPython {python}, {plan.machine}, {level}"


def python_source(text: str) -> Source:
    """Read the setting ``python-source``: nothing, ``apt``, a directory, or a tarball.

    A tarball is a path or URL followed by ``#sha256=…``. Whether it needs one is decided by
    what it is and not by its name: what is fetched has one, and of files only directories
    have none.

    Raises:
        ProjectError: it has no checksum, or is an address of another kind.
    """
    if not text:
        return PYTHON
    origin, mark, fragment = text.partition("#")
    if origin == "apt" and not mark:
        return msgspec.structs.replace(PYTHON, origin=origin)
    found = CHECKSUM.fullmatch(fragment)
    if "://" in origin:
        _check_address(origin)
    if found is None and ("://" in origin or mark):
        raise ProjectError(
            f"python-source: {shown(origin)} has no checksum; expected one of whatever is fetched",
            hint="write it behind the address or the path: #sha256=<64 hex digits>",
        )
    # Without a checksum it must be a directory: what it is is looked at when it is taken.
    sha256 = found[1] if found else ""
    # Of another tarball the version is known when it is unpacked.
    version = PYTHON.version if sha256 == PYTHON.sha256 else ""
    return msgspec.structs.replace(PYTHON, version=version, sha256=sha256, origin=origin)


def _check_address(origin: str) -> None:
    try:
        parts = urllib.parse.urlsplit(origin)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port, parts = None, None, urllib.parse.urlsplit("")
    plain = origin.isascii() and origin.isprintable() and " " not in origin and port != 0
    if parts.scheme not in SCHEMES or not host or not plain:
        raise ProjectError(f"python-source: {shown(origin)} is not an address of http or https")
    if parts.username is not None:
        raise ProjectError(
            "python-source: the address has a user in it, and would be in plans and caches",
            hint="fetch it yourself, and name the file with its #sha256=",
        )


def _beside(python: Source) -> Source:
    """Return zlib's source, from where CPython's is: beside its file, or by apt alone."""
    if python.origin == "apt":
        return msgspec.structs.replace(ZLIB, origin="apt")
    is_file = python.sha256 and python.origin != "auto" and "://" not in python.origin
    if is_file:
        return msgspec.structs.replace(ZLIB, folder=python.origin.rpartition("/")[0] or ".")
    return ZLIB


def parse_lock(text: str, environment: Mapping[str, str], *, where: str) -> tuple[Pin, ...]:
    """Read a requirements file in which every line is pinned and hashed.

    Raises:
        ProjectError: a line is not ``name==version`` with at least one sha256: an option, an
            address, a second version of one name.
    """
    pins: dict[str, Pin] = {}
    for line in _logical_lines(text, where=where):
        words = line.split(" --hash=")
        hashes = tuple(sorted(word.strip() for word in words[1:]))
        for wanted in requirement.wanted([words[0].strip()], environment, where=where):
            specifiers = list(wanted.specifier)
            one_version = len(specifiers) == 1 and specifiers[0].operator == "=="
            if not one_version or not hashes or not all(map(HASH.fullmatch, hashes)):
                raise ProjectError(
                    f"{where}: {wanted.name} is not pinned with a hash",
                    hint="write the file with: pip-compile --generate-hashes, "
                    "or delete it and build",
                )
            name = canonicalize_name(wanted.name)
            version = requirement.version(specifiers[0].version, where=f"{where}: {name}")
            pin = Pin(name, version, hashes)
            if pins.setdefault(name, pin) != pin:
                raise ProjectError(
                    f"{where}: {name} is pinned twice, to different files",
                    hint="keep one of the lines, or give them markers of which one holds",
                )
    return tuple(sorted(pins.values()))


def _logical_lines(text: str, *, where: str) -> Iterable[str]:
    for line in text.replace("\\\n", " ").splitlines():
        bare = line.partition(" #")[0].strip()
        if bare.startswith("-"):
            raise ProjectError(
                f"{where}: {shown(bare)} is an option; expected name==version --hash=sha256:…",
                hint="where distributions come from is for pip's own settings to say; "
                "pip-compile leaves its options out with --no-emit-options --no-emit-index-url",
            )
        if bare and not bare.startswith("#"):
            yield " ".join(bare.split())


def _check_complete(
    project: Project, pins: tuple[Pin, ...], environment: Mapping[str, str]
) -> None:
    versions = {pin.name: pin.version for pin in pins}
    where = "project.dependencies"
    for wanted in requirement.wanted(project.dependencies, environment, where=where):
        have = versions.get(canonicalize_name(wanted.name))
        if have is None or not wanted.specifier.contains(have, prereleases=True):
            raise ProjectError(
                f"{project.options.lock}: has {wanted.name} {have or 'not at all'}, "
                f"the project asks for {requirement.line(wanted)}",
                hint="write the lock anew: onebin lock",
            )
