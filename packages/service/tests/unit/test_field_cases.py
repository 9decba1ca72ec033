"""Platforms and proxies that other people reported: what must come of them, and why.

Each case is ``data/field-cases/NAME.json``. Its expectations are those of the kernel's documents,
RFCs and man pages that ``why`` names, not of this product's output.

Facts are expected as ``{"known": value}``, ``{"known_has": part}``, ``{"unknown": words}``,
``{"any": [...]}`` or ``{"never": ...}``; a part of an object has some of its fields, a part of a
list some of its elements, unless it is ``{"exactly": value}``.
"""

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest

from devops_info_service.facts.container.kernel_mounts import DEVICES
from devops_info_service.facts.fact import Unknown
from devops_info_service.facts.linux.mounts import MOUNTINFO
from devops_info_service.facts.system_files import FileStat, Kind, SystemFiles
from devops_info_service.http.wire.cidr import Cidr
from devops_info_service.http.wire.forwarded import TrustedProxies
from devops_info_service.http.wire.message import Client
from devops_info_service.http.wire.proxy_header import ProxyHeader
from devops_info_service.snapshot import read_platform

from .recorded import FrozenClock, write_tree

CASES: Final = Path(__file__).parents[1] / "data" / "field-cases"


class Repeated(msgspec.Struct, forbid_unknown_fields=True):
    """A line that follows a file's text many times, with ``n`` from 0 on and ``m`` from 1000."""

    times: int
    line: str


class ExpectedCheck(msgspec.Struct, forbid_unknown_fields=True):
    """Verdicts that are right, and words that would be untrue."""

    verdict: list[str]
    meaning_lacks: list[str] = []


class Case(msgspec.Struct, forbid_unknown_fields=True):
    """One report from the field."""

    why: str
    files: dict[str, str] = {}
    devices: dict[str, Kind] = {}
    """Below ``/dev``, by path; besides them there are the usual ones."""
    repeated: dict[str, Repeated] = {}
    environ: dict[str, str] = {}
    checks: dict[str, ExpectedCheck] = {}
    facts: dict[str, Any] = {}
    """Path in the report -> the expectation."""
    forwarded: str | None = None
    """A field of RFC 7239, its bytes as Latin-1, from 10.0.0.1, where 10.0.0.0/8 is trusted."""
    proxy: str | None = None
    """A PROXY header."""
    client: str | None = None
    """The address of the client that either names."""


class CaseFiles(SystemFiles):
    """The files of a case, and its devices: a tree without root's rights has none."""

    def __init__(self, root: Path, case: Case) -> None:
        super().__init__(str(root), case.environ)
        self._devices = case.devices

    def nodes(self, path: str) -> dict[str, FileStat] | Unknown:
        if not self._devices or not f"{path}/".startswith("/dev/"):
            return super().nodes(path)
        kinds: dict[str, Kind] = {**dict.fromkeys(DEVICES, "character"), **self._devices}
        found = {}
        for name, kind in kinds.items():
            inside = f"/dev/{name}".removeprefix(f"{path}/")
            first, slash, _ = inside.partition("/")
            if inside[0] != "/":
                found[first] = FileStat("directory" if slash else kind, 0o666, 0, 6)
        return found


def load(name: str) -> Case:
    return msgspec.json.decode((CASES / f"{name}.json").read_bytes(), type=Case)


def cases(kind: str) -> list[str]:
    """Return the names of the cases with a *kind* of input."""
    names = sorted(path.stem for path in CASES.glob("*.json"))
    return [name for name in names if getattr(load(name), kind)]


@pytest.mark.sample(every=3)
@pytest.mark.parametrize("name", cases("files"))
def test_platform(tmp_path: Path, name: str) -> None:
    """The report of the machine holds what its files prove, and no more."""
    case = load(name)
    files = dict(case.files)
    for path, more in case.repeated.items():
        lines = [more.line.format(n=n, m=n + 1000) + "\n" for n in range(more.times)]
        files[path] += "".join(lines)
    write_tree(tmp_path, files)

    snapshot = read_platform(CaseFiles(tmp_path, case), FrozenClock())
    report = msgspec.json.decode(msgspec.json.encode(snapshot))

    checks = {check["id"]: check for check in report["security"]["checks"]}
    for check, expected in case.checks.items():
        assert checks[check]["verdict"] in expected.verdict, (check, checks[check]["message"])
        for words in expected.meaning_lacks:
            assert words not in checks[check]["message"]
    for fact, wanted in case.facts.items():
        assert holds(at(report, fact), wanted), (fact, wanted, at(report, fact))


