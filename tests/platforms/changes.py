"""Change recordings at random; no verdict and no fact may turn over but by its own sign.

A recording loses, gains or reorders mounts, files, labels, devices, interfaces and variables.
Where pass becomes fail, or one known value another, the change is evidence of one of the two.
``python -m tests.platforms.changes NUMBER`` changes each recording so often, prints the counts, and
returns 1 if anything turned over otherwise.
"""

import errno
import functools
import os
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec

from devops_info_service.facts.fact import Evidence, Unknown
from devops_info_service.facts.linux.interfaces import CLASS, DEV
from devops_info_service.facts.linux.mounts import MOUNTINFO, parse_mount
from devops_info_service.recording.machine_file import MachineFile, Node
from devops_info_service.recording.replay import RecordedClock, RecordedFiles
from devops_info_service.snapshot import PlatformSnapshot, read_platform

from .recordings import NAMES, Recording, load
from .truths import FACTS

PER_RECORDING: Final = 6
"""Changes of each recording in every run of the tests, and in the counts of the docs."""
KINDS: Final = ("drop a mount", "add a mount", "reorder mounts", "drop a file", "change the label",
                "drop a node", "add a device", "drop an interface", "add an interface",
                "change a variable")  # fmt: skip
LABEL: Final = "/proc/self/attr/current"
LABELS: Final = (
    *("unconfined", "docker-default (enforce)", "x (complain)", "a//&:b://c (mixed)"),
    *("a:b:spc_t:s0", "a:b:container_t:s0:c1,c2", "kernel", ""),
)
DEVICES: Final = {
    "/dev/kmsg": Node("character", 0o600),
    "/dev/sda": Node("block", 0o660),
    "/dev/fuse": Node("character", 0o666),
    "/run/docker.sock": Node("socket", 0o660),
}
VARIABLES: Final = {
    "container": ("podman", "lxc", "systemd-nspawn"),
    "POD_IP": ("192.0.2.7",),
    "HOST_IP": ("192.0.2.7", "192.0.2.8"),
}


class ChangedFiles(RecordedFiles):
    """A recording with other texts and another machine file."""

    def __init__(self, folder: Path, texts: Mapping[str, str | None], machine: MachineFile) -> None:
        super().__init__(str(folder))
        self.texts, self.machine = texts, machine
        self._environ, self._variables = machine.environ, None

    def load(self, path: str, limit: int) -> bytes | Unknown:
        """Return the text; ``None`` is a file that is not there."""
        if path not in self.texts:
            return super().load(path, limit)
        text = self.texts[path]
        if text is None:
            raise OSError(errno.ENOENT, os.strerror(errno.ENOENT))
        return text.encode()

    def names(self, path: str) -> tuple[str, ...] | Unknown:
        """List a directory, with the added files and without the dropped ones."""
        found = super().names(path)
        inside = f"{path.rstrip('/')}/"
        texts = {each: text for each, text in self.texts.items() if each.startswith(inside)}
        if not texts:
            return found
        names = set() if isinstance(found, Unknown) else set(found)
        for each, text in texts.items():
            name = each[len(inside) :].partition("/")[0]
            names = names - {name} if text is None else names | {name}
        return tuple(sorted(names))


class Change(NamedTuple):
    """A changed recording, and what the change added and removed."""

    kind: str
    texts: dict[str, str | None]
    machine: MachineFile
    changed: tuple[Evidence, ...]


class Known(NamedTuple):
    """A verdict, or the value of a fact; empty: unknown."""

    value: str
    evidence: tuple[Evidence, ...]
    message: str = ""


class Counts(NamedTuple):
    """Verdicts and facts of changed recordings, by the kind of change."""

    made: Counter[str]
    same: Counter[str]
    opened: Counter[str]
    """Known before, unknown after."""
    closed: Counter[str]
    own: Counter[str]
    """Turned over by their own sign."""
    otherwise: list[str]
    """Turned over by anything else: each is a fault."""


