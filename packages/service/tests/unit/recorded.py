"""Saved trees: the reader with another root, and `machine.json` for the rest."""

from collections.abc import Mapping
from pathlib import Path

import msgspec

from devops_info_service.facts.fact import File, Unknown
from devops_info_service.facts.system_files import FileStat, FilesystemSpace, Kind, SystemFiles

DATA = Path(__file__).parents[1] / "data" / "platform"
TREES = sorted(path.name for path in DATA.iterdir() if path.is_dir() and path.name[0] not in "._")
NOW = 1_764_000_000
"""Time of the snapshots: 2025-11-24, while the tokens in the trees are valid."""


class MachineFile(msgspec.Struct, forbid_unknown_fields=True):
    """``machine.json`` of a saved tree."""

    environ: dict[str, str] = {}
    nodes: dict[str, tuple[Kind, int]] = {}
    """Path -> type, permission bits."""
    refused: dict[str, str] = {}
    """Path -> errno of the kernel."""
    spaces: dict[str, tuple[int, int, int, int]] = {}
    """Mount -> size, free, inodes, inodes free."""
    writable: list[str] = []


class RecordedFiles(SystemFiles):
    """A tree on disk, with devices, sockets, modes and errors, which git cannot store."""

    def __init__(self, directory: Path) -> None:
        file = directory / "machine.json"
        machine = msgspec.json.decode(
            file.read_bytes() if file.exists() else b"{}", type=MachineFile
        )
        super().__init__(str(directory / "root"), machine.environ)
        self.machine = machine

    def read(self, path: str) -> File:
        if refusal := self.machine.refused.get(path):
            words = {"EINVAL": "is refused by the kernel"}.get(refusal, refusal)
            return File(path, Unknown(f"{path} {words}"))
        return super().read(path)

    def names(self, path: str) -> tuple[str, ...] | Unknown:
        there = super().names(path)
        inside = f"{path.rstrip('/')}/"
        added = {
            node.removeprefix(inside)
            for node in self.machine.nodes
            if node.startswith(inside) and "/" not in node.removeprefix(inside)
        }
        if isinstance(there, Unknown) and not added:
            return there
        return tuple(sorted(added | set(() if isinstance(there, Unknown) else there)))

    def node(self, path: str) -> FileStat | Unknown:
        if path in self.machine.nodes:
            kind, permissions = self.machine.nodes[path]
            return FileStat(kind, permissions, uid=0, device=0)
        there = super().node(path)
        return there if isinstance(there, Unknown) else FileStat(there.kind, 0o755, uid=0, device=0)

    def nodes(self, path: str) -> dict[str, FileStat] | Unknown:
        names = self.names(path)
        if isinstance(names, Unknown):
            return names
        found = {name: self.node(f"{path.rstrip('/')}/{name}") for name in names}
        return {name: node for name, node in found.items() if isinstance(node, FileStat)}

    def space(self, path: str) -> FilesystemSpace | Unknown:
        if path not in self.machine.spaces:
            return Unknown(f"{path} was not recorded")
        return FilesystemSpace(*self.machine.spaces[path])

    def writable(self, path: str) -> bool | Unknown:
        return path in self.machine.writable


def write_tree(root: Path, files: Mapping[str, str | bytes]) -> None:
    """Write *files* under *root*; a namespace, and a version of kubelet's, is a link."""
    for path, content in files.items():
        file = root / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, str) and ("/ns/" in path or path.endswith("/..data")):
            file.symlink_to(content)
        else:
            file.write_bytes(content if isinstance(content, bytes) else content.encode())


class FrozenClock:
    """It is always ``NOW``."""

    def time(self) -> float:
        return NOW

    def monotonic(self) -> float:
        return 0.0
