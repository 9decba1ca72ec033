"""Build requirements of a source distribution: pure-Python wheels, each by its hash.

A build back end's code makes the code of the executable, so a mirror that can change it can
change that. The project's build lock names the files that may be used. pip's resolver is used only
if the project allows others (``allow-unpinned-build-requirements``); its choice is reported by
name and hash.
"""

import email.parser
import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from onebin import requirement
from onebin.effects import index, unpack
from onebin.effects.process import RunCommand
from onebin.errors import ProjectError
from onebin.model import Machine, Pin, target_environment

SETTING = "tool.onebin.allow-unpinned-build-requirements"


class BuildTools:
    """Fill *site* with build requirements and all that they need.

    *shelf* is a directory for their files; *of* names the distribution in messages.
    """

    def __init__(
        self,
        pins: Iterable[Pin],
        site: Path,
        shelf: Path,
        *,
        of: str,
        python: str,
        machine: Machine,
        may_be_unpinned: bool,
        run: RunCommand,
    ) -> None:
        self._locked = sorted(pins, key=lambda pin: Version(pin.version), reverse=True)
        self._pins: dict[str, Pin] = {}
        self._chosen: set[str] = set()
        self._wheels: dict[str, Path] = {}
        self._installed: dict[str, Pin] = {}
        self._site, self._shelf, self._of = site, shelf, of
        self._python, self._run, self._may_be_unpinned = python, run, may_be_unpinned
        self._environment = target_environment(machine, python)
        shelf.mkdir()

    @property
    def unpinned(self) -> tuple[Pin, ...]:
        """The requirements in the site that the build lock lacks, each with its hash."""
        return tuple(pin for pin in self.used if pin.name in self._chosen)

    @property
    def used(self) -> tuple[Pin, ...]:
        """All requirements in the site."""
        return tuple(sorted(self._installed.values()))

    def install(self, texts: Sequence[object]) -> None:
        """Put the requirements *texts* (PEP 508) into the site.

        Raises:
            ProjectError: one of them is not pinned, or has no pure-Python wheel.
            ToolError: it cannot be downloaded.
        """
        where = f"{self._of}: its build requirements"
        for name in self._closure(requirement.wanted(texts, self._environment, where=where)):
            if name not in self._installed:
                unpack.wheel(self._wheels[name], self._site)
                self._installed[name] = self._pins[name]

    def _closure(self, wanted: Sequence[Requirement]) -> list[str]:
        """Fetch the wheels of all that *wanted* needs, and return their names."""
        seen: set[str] = set()
        names: dict[str, None] = {}
        waiting = list(wanted)
        while waiting:
            item = waiting.pop()
            if requirement.line(item) in seen:
                continue
            seen.add(requirement.line(item))
            name = canonicalize_name(item.name)
            pin = self._pinned(item)
            if pin is None:
                self._choose(item, wanted)
                pin = self._pins[name]
            names[name] = None
            waiting += self._needs(item, self._wheel(pin))
        return list(names)

    def _pinned(self, item: Requirement) -> Pin | None:
        """Return the newest pin that *item* allows; a lock may have several for one name."""
        name = canonicalize_name(item.name)
        known = [pin for pin in self._locked if pin.name == name]
        if name in self._pins:
            known = [self._pins[name]]
        for pin in known:
            if item.specifier.contains(pin.version, prereleases=True):
                return self._pins.setdefault(name, pin)
        if known and (name in self._pins or not self._may_be_unpinned):
            raise ProjectError(
                f"{self._of}: its build needs {requirement.line(item)}, "
                f"the build lock has {known[0].version}",
                hint="write tool.onebin.build-lock again: pip-compile --generate-hashes",
            )
        return None

    def _choose(self, item: Requirement, wanted: Sequence[Requirement]) -> None:
        """Let pip choose what the lock lacks, if that is allowed."""
        given = {pin.name: pin for pin in reversed(self._locked)} | self._pins
        given.pop(canonicalize_name(item.name), None)
        if not self._may_be_unpinned:
            raise ProjectError(
                f"{self._of}: its build needs {requirement.line(item)}, which no build lock pins",
                hint="pin it with its hash in tool.onebin.build-lock "
                f"(pip-compile --generate-hashes), or trust the index: {SETTING} = true",
            )
        try:
            pins = index.choose(
                wanted, given.values(), self._shelf,
                fits=index.pure(self._python), environment=self._environment, run=self._run,
            )  # fmt: skip
        except index.NoMatchError as exc:
            raise self._impure(str(exc)) from exc
        for pin in pins:
            if pin.name not in given:
                self._pins[pin.name] = pin
                self._chosen.add(pin.name)
        if canonicalize_name(item.name) not in self._pins:
            raise ProjectError(f"{self._of}: the index offers no {requirement.line(item)}")

    def _wheel(self, pin: Pin) -> Path:
        if pin.name not in self._wheels:
            folder = self._shelf / pin.name
            found = index.download_wheel(pin, folder, python=self._python, run=self._run)
            if found is None:
                raise self._impure(f"{pin.name}=={pin.version}")
            if pin.name in self._chosen:
                sha256 = hashlib.sha256(found.read_bytes()).hexdigest()
                hashes = (f"sha256:{sha256}",)
                self._pins[pin.name] = msgspec.structs.replace(pin, hashes=hashes)
            self._wheels[pin.name] = found
        return self._wheels[pin.name]

    def _needs(self, item: Requirement, wheel: Path) -> list[Requirement]:
        lines = email.parser.HeaderParser().parsestr(unpack.metadata(wheel))
        return requirement.wanted(
            map(str, lines.get_all("Requires-Dist", failobj=[])),
            self._environment,
            where=f"{self._of}: {wheel.name}",
            extras=item.extras,
        )

    def _impure(self, what: str) -> ProjectError:
        return ProjectError(
            f"{self._of}: its build needs {what}, which has no pure-Python wheel",
            hint="build requirements are not built in turn: choose another version or package",
        )
