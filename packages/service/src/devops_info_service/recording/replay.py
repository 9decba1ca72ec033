"""A recording in place of the machine."""

import errno
from typing import Final

import msgspec

from devops_info_service.errors import ConfigError
from devops_info_service.facts.fact import Unknown
from devops_info_service.facts.system_files import (
    FileStat,
    FilesystemSpace,
    Machine,
    SystemFiles,
    reason_words,
)
from devops_info_service.snapshot import PlatformSnapshot, read_platform

from .machine_file import MACHINE_FILE, MAX_MACHINE_BYTES, ROOT, Call, MachineFile

_EXPECTED: Final = "expected a folder that report --record wrote"


class RecordedClock:
    """The time of the recording."""

    def __init__(self, time: float) -> None:
        self._time = time

    def time(self) -> float:
        """Return the seconds since 1970 at the reading."""
        return self._time

    def monotonic(self) -> float:
        """Return 0: reading a recording has no duration."""
        return 0.0


class RecordedFiles(SystemFiles):
    """The tree of a recording, with devices, modes and refusals from ``machine.json``."""

    def __init__(self, folder: str) -> None:
        """Read ``machine.json`` of *folder*.

        Raises:
            ConfigError: there is none, or it is not of the form.
        """
        self.machine = _read_machine(folder)
        super().__init__(f"{folder}/{ROOT}", self.machine.environ)

    def load(self, path: str, limit: int) -> bytes | Unknown:
        """Return the content, or why there was none."""
        return self._refused(path) or super().load(path, limit)

    def link(self, path: str) -> str | Unknown:
        """Return the target that the link had."""
        found = self.machine.links.get(path) or self._refused(path, "link")
        return found or super().link(path)

    def names(self, path: str) -> tuple[str, ...] | Unknown:
        """Return the names that were listed, else those that the recording has."""
        listed = self.machine.names.get(path)
        if listed is not None:
            return tuple(listed)
        if refusal := self._refused(path, "list"):
            return refusal
        there = super().names(path)
        added = self._below(path)
        if isinstance(there, Unknown) and not added:
            return there
        return tuple(sorted(added | set(() if isinstance(there, Unknown) else there)))

    def node(self, path: str) -> FileStat | Unknown:
        """Return the kind and owner it had."""
        found = self.machine.nodes.get(path)
        if found is not None:
            return FileStat(found.kind, found.permissions, found.uid, found.device)
        if refusal := self._refused(path, "node"):
            return refusal
        there = super().node(path)
        return there if isinstance(there, Unknown) else FileStat(there.kind, 0o755, uid=0, device=0)

    def nodes(self, path: str) -> dict[str, FileStat] | Unknown:
        """Return the entries; plain files that were only counted have made-up names."""
        number = self.machine.entries.get(path)
        if number is not None:
            known = [(name, self.node(f"{path.rstrip('/')}/{name}")) for name in self._below(path)]
            found = {name: node for name, node in known if isinstance(node, FileStat)}
            for index in range(number - len(found)):
                found[f"file {index}"] = FileStat("file", 0o644, uid=0, device=0)
            return found
        if refusal := self._refused(path, "list"):
            return refusal
        if self.machine.entries:
            return Unknown(f"{path} was not recorded")
        names = self.names(path)
        if isinstance(names, Unknown):
            return names
        nodes = {name: self.node(f"{path.rstrip('/')}/{name}") for name in names}
        return {name: node for name, node in nodes.items() if isinstance(node, FileStat)}

    def space(self, path: str) -> FilesystemSpace | Unknown:
        """Return the room there was."""
        found = self.machine.spaces.get(path)
        if found is None:
            return self._refused(path, "statvfs") or Unknown(f"{path} was not recorded")
        return FilesystemSpace(*found)

    def writable(self, path: str) -> bool | Unknown:
        """Return whether it was."""
        return self._refused(path, "access") or path in self.machine.writable

    def _refused(self, path: str, call: Call | None = None) -> Unknown | None:
        words = self.machine.refused.get(f"{call}:{path}" if call else path)
        if words is None:
            return None
        number = getattr(errno, words, None) if words.isupper() else None
        return Unknown(f"{path} {words if number is None else reason_words(number)}")

    def _below(self, path: str) -> set[str]:
        inside = f"{path.rstrip('/')}/"
        found = {
            node.removeprefix(inside) for node in self.machine.nodes if node.startswith(inside)
        }
        return {name for name in found if name and "/" not in name}


def replay_platform(folder: str, shown: frozenset[str] = frozenset()) -> PlatformSnapshot:
    """Read the platform of the recording in *folder*.

    Raises:
        ConfigError: *folder* has no machine file.
    """
    files = RecordedFiles(folder)
    time = files.machine.time
    clock = Machine() if time is None else RecordedClock(time)
    return read_platform(files, clock, shown | frozenset(files.machine.shown))


def _read_machine(folder: str) -> MachineFile:
    file = SystemFiles(folder, {})
    place = f"--from: {folder}/{MACHINE_FILE}"
    try:
        data = file.load(f"/{MACHINE_FILE}", MAX_MACHINE_BYTES)
    except OSError as exc:
        raise ConfigError(f"{place} {reason_words(exc.errno or 0)}; {_EXPECTED}") from exc
    root = file.node(f"/{ROOT}")
    if isinstance(root, FileStat) and root.kind != "directory":
        # A link would make the report one of this machine, under the recording's name.
        raise ConfigError(f"--from: {folder}/{ROOT} is a {root.kind}, no directory; {_EXPECTED}")
    if isinstance(data, Unknown) or len(data) > MAX_MACHINE_BYTES:
        raise ConfigError(
            f"{place} is larger than {MAX_MACHINE_BYTES} bytes, or no regular file; {_EXPECTED}"
        )
    try:
        return msgspec.json.decode(data, type=MachineFile)
    except (ValueError, RecursionError) as exc:
        raise ConfigError(f"{place}: {exc}; {_EXPECTED}") from exc