def change(recording: Recording, kind: str, rng: random.Random) -> Change | None:
    """Make one change of a *kind*; ``None``: there is nothing to change."""
    make = next((make for word, make in _MAKERS.items() if word in kind), change_a_file)
    return make(recording, kind, rng)


def change_mounts(recording: Recording, kind: str, rng: random.Random) -> Change | None:
    """Drop a line of the mount table, add one of another recording, or shuffle all."""
    lines = [line for line in recording.files.get(MOUNTINFO, "").split("\n") if line]
    changed: list[Evidence] = []
    if kind.startswith("drop"):
        if not lines:
            return None
        changed = of_line(lines.pop(rng.randrange(len(lines))))
    elif kind.startswith("add"):
        line = rng.choice(all_lines())
        lines.insert(rng.randint(0, len(lines)), line)
        changed = of_line(line)
    else:
        rng.shuffle(lines)
    text = "".join(f"{line}\n" for line in lines)
    return Change(kind, {MOUNTINFO: text}, recording.machine, tuple(changed))


def change_a_file(recording: Recording, kind: str, rng: random.Random) -> Change:
    """Drop a file, or put another label into that of the label."""
    if kind == "change the label":
        seen = (Evidence(LABEL, "", ""),)
        return Change(kind, {LABEL: rng.choice(LABELS)}, recording.machine, seen)
    path = rng.choice(sorted(set(recording.files) - {MOUNTINFO}))
    return Change(kind, {path: None}, recording.machine, (Evidence(path, "", ""),))


def change_nodes(recording: Recording, kind: str, rng: random.Random) -> Change | None:
    """Drop a device, socket or directory, or add a device or socket."""
    nodes = dict(recording.machine.nodes)
    if kind.startswith("add"):
        path = rng.choice(sorted(DEVICES))
        nodes[path] = DEVICES[path]
    elif nodes:
        path = rng.choice(sorted(nodes))
        del nodes[path]
    else:
        return None
    machine = msgspec.structs.replace(recording.machine, nodes=nodes)
    return Change(kind, {}, machine, (Evidence(path, "", ""),))


def change_interfaces(recording: Recording, kind: str, rng: random.Random) -> Change | None:
    """Drop or add an interface, in /sys and in /proc/net alike."""
    names = sorted(
        {path[len(CLASS) + 1 :].partition("/")[0] for path in recording.files if CLASS in path}
    )
    number = None
    if kind.startswith("add"):
        names = ["eth7", "cali12345678901", "docker0", "veth1", "tunl0"]
        number = f"{rng.randint(2, 90)}\n"
    if not names:
        return None
    name = rng.choice(names)
    rows = [row for row in recording.files.get(DEV, "").split("\n") if row]
    rows = [row for row in rows if row.partition(":")[0].strip() != name]
    if number:
        rows.append(f"{name}: 0 0")
    texts: dict[str, str | None] = {DEV: "".join(f"{row}\n" for row in rows)}
    texts |= {f"{CLASS}/{name}/{file}": number for file in ("ifindex", "iflink")}
    seen = tuple(Evidence(path, "", "") for path in (CLASS, *texts))
    return Change(kind, texts, recording.machine, seen)


def change_variables(recording: Recording, kind: str, rng: random.Random) -> Change:
    """Set a variable that names an engine or an address."""
    name = rng.choice(sorted(VARIABLES))
    environ = {**recording.machine.environ, name: rng.choice(VARIABLES[name])}
    machine = msgspec.structs.replace(recording.machine, environ=environ)
    return Change(kind, {}, machine, (Evidence("environment", name, ""),))


_MAKERS: Final = {
    "mount": change_mounts,
    "node": change_nodes,
    "device": change_nodes,
    "interface": change_interfaces,
    "variable": change_variables,
}


def of_line(line: str) -> list[Evidence]:
    """Return what points at a line of the mount table."""
    mount = parse_mount(line)
    return [mount.evidence()] if mount else []


@functools.cache
def all_lines() -> Sequence[str]:
    """Return the lines of every recording's mount table."""
    tables = (load(name).files.get(MOUNTINFO, "") for name in NAMES)
    return sorted({line for table in tables for line in table.split("\n") if line})


