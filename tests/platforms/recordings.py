"""Recordings of real platforms, kept as data: one file each."""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from devops_info_service.recording.machine_file import MACHINE_FILE, ROOT, MachineFile

from .comparison import Compared
from .table import Platform

DATA: Final = Path(__file__).parent / "data"
NAMES: Final = sorted(path.stem for path in DATA.glob("*.json"))
_PROGRAMS: Final = ("/usr", "/bin", "/sbin", "/lib", "/opt", "/app", "/var", "/home", "/root")
"""Where the search for set-id programs goes: left out, so that it is unknown."""


class Recording(msgspec.Struct, forbid_unknown_fields=True):
    """One platform."""

    platform: str
    command: str
    true: dict[str, Any]
    """The request, by the names of ``table``."""
    unknown: list[str]
    """Those that do not show inside."""
    machine: MachineFile
    files: dict[str, str]

    def unpack(self, folder: Path) -> None:
        """Write it as a recording."""
        for path, text in self.files.items():
            file = folder / ROOT / path.lstrip("/")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        (folder / MACHINE_FILE).write_bytes(msgspec.json.encode(self.machine))


def load(name: str) -> Recording:
    """Read one."""
    return msgspec.json.decode((DATA / f"{name}.json").read_bytes(), type=Recording)


def keep(platform: Platform, recording: Path, found: Sequence[Compared]) -> None:
    """Keep a recording, stripped, with its truths."""
    machine = msgspec.json.decode((recording / MACHINE_FILE).read_bytes(), type=MachineFile)
    machine.entries = {
        path: number for path, number in machine.entries.items() if f"{path}/".startswith("/dev/")
    }
    machine.nodes = {
        path: node
        for path, node in machine.nodes.items()
        if node.kind == "socket" or not path.startswith(_PROGRAMS)
    }
    root = recording / ROOT
    kept = Recording(
        platform=platform.name,
        command=platform.command,
        true={each.what: each.truth for each in found if not each.what.startswith("replay")},
        unknown=sorted(each.what for each in found if each.verdict == "unknown"),
        machine=machine,
        files={
            f"/{file.relative_to(root)}": _scrubbed(file.read_text("utf-8", "backslashreplace"))
            for file in sorted(root.rglob("*"))
            if file.is_file()
        },
    )
    DATA.mkdir(exist_ok=True)
    (DATA / f"{platform.name}.json").write_text(_text(msgspec.to_builtins(kept)) + "\n")


def _scrubbed(text: str) -> str:
    """Take out what tells about this one machine: its kernel's builder and its resolver."""
    text = re.sub(r"^nameserver .*", "nameserver 192.0.2.53", text, flags=re.MULTILINE)
    text = re.sub(r"\(\w+@\w+\)", "(builder@example)", text)
    return re.sub(r"\b(\d+\.\d+\.\d+)-fc-\w+", r"\1", text)


def _text(value: Any, depth: int = 0) -> str:
    """Return JSON with a line for each path: a person can read the difference of two."""
    if not isinstance(value, dict) or not value:
        return json.dumps(value)
    margin = " " * (depth + 1)
    rows = [f"{margin}{json.dumps(k)}: {_text(v, depth + 1)}" for k, v in sorted(value.items())]
    return "{\n" + ",\n".join(rows) + f"\n{margin[1:]}}}"
