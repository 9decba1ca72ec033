"""A reader of the machine that notes every reading, and the folder that keeps them.

Content that no report shows is left out: ``redaction`` decides.
"""

import contextlib
import os
from collections.abc import Collection, Mapping
from typing import Any, Final

import msgspec

from devops_info_service.errors import ConfigError, ServiceError
from devops_info_service.escape import printable
from devops_info_service.facts.fact import Unknown
from devops_info_service.facts.system_files import (
    FileStat,
    FilesystemSpace,
    Machine,
    SystemFiles,
    reason_words,
)
from devops_info_service.snapshot import PlatformSnapshot, read_platform

from .machine_file import MACHINE_FILE, ROOT, Call, MachineFile, Node
from .redaction import WITHHELD, redact_environment, redact_file, redact_name

MAX_BYTES: Final = 48 * 1024 * 1024
"""Bytes of all files of a recording: the mount table alone may have 32 MiB."""
MAX_SAID: Final = 8
"""Names on one line; all are in ``machine.json``."""
SET_ID: Final = 0o6000
_ABSENT: Final = "is not there"
_DIRECTORY: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_NEW_FILE: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class RecordingFiles(SystemFiles):
    """The machine's files; everything read is noted once, as it was the first time."""

    def __init__(self, *source: Any) -> None:  # noqa: ANN401 (those of the next class)
        super().__init__(*source)
        self.files: dict[str, bytes] = {}
        self.harmless: set[str] = set()
        self.notes = MachineFile()

    def load(self, path: str, limit: int) -> bytes | Unknown:
        """Note the content, or why there is none."""
        try:
            data = super().load(path, limit)
        except OSError as exc:
            self._refuse(path, Unknown(f"{path} {reason_words(exc.errno or 0)}"))
            raise
        if isinstance(data, Unknown):
            self._refuse(path, data)
        elif len(data) > limit:
            self._refuse(path, Unknown(f"{path} has more than {limit} bytes"))
        else:
            self.files.setdefault(path, data)
        return data

    def vouch(self, path: str) -> None:
        """Note that the report shows the content of *path*."""
        self.harmless.add(path)

    def link(self, path: str) -> str | Unknown:
        """Note the target."""
        found = super().link(path)
        if isinstance(found, Unknown):
            self._refuse(path, found, "link")
        else:
            self.notes.links[path] = found
        return found

    def names(self, path: str) -> tuple[str, ...] | Unknown:
        """Note the names."""
        found = super().names(path)
        if isinstance(found, Unknown):
            self._refuse(path, found, "list")
        else:
            self.notes.names[path] = list(found)
        return found

    def nodes(self, path: str) -> dict[str, FileStat] | Unknown:
        """Note every entry but plain files, and the number of all."""
        found = super().nodes(path)
        if isinstance(found, Unknown):
            self._refuse(path, found, "list")
            return found
        self.notes.entries[path] = len(found)
        for name, node in found.items():
            if node.kind != "file" or node.permissions & SET_ID or path == "/dev":
                self._note(f"{path.rstrip('/')}/{name}", node)
        return found

    def node(self, path: str) -> FileStat | Unknown:
        """Note the kind and owner."""
        found = super().node(path)
        if isinstance(found, Unknown):
            self._refuse(path, found, "node")
        else:
            self._note(path, found)
        return found

    def space(self, path: str) -> FilesystemSpace | Unknown:
        """Note the room."""
        found = super().space(path)
        if isinstance(found, Unknown):
            self._refuse(path, found, "statvfs")
        else:
            self.notes.spaces[path] = (found.size, found.free, found.inodes, found.inodes_free)
        return found

    def writable(self, path: str) -> bool | Unknown:
        """Note whether it is."""
        found = super().writable(path)
        if isinstance(found, Unknown):
            self._refuse(path, found, "access")
        elif found and path not in self.notes.writable:
            self.notes.writable.append(path)
        return found

    def _note(self, path: str, node: FileStat) -> None:
        self.notes.nodes[path] = Node(node.kind, node.permissions, node.uid, node.device)

    def _refuse(self, path: str, reason: Unknown, call: Call | None = None) -> None:
        words = reason.reason.removeprefix(f"{path} ")
        if words != _ABSENT or call == "list":
            self.notes.refused[f"{call}:{path}" if call else path] = words


