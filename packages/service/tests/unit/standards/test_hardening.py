"""The evidence of the checks beyond the standards."""

import tempfile
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from devops_info_service.facts.container.kernel_mounts import DEVICES
from devops_info_service.facts.system_files import Clock, SystemFiles
from devops_info_service.recording.machine_file import MACHINE_FILE, MachineFile, Node
from devops_info_service.snapshot import read_platform
from devops_info_service.standards.checks import Finding

from ..recorded import FrozenClock, RecordedFiles

STEPS = st.sampled_from(["net", "dri", "bus", "a b", "null", "pts2", "tun", "vg-root", "kvm"])
PATHS = st.lists(STEPS, min_size=1, max_size=4).map(lambda steps: "/dev/" + "/".join(steps))
KINDS = st.sampled_from(["block", "character", "link", "file"])
RAW = {"/dev/kvm", "/dev/mem", "/dev/kmsg", "/dev/port"}


def device_nodes(files: SystemFiles) -> Finding:
    checks = read_platform(files, FrozenClock()).security.checks
    return next(check for check in checks if check.id == "deviceNodes")


def dev_of(folder: Path, tree: dict[str, str]) -> SystemFiles:
    """Return a recording whose /dev has the usual devices and those of *tree*, path to kind."""
    nodes = {f"/dev/{name}": Node("character", 0o666) for name in DEVICES}
    for path, kind in tree.items():
        nodes[path] = msgspec.convert([kind, 0o600], Node)
        for parent in list(Path(path).parents)[:-2]:
            nodes[str(parent)] = Node("directory", 0o755)
    directories = {"/dev", *(path for path, node in nodes.items() if node.kind == "directory")}
    entries = {
        directory: sum(Path(path).parent == Path(directory) for path in nodes)
        for directory in directories
    }
    machine = MachineFile(nodes=nodes, entries=entries)
    (folder / MACHINE_FILE).write_bytes(msgspec.json.encode(machine))
    return RecordedFiles(folder)


@given(st.dictionaries(PATHS, KINDS, max_size=4))
def test_devices_anywhere_below(tree: dict[str, str]) -> None:
    """A device in whatever directory of /dev is seen; a disk there fails, nothing else there."""
    # A path is not a directory as well.
    whole = {
        path: kind
        for path, kind in tree.items()
        if not any(other.startswith(f"{path}/") for other in tree)
        and not any(str(each) in tree for each in Path(path).parents)
        and path.split("/")[2] not in DEVICES
    }
    with tempfile.TemporaryDirectory() as folder:
        found = device_nodes(dev_of(Path(folder), whole))

    devices = {path: kind for path, kind in whole.items() if kind in {"block", "character"}}
    grave = [path for path, kind in devices.items() if kind == "block" or path in RAW]
    assert found.verdict == ("fail" if grave else "unknown" if devices else "pass")


@pytest.mark.parametrize("refused", ["EACCES", "EPERM"])
def test_directory_without_list(tmp_path: Path, refused: str) -> None:
    """A directory of /dev that cannot be listed may hold anything."""
    dev_of(tmp_path, {"/dev/net/tun": "character"})
    file = tmp_path / MACHINE_FILE
    machine = msgspec.json.decode(file.read_bytes(), type=MachineFile)
    del machine.entries["/dev/net"]
    machine.refused["list:/dev/net"] = refused
    file.write_bytes(msgspec.json.encode(machine))

    assert device_nodes(RecordedFiles(tmp_path)).verdict == "unknown"


def test_grave_devices_are_shown(saved: Callable[[str], SystemFiles], clock: Clock) -> None:
    """Of a whole /dev the evidence shows the disks that make the check fail."""
    security = read_platform(saved("docker-privileged"), clock).security
    check = next(check for check in security.checks if check.id == "deviceNodes")

    assert check.verdict == "fail"
    assert all(
        seen.value == "block" or seen.file in {"/dev/mem", "/dev/port", "/dev/kmsg", "/dev/kvm"}
        for seen in check.evidence
    )
