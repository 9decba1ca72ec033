"""Locks that are requirements files: ``name==version --hash=sha256:…`` lines."""

import re
from collections.abc import Iterable, Mapping
from typing import Final

import msgspec
from packaging.utils import canonicalize_name

from onebin import requirement
from onebin.errors import ProjectError
from onebin.model import Obstacle, Pin
from onebin.requirement import shown

from .wanted import Wanted

WRITTEN: Final = "onebin.lock"
"""The lock onebin writes by itself at the first build."""

WRITTEN_BUILD: Final = "onebin-build.lock"
"""The lock of build requirements that onebin writes and extends by itself."""

HASH: Final = re.compile("sha256:[0-9a-f]{64}")


class Requirements(msgspec.Struct, frozen=True):
    """A requirements file in which every line is pinned and hashed, as pip-compile writes it."""

    where: str
    """Its name, for messages."""
    text: str
    rewrite = "onebin lock, or with the tool that wrote it"

    @staticmethod
    def reads(_: str) -> bool:
        """Whether a file of that name is read so: any is."""
        return True

    def pins(
        self,
        markers: Mapping[str, str],
        _: Wanted = Wanted(),  # noqa: B008
    ) -> tuple[Pin | Obstacle, ...]:
        """Return the pins whose markers hold (a ``Lock``)."""
        return parse(self.text, markers, where=self.where)

    def names(self) -> frozenset[str]:
        """Return all names (a ``Lock``)."""
        lines = _logical_lines(self.text, where=self.where)
        items = (requirement.parse(line.split(" --hash=")[0], where=self.where) for line in lines)
        return frozenset(canonicalize_name(item.name) for item in items)


class OnebinLock(Requirements, frozen=True):
    """``onebin.lock``: requirements too, written by onebin if it is missing."""

    rewrite = "onebin lock"

    @staticmethod
    def reads(name: str) -> bool:
        """Whether a file of that name is one."""
        return name == WRITTEN


def write(pins: Iterable[Pin]) -> str:
    """Return the text of an ``onebin.lock``."""
    return _text("# Written by onebin lock: what the executable is built from.", pins)


def write_build(pins: Iterable[Pin]) -> str:
    """Return the text of an ``onebin-build.lock``."""
    return _text("# Written by onebin: what builds the distributions with C code.", pins)


def _text(head: str, pins: Iterable[Pin]) -> str:
    return "\n".join([head, *map(line, pins), ""])


def line(pin: Pin) -> str:
    """Return *pin* as a line of a lock."""
    return f"{pin.name}=={pin.version}" + "".join(f" --hash={item}" for item in pin.hashes)


def parse(
    text: str, environment: Mapping[str, str], *, where: str, several: bool = False
) -> tuple[Pin, ...]:
    """Read a requirements file in which every line is pinned and hashed.

    *several* versions of one name may be pinned where each build takes the one it allows.

    Raises:
        ProjectError: a line is not ``name==version`` with at least one sha256: an option, an
            address, a second version of one name.
    """
    pins: dict[tuple[str, str], Pin] = {}
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
                    "or delete it, and write it with: onebin lock",
                )
            name = canonicalize_name(wanted.name)
            version = requirement.version(specifiers[0].version, where=f"{where}: {name}")
            pin = Pin(name, version, hashes)
            if pins.setdefault((name, version if several else ""), pin) != pin:
                raise ProjectError(
                    f"{where}: {name} is pinned twice, to different files",
                    hint="keep one of the lines, or give them markers that exclude each other",
                )
    return tuple(sorted(pins.values()))


def _logical_lines(text: str, *, where: str) -> Iterable[str]:
    for line in text.replace("\\\n", " ").splitlines():
        bare = line.partition(" #")[0].strip()
        if bare.startswith("-"):
            raise ProjectError(
                f"{where}: {shown(bare)} is an option; expected name==version --hash=sha256:…",
                hint="pip's own settings decide where distributions come from; "
                "pip-compile leaves its options out with --no-emit-options --no-emit-index-url, "
                "uv export with --no-emit-project --no-emit-index-url",
            )
        if bare and not bare.startswith("#"):
            yield " ".join(bare.split())
