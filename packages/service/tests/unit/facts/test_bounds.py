"""The bounds of a snapshot's inputs and outputs; omitted values are counted."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import msgspec
import pytest

from devops_info_service.catalog.properties import rows
from devops_info_service.facts.fact import Known, Unknown
from devops_info_service.facts.linux.addresses import MAX_ADDRESSES, MAX_ROUTES
from devops_info_service.facts.linux.mounts import MAX_MOUNTS, read_mounts
from devops_info_service.facts.linux.network import MAX_SERVICES, MAX_VARIABLES
from devops_info_service.facts.linux.resolver import MAX_LISTED
from devops_info_service.facts.system_files import MAX_FILE_BYTES, Machine, SystemFiles
from devops_info_service.snapshot import PlatformSnapshot, read_platform

pytestmark = pytest.mark.claim("the inputs of a snapshot")

MOST_JSON_BYTES = 128 * 1024
"""Of a snapshot of the worst of these; a usual one is 30 KB."""

SERVICE = {
    "SERVICE_HOST": "10.0.0.1",
    "SERVICE_PORT": "80",
    "PORT": "tcp://10.0.0.1:80",
    "PORT_80_TCP": "tcp://10.0.0.1:80",
    "PORT_80_TCP_PROTO": "tcp",
    "PORT_80_TCP_PORT": "80",
    "PORT_80_TCP_ADDR": "10.0.0.1",
}
"""Variables of kubelet for each service of the namespace."""


def services(number: int) -> dict[str, str]:
    return {f"S{n}_{end}": value for n in range(number) for end, value in SERVICE.items()}


def filled(line: Callable[[int], str]) -> str:
    """Return as many lines as a file may have bytes."""
    lines: list[str] = []
    size = 0
    while size + len(line(len(lines))) <= MAX_FILE_BYTES:
        lines.append(line(len(lines)))
        size += len(lines[-1])
    return "".join(lines)


def local_address(number: int) -> str:
    return f"|-- 10.{number >> 16}.{number >> 8 & 255}.{number & 255}\n/32 host LOCAL\n"


def route_v6(number: int) -> str:
    return f"{number:032x} 40 {0:032x} 0 {1:032x} 1 0 0 1 e\n"


class Counted(Mapping[str, str]):
    """An environment that counts its iterations."""

    def __init__(self, variables: dict[str, str]) -> None:
        self._variables = variables
        self.times = 0

    def __getitem__(self, name: str) -> str:
        return self._variables[name]

    def __len__(self) -> int:
        return len(self._variables)

    def __iter__(self) -> Iterator[str]:
        self.times += 1
        return iter(self._variables)


def read(root: Path, files: dict[str, str], environ: Mapping[str, str]) -> PlatformSnapshot:
    for path, text in {"proc/self/cgroup": "0::/\n", **files}.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    return read_platform(SystemFiles(str(root), environ), Machine())


def test_environment_is_read_once(tmp_path: Path) -> None:
    """One reading serves a whole snapshot, and all snapshots."""
    environ = Counted({"A": "b"})
    tree = SystemFiles(str(tmp_path), environ)
    for _ in range(2):
        read_platform(tree, Machine())

    assert environ.times == 1


def test_services_of_a_large_namespace(tmp_path: Path) -> None:
    """The container's own variables come first; unlisted ones are counted, in the text too."""
    own = {f"ZZ_{number}": "x" for number in range(20)}
    found = read(tmp_path, {}, {**services(2000), **own})

    listed = [variable.name for variable in found.network.environment]
    assert len(listed) == MAX_VARIABLES
    assert set(own) < set(listed)
    assert len(found.network.services) == MAX_SERVICES
    assert found.network.unlisted == {
        "environment": 2000 * len(SERVICE) + len(own) - MAX_VARIABLES,
        "services": 2000 - MAX_SERVICES,
    }
    assert len(msgspec.json.encode(found)) < MOST_JSON_BYTES
    said = {row.label: row.value for row in rows(found, "network")}
    assert said["environment not listed"] == "13508 more"
    assert said["services not listed"] == "1744 more"


