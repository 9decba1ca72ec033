"""Locks of other tools: each format gives what its tool would install on the target."""

import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from onebin import cli, locks, planning
from onebin.errors import ProjectError
from onebin.inputs import directory
from onebin.locks.wanted import Wanted
from onebin.model import Obstacle, Pin, target_environment

from . import lock_files
from .lock_files import EXTRAS, GROUPS, HASHED, ORIGINS, UNPINNED, Graph

LINUX = target_environment("x86_64")
FOLDER = Path(__file__).parent.parent / "locks"
SHA = "0" * 64

FORMATS: dict[str, tuple[str, Callable[[Graph], str]]] = {
    "uv": ("uv.lock", lock_files.uv_lock),
    "poetry 1.1": ("poetry.lock", lambda graph: lock_files.poetry_lock(graph, "1.1")),
    "poetry 2.1": ("poetry.lock", lambda graph: lock_files.poetry_lock(graph, "2.1")),
    "pylock": ("pylock.toml", lock_files.pylock),
}


def name_of(entry: Pin | Obstacle) -> str:
    """Return whose entry it is."""
    return entry.name if isinstance(entry, Pin) else entry.pin.name


@pytest.mark.parametrize("kind", FORMATS)
@given(
    graph=lock_files.graphs(),
    extras=st.sets(st.sampled_from(EXTRAS)),
    groups=st.sets(st.sampled_from(GROUPS)),
)
def test_lock_gives_what_the_project_needs(
    kind: str, graph: Graph, extras: set[str], groups: set[str]
) -> None:
    """All that the project reaches under the target's markers, and nothing else."""
    name, write = FORMATS[kind]
    if kind == "poetry 1.1":  # which names no groups
        groups = set()

    lock = locks.read(name, write(graph))
    found = lock.pins(LINUX, graph.wanted(extras, groups))

    assert graph.needed(extras, groups) == {name_of(entry) for entry in found}
    folders = {node.name for node in graph.nodes if node.kind == "path"}
    assert {node.name for node in graph.nodes} - folders == lock.names() - folders
    numbers = {node.name: n for n, node in enumerate(graph.nodes)}
    for entry in found:
        node = graph.nodes[numbers[name_of(entry)]]
        if node.kind in UNPINNED:
            assert isinstance(entry, Obstacle)
            assert "secret" not in entry.reason
            assert node.name in entry.reason
            assert "lock again" in entry.hint
            continue
        assert isinstance(entry, Pin)
        if node.kind in HASHED:
            assert (f"sha256:{lock_files.sha256(numbers[node.name])}",) == entry.hashes
        origin = entry.origin
        read = (origin.kind, origin.address, origin.commit, origin.folder) if origin else None
        assert ORIGINS.get(node.kind) == read


REAL = {
    (): "iniconfig markdown-it-py mdurl pygments pysocks rich urllib3",
    ("sign",): "iniconfig itsdangerous markdown-it-py mdurl pygments pysocks rich urllib3",
}


@pytest.mark.parametrize("extras", REAL)
@pytest.mark.parametrize("name", ["uv.lock", "poetry.lock", "pylock.toml", "requirements.txt"])
def test_real_locks_agree(name: str, extras: tuple[str, ...]) -> None:
    """uv and poetry locked one project: the same names, and of two versions the target's."""
    table = tomllib.loads((FOLDER / "pyproject.toml").read_text())
    project = directory.parse(
        FOLDER, table | {"tool": {"onebin": {"extras": list(extras)}}}, with_code=False
    )
    text = (FOLDER / name).read_text()
    if extras and name in {"pylock.toml", "requirements.txt"}:  # exported without the extra
        with pytest.raises(ProjectError, match="itsdangerous not at all"):
            planning.require_no_obstacle(
                planning.plan(project, machine="x86_64", lock=text, lock_name=name)
            )
        return

    made = planning.plan(project, machine="x86_64", lock=text, lock_name=name)

    assert REAL[extras].split() == [pin.name for pin in made.distributions]
    assert "2.3.1" in {pin.version for pin in made.distributions if pin.name == "iniconfig"}
    assert name == made.lock
    assert "colorama" in made.not_needed
    assert ("attrs" in made.not_needed) == (name in {"uv.lock", "poetry.lock"})


