"""A verdict rests on its own signs: no other change turns pass into fail, or fail into pass.

A tree in memory loses, gains or reorders mounts, files, devices and interfaces. Where a verdict
turns over, the change is evidence of the old verdict or of the new one.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from devops_info_service.facts.fact import Evidence, File, Unknown
from devops_info_service.facts.linux.mounts import MOUNTINFO, parse_mount
from devops_info_service.facts.system_files import FileStat, FilesystemSpace, Kind, SystemFiles
from devops_info_service.recording.machine_file import MachineFile
from devops_info_service.snapshot import read_platform
from devops_info_service.standards.checks import Finding

from ..recorded import FrozenClock

CLUSTER: Final = Path(__file__).parents[2] / "data" / "cluster"
NAMES: Final = sorted(path.stem for path in CLUSTER.glob("*.json"))
LINES: Final = sorted(
    {
        line
        for name in NAMES
        for line in msgspec.json.decode((CLUSTER / f"{name}.json").read_bytes())["files"][
            MOUNTINFO
        ].split("\n")
        if line and "/host/pods/" not in line
    }
)
LABELS: Final = ("unconfined", "docker-default (enforce)", "x (complain)", "a:b:spc_t:s0", "kernel")


class Files(SystemFiles):
    """Files, links and device nodes of a recording, in memory."""

    def __init__(
        self, files: Mapping[str, str], links: Mapping[str, str], machine: MachineFile
    ) -> None:
        super().__init__("/nonexistent", machine.environ)
        self.files, self.links, self.machine = dict(files), links, machine

    def _followed(self, path: str) -> str:
        for _ in range(8):
            for link, target in self.links.items():
                if path == link or path.startswith(f"{link}/"):
                    start = "" if target.startswith("/") else f"{link.rpartition('/')[0]}/"
                    path = f"{start}{target}{path[len(link) :]}"
        return path

    def read(self, path: str) -> File:
        if path in self.machine.refused:
            return File(path, Unknown(f"{path} is refused by the kernel"))
        content = self.files.get(self._followed(path))
        return File(path, Unknown(f"{path} is not there") if content is None else content)

    def link(self, path: str) -> str | Unknown:
        return self.links.get(path) or Unknown(f"{path} is not there")

    def names(self, path: str) -> tuple[str, ...] | Unknown:
        inside = f"{self._followed(path).rstrip('/')}/"
        paths = (*self.files, *self.links, *self.machine.nodes)
        found = {each[len(inside) :].partition("/")[0] for each in paths if each.startswith(inside)}
        return tuple(sorted(found)) if found else Unknown(f"{path} is not there")

    def node(self, path: str) -> FileStat | Unknown:
        if path in self.machine.nodes:
            found = self.machine.nodes[path]
            return FileStat(found.kind, found.permissions, found.uid, found.device)
        kind: Kind = "file" if path in self.files else "link" if path in self.links else "directory"
        there = kind != "directory" or not isinstance(self.names(path), Unknown)
        return FileStat(kind, 0o755, uid=0, device=0) if there else Unknown(f"{path} is not there")

    def nodes(self, path: str) -> dict[str, FileStat] | Unknown:
        names = self.names(path)
        if isinstance(names, Unknown):
            return names
        found = {name: self.node(f"{path.rstrip('/')}/{name}") for name in names}
        return {name: node for name, node in found.items() if isinstance(node, FileStat)}

    def count(self, path: str) -> int | Unknown:
        names = self.names(path)
        return names if isinstance(names, Unknown) else len(names)

    def space(self, path: str) -> FilesystemSpace | Unknown:
        return Unknown(f"{path} was not recorded")

    def writable(self, path: str) -> bool | Unknown:
        return path in self.machine.writable


class Change(msgspec.Struct):
    """A changed tree, and what the change added and removed."""

    files: dict[str, str]
    machine: MachineFile
    changed: list[Evidence]


def checks_of(
    files: Mapping[str, str], links: dict[str, str], machine: MachineFile
) -> dict[str, Finding]:
    snapshot = read_platform(Files(files, links, machine), FrozenClock())
    return {check.id: check for check in snapshot.security.checks}


@st.composite
def changes(draw: st.DrawFn, files: dict[str, str], machine: MachineFile) -> Change:
    """Draw one to four changes of a tree."""
    files, nodes, changed = dict(files), dict(machine.nodes), list[Evidence]()
    for _ in range(draw(st.integers(1, 4))):
        kind = draw(st.sampled_from(["drop", "add", "order", "file", "label", "node", "interface"]))
        lines = [line for line in files.get(MOUNTINFO, "").split("\n") if line]
        if kind == "drop" and lines:
            changed += seen(lines.pop(draw(st.integers(0, len(lines) - 1))))
        elif kind == "add":
            line = draw(st.sampled_from(LINES))
            lines.insert(draw(st.integers(0, len(lines))), line)
            changed += seen(line)
        elif kind == "order":
            lines = draw(st.permutations(lines))
        elif kind == "file":
            path = draw(st.sampled_from(sorted(set(files) - {MOUNTINFO})))
            del files[path]
            changed.append(Evidence(path, "", ""))
            # Kubelet's files lie in a version's directory and are read through links beside it.
            read = "/".join(step for step in path.split("/") if not step.startswith(".."))
            changed.append(Evidence(read, "", ""))
        elif kind == "label":
            files["/proc/self/attr/current"] = draw(st.sampled_from(LABELS))
            changed.append(Evidence("/proc/self/attr/current", "", ""))
        elif kind == "node" and nodes:
            path = draw(st.sampled_from(sorted(nodes)))
            del nodes[path]
            changed.append(Evidence(path, "", ""))
        elif kind == "interface":
            name = draw(st.sampled_from(["docker0", "veth0", "cni0", "net1"]))
            for file, number in (("ifindex", "7"), ("iflink", "99")):
                files[f"/sys/class/net/{name}/{file}"] = f"{number}\n"
            changed.append(Evidence(f"/sys/class/net/{name}/iflink", "", ""))
        files[MOUNTINFO] = "".join(f"{line}\n" for line in lines)
    return Change(files, msgspec.structs.replace(machine, nodes=nodes), changed)


def seen(line: str) -> list[Evidence]:
    mount = parse_mount(line)
    return [mount.evidence()] if mount else []


def is_sign(change: Evidence, evidence: tuple[Evidence, ...]) -> bool:
    """Return whether *change* is of the file, or of the mount, of one of *evidence*."""
    if change.file == MOUNTINFO:
        return any(each.file == MOUNTINFO and each.field == change.field for each in evidence)
    return any(each.file == change.file for each in evidence)


@settings(
    max_examples=min(60, 2 * settings().max_examples),
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
@given(name=st.sampled_from(NAMES), data=st.data())
def test_no_verdict_turns_over(name: str, data: st.DataObject) -> None:
    """Pass becomes fail, or fail pass, by a sign of the verdict alone."""
    recording: dict[str, Any] = msgspec.json.decode((CLUSTER / f"{name}.json").read_bytes())
    files, links = recording["files"], recording["links"]
    machine = msgspec.convert(recording["machine"], MachineFile)
    change = data.draw(changes(files, machine))

    before = checks_of(files, links, machine)
    after = checks_of(change.files, links, change.machine)

    for check, found in after.items():
        if {found.verdict, before[check].verdict} == {"pass", "fail"}:
            evidence = (*before[check].evidence, *found.evidence)
            assert any(is_sign(each, evidence) for each in change.changed), (before[check], found)
