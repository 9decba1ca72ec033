"""Recordings of pods, each in one file."""

from pathlib import Path
from typing import Any, Final

import msgspec

from devops_info_service.recording.machine_file import MachineFile
from devops_info_service.standards.requested.pod import Metadata, PodSpec, Requested

from .recorded import write_tree

CLUSTER: Final = Path(__file__).parents[1] / "data" / "cluster"
NAMES: Final = sorted(path.stem for path in CLUSTER.glob("*.json"))


class Recording(msgspec.Struct, forbid_unknown_fields=True):
    """One container of a pod."""

    runtime: str
    taken_at: str
    container: str
    container_id: str
    qos: str
    pod: dict[str, Any]
    machine: MachineFile
    links: dict[str, str]
    files: dict[str, str]

    def requested(self) -> Requested:
        """Return what the manifest has for this container: others do not show here."""
        spec = dict(self.pod["spec"])
        spec["containers"] = [each for each in spec["containers"] if each["name"] == self.container]
        mounted = {each["name"] for each in spec["containers"][0].get("volumeMounts", ())}
        spec["volumes"] = [each for each in spec.get("volumes", ()) if each["name"] in mounted]
        metadata = msgspec.convert(self.pod["metadata"], Metadata)
        return Requested(msgspec.convert(spec, PodSpec), metadata)

    def unpack(self, folder: Path) -> None:
        """Write it as a recording."""
        write_tree(folder / "root", self.files)
        for path, target in self.links.items():
            link = folder / "root" / path.lstrip("/")
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(target)
        (folder / "machine.json").write_bytes(msgspec.json.encode(self.machine))


def load(name: str) -> Recording:
    return msgspec.json.decode((CLUSTER / f"{name}.json").read_bytes(), type=Recording)