def test_few_variables_are_all_listed(tmp_path: Path) -> None:
    """Nothing is counted if all are listed."""
    found = read(tmp_path, {}, services(MAX_VARIABLES // len(SERVICE)))

    assert found.network.unlisted == {}
    assert not [row for row in rows(found, "network") if row.label.endswith("not listed")]


@pytest.mark.parametrize(
    ("path", "text", "unlisted"),
    [
        ("proc/net/fib_trie", filled(local_address), "addresses"),
        ("proc/net/if_inet6", filled(lambda n: f"{n:032x} 1 40 0 0 e\n"), "addresses"),
        ("proc/net/route", filled(lambda n: "e\t0100A8C0\t0\t1\t0\t0\t0\tFFFFFF00\t0\n"), "routes"),
        ("proc/net/ipv6_route", filled(route_v6), "routes"),
    ],
    ids=lambda value: value if len(value) < 30 else "",
)  # fmt: skip
def test_tables_of_the_network(tmp_path: Path, path: str, text: str, unlisted: str) -> None:
    """The first of them are listed, the others counted."""
    files = {"proc/net/route": "h\n" + "e\t0100A8C0\t0\t1\t0\t0\t0\tFFFFFF00\t0\n" * MAX_ROUTES}
    found = read(tmp_path, {**files, path: text}, {})

    assert found.network.unlisted[unlisted] > 1000
    assert isinstance(found.network.addresses, Unknown) or (
        len(found.network.addresses.value) <= 2 * MAX_ADDRESSES
    )
    assert len(msgspec.json.encode(found)) < MOST_JSON_BYTES


@pytest.mark.parametrize(
    "word", ["nameserver 192.0.2.1\n", "search" + " a" * 100_000, "options" + " a" * 100_000]
)
def test_resolver(tmp_path: Path, word: str) -> None:
    """The same for its settings, all of which count."""
    found = read(tmp_path, {"etc/resolv.conf": word * (MAX_FILE_BYTES // len(word))}, {})

    resolver = found.network.resolver
    assert isinstance(resolver, Known)
    shown = (*resolver.value.ignored_servers, *resolver.value.search, *resolver.value.options)
    assert len(shown) == MAX_LISTED
    assert resolver.value.unlisted > 10_000
    if resolver.value.search:
        assert resolver.value.costs[0].tried == 100_001
    assert len(msgspec.json.encode(found)) < MOST_JSON_BYTES


def test_mounts_beyond_number(tmp_path: Path) -> None:
    """A truncated table is unknown: the engine's socket may be in the rest."""
    text = "".join(f"1 1 0:1 / /{n} ro - tmpfs b c\n" for n in range(MAX_MOUNTS + 1))
    found = read(tmp_path, {"proc/self/mountinfo": text}, {})
    tree = SystemFiles(str(tmp_path))

    assert read_mounts(tree) == Unknown(f"/proc/self/mountinfo has more than {MAX_MOUNTS} mounts")
    assert isinstance(found.filesystem.mounts, Unknown)
    (tmp_path / "proc/self/mountinfo").write_text(text[text.index("\n") + 1 :])
    assert not isinstance(read_mounts(tree), Unknown)


def test_mounts_are_parsed_once(tmp_path: Path) -> None:
    """An unchanged table is the same value; a changed one is not."""
    tree, line = SystemFiles(str(tmp_path)), "1 1 0:1 / /a ro - tmpfs b c\n"
    read(tmp_path, {"proc/self/mountinfo": line}, {})
    first = read_mounts(tree)
    assert read_mounts(tree) is first
    (tmp_path / "proc/self/mountinfo").write_text(line * 2)
    assert read_mounts(tree) is not first


def test_long_names_and_values(tmp_path: Path) -> None:
    """A variable may have 128 KiB: it is cut with three dots, or withheld."""
    found = read(tmp_path, {}, {"PATH": "/bin:" * 26_000, "y" * 131_000: "1"})

    path, other = found.network.environment
    assert (path.value, path.redacted) == (None, True)
    # A name as long is a line of a key more likely than a name.
    assert other.name == "(withheld)"
    assert len(msgspec.json.encode(found)) < MOST_JSON_BYTES