def of_disks(change: Callable[[str], str]) -> Callable[[str], str]:
    """Return what changes the root of each mount of a disk."""

    def changed(line: str) -> str:
        before, dash, after = line.partition(" - ")
        fields = before.split(" ")
        if after.split(" ")[0] in {"ext4", "xfs", "btrfs"}:
            fields[3] = change(fields[3])
        return f"{' '.join(fields)}{dash}{after}"

    return changed


MOVES: Final[dict[str, Callable[[str], str]]] = {
    "subvolume": of_disks(lambda root: f"/@{root}"),
    "disk at /var": of_disks(lambda root: root.removeprefix("/var")),
    "other directories": lambda line: line.replace("/var/lib/kubelet", "/data/kubelet").replace(
        "/var/lib/docker", "/mnt/engine"
    ),
    "microk8s": lambda line: (
        line.replace("/var/lib/", "/var/snap/microk8s/common/var/lib/")
        if "/pods/" in line or "/sandboxes/" in line
        else line
    ),
    "node in a container": of_disks(
        lambda root: (
            f"/var/lib/docker/volumes/node/_data{root.removeprefix('/var')}"
            if any(name in root for name in ("/pods/", "/sandboxes/", "/kubelet"))
            else root
        )
    ),
    "replaced": lambda line: line.replace("hosts /etc/hosts", "hosts//deleted /etc/hosts"),
    "peers": lambda line: line.replace(" - ", " shared:7 master:3 - ", 1),
    "labels": lambda line: f"{line},seclabel",
    "device": lambda line: line.replace(" 8:1 ", " 259:7 "),
    "owner": lambda line: f"{line},uid=1000,gid=1000" if " - tmpfs " in line else line,
}
"""The same mounts on another machine."""


@pytest.mark.parametrize(
    "moves",
    [tuple(MOVES), *(pytest.param((each,), marks=pytest.mark.exhaustive) for each in MOVES)],
    ids=["in turns", *MOVES],
)
def test_same_on_another_machine(tmp_path: Path, moves: tuple[str, ...]) -> None:
    """Where kubelet, the engine and their disk are makes no difference to the verdicts.

    Each case by one of *moves*, in turns.
    """
    for name, move in zip(cases("checks"), itertools.cycle(moves), strict=False):
        case = load(name)
        table = case.files.get(MOUNTINFO, "")
        if "hostPathVolumes" not in case.checks or "\\012" in table or case.repeated:
            continue
        lines = [MOVES[move](line) if " - " in line else line for line in table.split("\n")]
        root = tmp_path / name
        write_tree(root, {**case.files, MOUNTINFO: "\n".join(lines)})

        snapshot = read_platform(SystemFiles(str(root), case.environ), FrozenClock())

        found = {each.id: each for each in snapshot.security.checks}["hostPathVolumes"]
        assert found.verdict in case.checks[found.id].verdict, (name, found.message)


@pytest.mark.parametrize("name", cases("forwarded"))
def test_forwarded(name: str) -> None:
    """A field that RFC 7239 allows names its client."""
    case = load(name)
    assert case.forwarded is not None
    proxies = TrustedProxies((Cidr.parse("10.0.0.0/8"),), "forwarded")
    headers = {b"forwarded": case.forwarded.encode("latin-1")}

    assert proxies.resolve(Client("10.0.0.1", 4242), headers).address == case.client


@pytest.mark.parametrize("name", cases("proxy"))
def test_proxy(name: str) -> None:
    """A PROXY header names its client."""
    case = load(name)
    assert case.proxy is not None
    header = ProxyHeader()
    data = case.proxy.encode("latin-1")

    assert header.receive(data) == len(data)
    assert header.client is not None
    assert header.client.address == case.client


def at(report: Any, path: str) -> Any:
    for step in path.split("."):
        report = report[step]
    return report


def holds(fact: Any, wanted: dict[str, Any]) -> bool:
    """Return whether *fact* fits *wanted*."""
    [(kind, value)] = wanted.items()
    if kind == "any":
        return any(holds(fact, each) for each in value)
    if kind == "never":
        return not holds(fact, value)
    if kind == "unknown":
        return fact["state"] == "unknown" and value.lower() in fact["reason"].lower()
    if fact["state"] != "known":
        return False
    return same(fact["value"], value) if kind == "known" else has(fact["value"], value)


def has(found: Any, part: Any) -> bool:
    """Return whether *part* is in *found*."""
    if isinstance(part, dict) and set(part) == {"exactly"}:
        return same(found, part["exactly"])
    if isinstance(part, dict):
        return isinstance(found, dict) and all(
            key in found and has(found[key], each) for key, each in part.items()
        )
    if isinstance(part, list):
        return isinstance(found, list) and all(
            any(has(one, each) for one in found) for each in part
        )
    return same(found, part)


def same(found: Any, value: Any) -> bool:
    """Return whether they are equal; True is not 1."""
    return bool(found == value) and isinstance(found, bool) == isinstance(value, bool)