def test_older_python_gets_the_other_version() -> None:
    """A lock with two versions of one distribution has a version for each Python."""
    text = (FOLDER / "uv.lock").read_text()

    old = locks.read("uv.lock", text).pins(
        target_environment("x86_64", "3.12"), Wanted(project="locked-app")
    )

    assert ["1.1.1"] == [
        item.version for item in old if isinstance(item, Pin) and item.name == "iniconfig"
    ]


PACKAGE = (
    '[[package]]\nname = "a"\nversion = "1"\nsource = { registry = "r" }\n'
    f'sdist = {{ hash = "sha256:{SHA}" }}\n'
)
TWICE = "".join(
    f'[[packages]]\nname = "a"\nversion = "{v}"\nsdist = {{ hashes = {{ sha256 = "{SHA}" }} }}\n'
    for v in (1, 2)
)
APP = 'version = 1\n[[package]]\nname = "app"\nsource = { virtual = "." }\n'
POETRY = '[metadata]\nlock-version = "2.1"\n'

FAULTS = {
    "uv format": ("uv.lock", "version = 2", "version 2 of the format"),
    "uv format, and form": ("uv.lock", "version = 2\npackage = 1", "version 2 of the format"),
    "uv without a version": ("uv.lock", "revision = 2", "not the form"),
    "uv in a merge": ("uv.lock", "version = 1\n<<<<<<< HEAD\nrevision = 2", "line 2"),
    "uv without a hash": (
        "uv.lock",
        'version = 1\n[[package]]\nname = "a"\nversion = "1"\nsource = { registry = "r" }',
        "no sha256",
    ),
    "uv lacks a package": (
        "uv.lock",
        APP + 'dependencies = [{ name = "gone" }]',
        "needs 'gone', which is not in the lock",
    ),
    "uv marker": (
        "uv.lock",
        APP + 'dependencies = [{ name = "a", marker = "!" }]\n' + PACKAGE,
        "marker '!' cannot be evaluated",
    ),
    "uv name": (
        "uv.lock", "version = 1\n" + PACKAGE.replace('"a"', '"../a"'), "not at all",
    ),
    "pylock version": ("pylock.toml", 'lock-version = "2.0"\npackages = []', "lock-version '2.0'"),
    "pylock platform": (
        "pylock.toml",
        'lock-version = "1.0"\npackages = []\nenvironments = ["sys_platform == \'win32\'"]',
        "environments: none is that of the executable",
    ),
    "pylock python": (
        "pylock.toml", 'lock-version = "1.0"\npackages = []\nrequires-python = ">=3.99"',
        "requires Python '>=3.99'",
    ),
    "pylock package's python": (
        "pylock.toml",
        'lock-version = "1.0"\n' + TWICE.partition("sdist")[0]
        + 'requires-python = "<3"',
        "a 1: requires Python '<3'",
    ),
    "pylock twice": (
        "pylock.toml",
        'lock-version = "1.0"\n' + TWICE,
        "a is pinned twice",
    ),
    "poetry format": ("poetry.lock", '[metadata]\nlock-version = "3.0"', "lock-version '3.0'"),
    "poetry lacks": (
        "poetry.lock",
        f'[[package]]\nname = "a"\nversion = "1"\nfiles = [{{file = "a", hash = "sha256:{SHA}"}}]\n'
        '[package.dependencies]\ngone = ">1"\n' + POETRY,
        "needs 'gone' >1, which is not in the lock",
    ),
    "not TOML": ("uv.lock", "= 1", "not TOML"),
    "another form": ("poetry.lock", "package = 1", "not the form"),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_faults_of_locks(fault: str) -> None:
    """Each is named with the file, before a program is started."""
    name, text, message = FAULTS[fault]
    project = directory.parse(
        FOLDER,
        {"project": {"name": "app", "dependencies": ["a"], "scripts": {"app": "app:main"}}},
        with_code=False,
    )
    try:
        plan = planning.plan(project, machine="x86_64", lock=text, lock_name=name)
    except ProjectError as exc:
        reason, hint = str(exc), exc.hint
    else:
        reason, hint = plan.obstacles[0].reason, plan.obstacles[0].hint

    assert reason.startswith(name)
    assert message in reason
    assert hint


def test_all_obstacles_are_reported_at_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A plan prints itself, then each obstacle with its replacement, and ends with status 2."""
    monkeypatch.setenv("ONEBIN_CACHE", str(tmp_path / "cache"))
    sources = {"one": 'git = "https://u:secret@h.invalid/x"', "two": 'directory = "../two"',
               "three": 'url = "https://u:secret@h.invalid/three.whl"'}  # fmt: skip
    faults = {
        "one": "uv.lock: one 1 comes from git 'https://****@h.invalid/x' without a commit",
        "two": f"two 1: {tmp_path.parent / 'two'}: not there; expected a project's folder",
        "three": "uv.lock: three 1 comes from url 'https://****@h.invalid/three.whl' without a sha",
    }
    names = ", ".join(f'"{name}"' for name in sources)
    needs = ", ".join(f'{{ name = "{name}" }}' for name in sources)
    (tmp_path / "pyproject.toml").write_text(
        f'[project]\nname = "app"\ndependencies = [{names}]\nscripts = {{ app = "app:main" }}\n'
    )
    (tmp_path / "app.py").write_text("def main(): ...")
    packages = "".join(
        f'[[package]]\nname = "{name}"\nversion = "1"\nsource = {{ {source} }}\n'
        for name, source in sources.items()
    )
    (tmp_path / "uv.lock").write_text(f"{APP}dependencies = [{needs}]\n{packages}")

    status = cli.main(["plan", str(tmp_path)])

    out, err = capsys.readouterr()
    assert 2 == status
    assert "uv.lock" in out
    assert "secret" not in out + err
    for fault in faults.values():
        assert f"error: {fault}" in err
    assert len(faults) == err.count("lock again") == err.count("  → ")


NAMES = """
version package packages name source dependencies marker markers extra extras groups
optional-dependencies dev-dependencies wheels sdist hash hashes sha256 files metadata
lock-version registry git resolution-markers python-versions environments
"""
KEYS = st.sampled_from(NAMES.split())
SCALARS = st.one_of(
    st.integers(-9, 9),
    st.booleans(),
    st.sampled_from(["", "a", "app", "1", "1.0", "2.1", "a b", "../x", "extra == 'x'", "sha256:0"]),
)
DOCUMENTS = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=20,
)


HEADS: dict[str, dict[str, object]] = {
    "uv.lock": {"version": 1},
    "poetry.lock": {"metadata": {"lock-version": "2.1"}},
    "pylock.toml": {"lock-version": "1.0"},
}


@pytest.mark.parametrize("name", HEADS)
@given(document=st.dictionaries(KEYS, DOCUMENTS, max_size=4))
def test_any_document_is_read_or_refused(name: str, document: dict[str, object]) -> None:
    """Any text of a lock is pins, obstacles or a ``ProjectError``."""
    whole = {**document, **HEADS[name]}

    try:
        found = locks.read(name, toml(whole)).pins(
            LINUX, Wanted(project="app", requirements=("a",))
        )
    except ProjectError as exc:
        found, reason = (), str(exc)
        event(reason.partition(":")[2][:30])
    else:
        reason = name

    assert reason.startswith((name, "the project"))
    assert all(isinstance(item, Pin | Obstacle) for item in found)


def toml(value: object) -> str:
    """Write a document."""
    assert isinstance(value, dict)
    return "\n".join(f'"{key}" = {_inline(item)}' for key, item in value.items())


def _inline(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f'"{key}" = {_inline(item)}' for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_inline, value)) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else str(value)