def record_platform(
    path: str, environ: Mapping[str, str], shown: frozenset[str]
) -> tuple[PlatformSnapshot, str]:
    """Read the platform, and keep the readings in the new folder *path*; return a summary too.

    Raises:
        ConfigError: *path* has entries, or is a link.
        ServiceError: it cannot be written to.
    """
    folder = Folder(path)
    try:
        files, clock = RecordingFiles("/", environ), Machine()
        now = clock.time()
        snapshot = read_platform(files, clock, shown)
        machine = save(files, folder, now, shown)
    finally:
        folder.close()
    summary = f"{len(files.files) - len(machine.left_out)} files recorded in {printable(path)}"
    if machine.redacted:
        summary += f"; withheld, or in part: {_shortened(machine.redacted)}"
    if machine.left_out:
        summary += f"; left out as too large: {_shortened(machine.left_out)}"
    return snapshot, summary


def _shortened(names: list[str]) -> str:
    more = f" and {len(names) - MAX_SAID} more" if len(names) > MAX_SAID else ""
    return printable(", ".join(names[:MAX_SAID])) + more


class Folder:
    """A new, empty folder; nothing is written outside it, through a link, or over a file."""

    def __init__(self, path: str) -> None:
        """Make the folder, or take an empty one.

        Raises:
            ConfigError: *path* has entries, is a link, or cannot be made.
        """
        try:
            os.mkdir(path, 0o700)  # noqa: PTH102 (pathlib costs start-up)
        except FileExistsError:
            pass
        except OSError as exc:
            raise ConfigError(f"--record: {path}: {exc.strerror}; expected a new folder") from exc
        try:
            self._top = os.open(path, _DIRECTORY)
            entries = os.listdir(self._top)  # noqa: PTH208 (of a descriptor)
        except OSError as exc:
            raise ConfigError(
                f"--record: {path}: a link or no folder; expected a new folder or an empty one"
            ) from exc
        if entries:
            os.close(self._top)
            raise ConfigError(f"--record: {path} is not empty; expected a new folder")
        self._path = path

    def close(self) -> None:
        """Let go of the folder."""
        os.close(self._top)

    def write(self, path: str, data: bytes) -> None:
        """Write a new file at *path* inside.

        Raises:
            ServiceError: the disk refuses it.
        """
        *directories, name = [step for step in path.split("/") if step]
        if ".." in (*directories, name):
            raise ServiceError(f"--record: {path} would lead out of the folder")
        here = os.dup(self._top)
        try:
            for step in directories:
                here = self._enter(here, step)
            descriptor = os.open(name, _NEW_FILE, 0o600, dir_fd=here)
            with open(descriptor, "wb") as file:  # noqa: PTH123 (of a descriptor)
                file.write(data)
        except OSError as exc:
            raise ServiceError(f"--record: {self._path}/{path}: {exc.strerror}") from exc
        finally:
            os.close(here)

    @staticmethod
    def _enter(here: int, step: str) -> int:
        with contextlib.suppress(FileExistsError):
            os.mkdir(step, 0o700, dir_fd=here)
        found = os.open(step, _DIRECTORY, dir_fd=here)
        os.close(here)
        return found


def save(files: RecordingFiles, folder: Folder, time: float, shown: Collection[str]) -> MachineFile:
    """Write the readings of *files* into *folder*, without secrets; return the machine file.

    *time* is that of the reading, *shown* are the variables that the operator let it show.
    """
    machine = files.notes
    machine.time, machine.shown = time, sorted(shown)
    machine.environ, machine.redacted = redact_environment(files.environ(), frozenset(shown))
    left = MAX_BYTES
    for path, data in files.files.items():
        kept = redact_file(path, data, is_harmless=path in files.harmless)
        if kept != data:
            machine.redacted.append(path)
        left -= len(kept)
        if left < 0:
            left += len(kept)
            machine.left_out.append(path)
            machine.refused[path] = f"was left out: a recording has at most {MAX_BYTES} bytes"
        else:
            folder.write(f"{ROOT}/{path}", kept)
    machine.names = {path: _names(path, names) for path, names in machine.names.items()}
    folder.write(MACHINE_FILE, msgspec.json.format(msgspec.json.encode(machine), indent=1) + b"\n")
    return machine


def _names(path: str, names: list[str]) -> list[str]:
    shown = [redact_name(path, name) for name in names]
    return [
        f"{name} {index}" if name == WITHHELD else name for index, name in enumerate(shown, start=1)
    ]