def is_sign(changed: Evidence, evidence: Sequence[Evidence]) -> bool:
    """Return whether *changed* is of the file, or of the mount, of one of *evidence*."""
    if changed.file in {MOUNTINFO, "environment"}:
        return any((each.file, each.field) == (changed.file, changed.field) for each in evidence)
    return any(each.file == changed.file for each in evidence)


@functools.cache
def count(number: int) -> Counts:
    """Change each recording so often, and compare all verdicts and facts."""
    counts = Counts(Counter(), Counter(), Counter(), Counter(), Counter(), [])
    for name in NAMES:
        recording = load(name)
        with tempfile.TemporaryDirectory() as folder:
            recording.unpack(Path(folder))
            before = known_of(Path(folder), {}, recording.machine)
            for made in changes(name, recording, number):
                counts.made[made.kind] += 1
                after = known_of(Path(folder), made.texts, made.machine)
                compare(f"{name}, {made.kind}", before, after, made, counts)
    return counts


def changes(name: str, recording: Recording, number: int) -> Iterator[Change]:
    """Yield changes that depend on nothing but the recording's name."""
    rng = random.Random(name)
    start = rng.randrange(len(KINDS))
    for index in range(number):
        if made := change(recording, KINDS[(start + index) % len(KINDS)], rng):
            yield made


def known_of(
    folder: Path, texts: Mapping[str, str | None], machine: MachineFile
) -> dict[str, Known]:
    """Return each check of a changed recording, and each fact that ``table`` compares."""
    files = ChangedFiles(folder, texts, machine)
    snapshot = read_platform(files, RecordedClock(machine.time or 0))
    found = {
        each.id: Known(
            "" if each.verdict == "unknown" else each.verdict, each.evidence, each.message
        )
        for each in snapshot.security.checks
    }
    for name, (path, part) in FACTS.items():
        found[name] = fact_of(snapshot, path, part)
    found["placement"] = fact_of(snapshot, "placement", "name")
    return found


def fact_of(snapshot: PlatformSnapshot, path: str, part: object) -> Known:
    """Return the fact at *path*, or a *part* of its value."""
    found: Any = snapshot
    for step in path.split("."):
        found = found[step] if isinstance(found, dict) else getattr(found, step)
    if isinstance(found, Unknown):
        return Known("", (), found.reason)
    value = found.value
    if isinstance(part, int):
        value = value[part]
    elif part:
        value = getattr(value, str(part))
    return Known(repr(value), found.evidence)


def compare(
    where: str,
    before: Mapping[str, Known],
    after: Mapping[str, Known],
    made: Change,
    counts: Counts,
) -> None:
    """Count the verdicts and facts of one change."""
    for name, old in before.items():
        new = after[name]
        if old.value == new.value:
            counts.same[made.kind] += 1
        elif not new.value:
            counts.opened[made.kind] += 1
        elif not old.value:
            counts.closed[made.kind] += 1
        elif any(is_sign(each, (*old.evidence, *new.evidence)) for each in made.changed):
            counts.own[made.kind] += 1
        else:
            turned = f"{old.value} ({old.message}) -> {new.value} ({new.message})"
            counts.otherwise.append(f"{where}: {name}: {turned}")


def table(counts: Counts) -> str:
    """Return the counts as a table."""
    heads = ("change", "made", "the same", "to unknown", "from unknown", "by their own sign")
    rows = [heads, ("---",) * len(heads)]
    parts = (counts.made, counts.same, counts.opened, counts.closed, counts.own)
    rows += [(kind, *(str(part[kind]) for part in parts)) for kind in KINDS]
    rows.append(("all", *(str(part.total()) for part in parts)))
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def main(number: int) -> int:
    """Print the counts and every fault."""
    counts = count(number)
    print(table(counts))
    print(f"turned over otherwise: {len(counts.otherwise)}")
    print("\n".join(counts.otherwise))
    return 1 if counts.otherwise else 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
