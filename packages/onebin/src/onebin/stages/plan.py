"""Project -> Plan: everything that will cost time or touch the net, decided as data."""

import hashlib
import re
from collections.abc import Iterable, Mapping
from typing import Final

import msgspec
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from onebin.errors import ProjectError
from onebin.model import RELEASE, Machine, Pin, Plan, Project, Source, target_environment
from onebin.profile import from_text

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

SUFFIXES: Final = (".tar.xz", ".tar.gz", ".tgz")


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

    A tarball is a path or URL followed by ``#sha256=…``.
    """
    if not text:
        return PYTHON
    origin, _, fragment = text.partition("#")
    sha256 = fragment.removeprefix("sha256=")
    is_tarball = origin.endswith(SUFFIXES)
    if is_tarball and not (fragment.startswith("sha256=") and len(sha256) == 64):  # noqa: PLR2004
        raise ProjectError(
            f"python-source: {origin} has no checksum",
            hint=f"write {origin}#sha256=<64 hex digits>",
        )
    if "://" in origin and not is_tarball:
        raise ProjectError(
            f"python-source: {origin} is not a tarball",
            hint=f"it must end in {', '.join(SUFFIXES)}",
        )
    # Of another tarball the version is known when it is unpacked.
    version = PYTHON.version if sha256 == PYTHON.sha256 else ""
    return msgspec.structs.replace(PYTHON, version=version, sha256=sha256, origin=origin)


def _beside(python: Source) -> Source:
    """Return zlib's source, from where CPython's is: beside its file, or by apt alone."""
    if python.origin == "apt":
        return msgspec.structs.replace(ZLIB, origin="apt")
    if python.origin.endswith(SUFFIXES) and "://" not in python.origin:
        return msgspec.structs.replace(ZLIB, folder=python.origin.rpartition("/")[0] or ".")
    return ZLIB


def parse_lock(text: str, environment: Mapping[str, str], *, where: str) -> tuple[Pin, ...]:
    """Read a requirements file in which every line is pinned and hashed.

    Raises:
        ProjectError: a line is not ``name==version`` with at least one sha256.
    """
    pins = []
    for line in _logical_lines(text):
        words = line.split(" --hash=")
        hashes = tuple(sorted(word.strip() for word in words[1:]))
        try:
            requirement = Requirement(words[0].strip())
        except InvalidRequirement as exc:
            raise ProjectError(f"{where}: {words[0].strip()!r} is not a requirement") from exc
        if requirement.marker and not requirement.marker.evaluate(dict(environment)):
            continue
        specifiers = list(requirement.specifier)
        one_version = len(specifiers) == 1 and specifiers[0].operator == "=="
        if not one_version or not hashes or not all(map(HASH.fullmatch, hashes)):
            raise ProjectError(
                f"{where}: {requirement.name} is not pinned with a hash",
                hint="write the file with: pip-compile --generate-hashes, or delete it and build",
            )
        pins.append(Pin(canonicalize_name(requirement.name), specifiers[0].version, hashes))
    return tuple(sorted(pins))


def _logical_lines(text: str) -> Iterable[str]:
    for line in text.replace("\\\n", " ").splitlines():
        bare = line.partition(" #")[0].strip()
        if bare and not bare.startswith(("#", "-")):
            yield " ".join(bare.split())


def _check_complete(
    project: Project, pins: tuple[Pin, ...], environment: Mapping[str, str]
) -> None:
    versions = {pin.name: pin.version for pin in pins}
    for text in project.dependencies:
        try:
            wanted = Requirement(text)
        except InvalidRequirement as exc:
            raise ProjectError(f"project.dependencies: {text!r} is not a requirement") from exc
        if wanted.marker and not wanted.marker.evaluate(dict(environment)):
            continue
        have = versions.get(canonicalize_name(wanted.name))
        if have is None or not wanted.specifier.contains(have, prereleases=True):
            raise ProjectError(
                f"{project.options.lock}: has {wanted.name} {have or 'not at all'}, "
                f"the project asks for {text}",
                hint="write the lock anew: onebin lock",
            )
