"""All parts together: the trees, the real machine, and trees that lie."""

import subprocess
import sys
from collections.abc import Callable, Iterator

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from devops_info_service.expectations.condition import Expectation
from devops_info_service.expectations.conformance import evaluate
from devops_info_service.expectations.extract import EXTRACTORS
from devops_info_service.facts.fact import File, Known, Unknown
from devops_info_service.facts.system_files import Clock, Machine, SystemFiles
from devops_info_service.snapshot import PlatformSnapshot, read_platform

from ..recorded import DATA, TREES

READ = sorted(
    f"/{path.relative_to(DATA / 'containerd-restricted' / 'root')}"
    for path in (DATA / "containerd-restricted" / "root").rglob("*")
    if path.is_file()
)
LONG_LIST = "".join(f"{n} 1 8:1 /x{n} /m{n} rw - tmpfs t rw\n" for n in range(6000))
NONSENSE = [
    "",
    "\n\n\n",
    "\x00\x01\x02\\xff",
    "999999999999999999999999999999",
    "-1",
    "nan",
    "a b c d e f - g h i\n" * 50,
    "{[(" * 1000,
    "0-8191," * 30_000,
    LONG_LIST[: 250 * 1024],
]


@pytest.mark.parametrize("name", TREES)
def test_round_trip(saved: Callable[[str], SystemFiles], clock: Clock, name: str) -> None:
    """The report is JSON, and the JSON is the report."""
    report = read_platform(saved(name), clock)
    data = msgspec.json.encode(report)

    assert msgspec.json.decode(data, type=PlatformSnapshot) == report
    assert len(data) < 64 * 1024


@pytest.mark.parametrize("name", TREES)
def test_tree_is_small_and_has_its_origin(name: str) -> None:
    """Each tree is small, and its README names its origin, recorded or built."""
    size = sum(path.stat().st_size for path in (DATA / name).rglob("*") if path.is_file())
    first = (DATA / name / "README.md").read_text().splitlines()[0]

    assert size < 100_000
    assert first in {
        "Recorded by `record.py`:",
        "Built from documentation, not recorded:",
        "Built from documentation and gVisor's source, not recorded:",
    }


def test_schema() -> None:
    """The report has a schema, so that its route can be described."""
    schema, components = msgspec.json.schema_components(
        [PlatformSnapshot], ref_template="#/components/schemas/{name}"
    )

    assert schema == ({"$ref": "#/components/schemas/PlatformSnapshot"},)
    assert {"Evidence", "Finding", "Unknown"} <= set(components)


def test_real_machine() -> None:
    """The machine of the tests can be read."""
    assert output(read_platform(SystemFiles(), Machine()))


def test_nothing(tree_of: Callable[..., SystemFiles], clock: Clock) -> None:
    """An empty root gives no error and no number: each fact is unknown, with its reason."""
    report = read_platform(tree_of({}), clock)

    assert {check.verdict for check in report.security.checks} <= {"unknown", "pass"}
    for fact in facts(report.resources):
        assert isinstance(fact, Unknown)
        assert len(fact.reason) > 10


def facts(value: object) -> Iterator[Known[object] | Unknown]:
    """Walk through all facts of a report."""
    if isinstance(value, Known | Unknown):
        yield value
    elif isinstance(value, msgspec.Struct):
        for field in value.__struct_fields__:
            yield from facts(getattr(value, field))


def output(report: PlatformSnapshot) -> bytes:
    """Return all output of a snapshot: the report, and a result for every expectation."""
    contract = tuple(Expectation(each, "", ()) for each in EXTRACTORS.values())
    return msgspec.json.encode((report, evaluate(contract, report)))


class MisleadingTree(SystemFiles):
    """A tree in which some files hold something else."""

    def __init__(self, tree: SystemFiles, contents: dict[str, str | Unknown]) -> None:
        super().__init__("/nowhere", tree.environ())
        self.tree = tree
        self.contents = contents
        for name in ("link", "names", "node", "nodes", "space", "writable"):
            setattr(self, name, getattr(tree, name))

    def read(self, path: str) -> File:
        if path in self.contents:
            return File(path, self.contents[path])
        return self.tree.read(path)


@pytest.mark.sample(every=3)
@pytest.mark.parametrize("path", READ)
def test_one_misleading_file(saved: Callable[[str], SystemFiles], clock: Clock, path: str) -> None:
    """Nonsense in any one file leaves the rest of the report unchanged."""
    for nonsense in ("\x00\x01", "-1", "a b c d e f - g h i\n" * 5, Unknown("refused")):
        report = read_platform(
            MisleadingTree(saved("containerd-restricted"), {path: nonsense}), clock
        )

        assert output(report)


@pytest.mark.parametrize("nonsense", NONSENSE, ids=range(len(NONSENSE)))
def test_all_files_misleading(
    saved: Callable[[str], SystemFiles], clock: Clock, nonsense: str
) -> None:
    """All files may hold the same nonsense."""
    tree = MisleadingTree(saved("containerd-restricted"), dict.fromkeys(READ, nonsense))

    assert output(read_platform(tree, clock))


@given(contents=st.dictionaries(st.sampled_from(READ), st.text(), min_size=1))
def test_misleading_content_of_all_kinds(
    saved: Callable[[str], SystemFiles], clock: Clock, contents: dict[str, str]
) -> None:
    """Whatever files hold, the report is a report."""
    tree = MisleadingTree(saved("containerd-restricted"), dict(contents))

    assert output(read_platform(tree, clock))


def test_imports_stay_small() -> None:
    """The report needs nothing that a frozen interpreter lacks or that costs start-up time."""
    unwanted = {"ctypes", "ssl", "subprocess", "dataclasses", "pathlib", "json", "hashlib"}
    code = (
        "import devops_info_service.snapshot, sys;"
        "import devops_info_service.expectations.conformance;"
        "print(*sys.modules, sep='\\n')"
    )
    process = subprocess.run(
        [sys.executable, "-S", "-c", f"import sys; sys.path[:] = {sys.path!r}; {code}"],
        capture_output=True,
        text=True,
        check=True,
    )

    assert not unwanted & set(process.stdout.split())
