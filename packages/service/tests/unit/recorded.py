"""Saved trees: the reader with another root, and `machine.json` for the rest."""

from collections.abc import Mapping
from pathlib import Path

from devops_info_service.recording import replay

DATA = Path(__file__).parents[1] / "data" / "platform"
TREES = sorted(path.name for path in DATA.iterdir() if path.is_dir() and path.name[0] not in "._")
NOW = 1_764_000_000
"""Time of the snapshots: 2025-11-24, while the tokens in the trees are valid."""


class RecordedFiles(replay.RecordedFiles):
    """A recording at a path of ``pathlib``."""

    def __init__(self, directory: Path) -> None:
        super().__init__(str(directory))


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
