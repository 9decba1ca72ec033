"""A build of nothing new gives the result before; anything that changes it is seen."""

import os
import random
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from onebin.effects import unchanged
from onebin.effects.unchanged import Inputs, Result

ARGS = ["build", "project"]
FILES = ("pyproject.toml", "src/app/__init__.py", "src/app/data/x.txt", ".git/HEAD", "uv.lock")
Change = Callable[[Path, random.Random], object]


class Build:
    """A build that has ended: its folders, and its note."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        self.project, self.cache = self.root / "project", self.root / "cache"
        self.target = self.project / "dist/app"
        for name in FILES:
            self.file(name).parent.mkdir(parents=True, exist_ok=True)
            self.file(name).write_text(name)
        (self.project / "link").symlink_to(self.root / "elsewhere")
        (self.root / "elsewhere").write_text("x")
        for folder in (self.target.parent, self.cache):
            folder.mkdir(mode=0o700)
        (self.cache / unchanged.KIND).mkdir(mode=0o700)
        (self.cache / "kept").touch()
        self.environ = {"ONEBIN_CACHE": str(self.cache), "PIP_INDEX_URL": "one"}
        self.inputs = Inputs(
            (str(self.project),),
            (str(self.target),),
            (str(self.root / "uv.lock"), str(self.root / "above.lock")),
        )

    def file(self, name: str) -> Path:
        return self.project / name

    def run(self, meanwhile: Callable[[], object] = lambda: None) -> bool:
        """Write the result and note it; *meanwhile* happens before the result."""
        began = time.time_ns()
        before = unchanged.state(self.inputs)
        meanwhile()
        self.target.write_text("program")
        return unchanged.remember(
            ARGS,
            self.environ,
            Result(str(self.target), "dist/app", "app, 7 B", ("careful",)),
            self.inputs,
            began_ns=began,
            before=before,
            kept=[str(self.cache / "kept")],
            folder=self.cache / unchanged.KIND,
        )

    def result(self) -> Result | None:
        return unchanged.result(ARGS, self.environ)


@pytest.fixture
def build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Build:
    """A project that has rested for longer than a tick of the clock of files."""
    monkeypatch.setattr(sys, "path", [])
    made = Build(tmp_path)
    time.sleep(2 * unchanged.TICK_NS / 1e9)
    return made


def same_size(project: Path, chance: random.Random) -> None:
    """Change one letter and set the time of the change back, as unpacking does."""
    file = project / chance.choice(FILES)
    facts, text = file.stat(), file.read_text()
    file.write_text("#" + text[1:])
    os.utime(file, ns=(facts.st_atime_ns, facts.st_mtime_ns))


def swap(project: Path, chance: random.Random) -> None:
    one, other = (project / name for name in chance.sample(FILES, 2))
    one.rename(project / "between")
    other.rename(one)
    (project / "between").rename(other)


def old(project: Path, _: random.Random) -> None:
    (project / "src/old.py").touch()
    os.utime(project / "src/old.py", (1, 1))


def other_link(project: Path, _: random.Random) -> None:
    (project / "link").unlink()
    (project / "link").symlink_to(project / "uv.lock")


def copied(project: Path, _: random.Random) -> None:
    data = (project / "dist/app").read_bytes()
    (project / "dist/app").unlink()
    (project / "dist/app").write_bytes(data)


CHANGES: dict[str, Change] = {
    "one letter, the time set back": same_size,
    "a longer file": lambda p, r: (p / r.choice(FILES)).write_text("x" * 99),
    "a file less": lambda p, r: (p / r.choice(FILES)).rename(p.parent / "away"),
    "a file more": lambda p, _: (p / "src/app/new.py").write_text(""),
    "a file more, older than all": old,
    "a folder renamed": lambda p, _: (p / "src/app/data").rename(p / "src/app/dats"),
    "two files swapped": swap,
    "a mode": lambda p, r: (p / r.choice(FILES)).chmod(0o600),
    "a link elsewhere": other_link,
    "the end of a link": lambda p, _: (p.parent / "elsewhere").write_text("y"),
    "a lock above": lambda p, _: (p.parent / "above.lock").write_text(""),
}

LOSSES: dict[str, Change] = {
    "the result": lambda p, _: (p / "dist/app").write_text("pr0gram"),
    "the result gone": lambda p, _: (p / "dist/app").rename(p.parent / "away"),
    "the result removed, and a copy of it": copied,
    "the cache emptied": lambda p, _: (p.parent / "cache/kept").rename(p.parent / "away"),
    "the note damaged": lambda p, _: next(
        (p.parent / "cache" / unchanged.KIND).iterdir()
    ).write_text('{"inputs": 1}'),
}


def test_nothing_new(build: Build) -> None:
    """The result before, its line and its warnings; as often as it is wanted."""
    assert build.result() is None
    assert build.run()

    expected = Result(str(build.target), "dist/app", "app, 7 B", ("careful",))
    assert [expected] * 3 == [build.result() for _ in range(3)]


@pytest.mark.parametrize(
    "touch",
    [
        lambda p: (p / "src/__pycache__").mkdir(),
        lambda p: (p / ".venv").mkdir(),
        lambda p: (p / ".git/index.lock").touch(),
        lambda p: (p / "dist").chmod(0o755),
    ],
)
def test_what_no_build_reads(build: Build, touch: Callable[[Path], object]) -> None:
    """Folders of tools and git's own files are no input."""
    assert build.run()
    touch(build.project)

    assert build.result() is not None


@pytest.mark.sample(every=3)
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", [*CHANGES, *LOSSES])
def test_any_change_is_seen(build: Build, name: str, seed: int) -> None:
    """Whatever changes, and however soon after the build."""
    assert build.run()

    (CHANGES | LOSSES)[name](build.project, random.Random(seed))

    assert build.result() is None


@pytest.mark.parametrize("name", CHANGES)
def test_changes_during_the_build_are_not_noted(build: Build, name: str) -> None:
    """A build that may have read the file before or after its change proves nothing."""
    assert not build.run(lambda: CHANGES[name](build.project, random.Random(0)))
    assert build.result() is None


def test_changes_just_before_the_build_are_not_noted(build: Build) -> None:
    """A second change in the same tick would look the same."""
    build.file("uv.lock").write_text("new")

    assert not build.run()
    time.sleep(2 * unchanged.TICK_NS / 1e9)
    assert build.run()


@pytest.mark.parametrize(
    ("name", "value"), [("PIP_INDEX_URL", "two"), ("SOURCE_DATE_EPOCH", "1"), ("PATH", "/")]
)
def test_environment_is_an_input(build: Build, name: str, value: str) -> None:
    """Another value of a variable is another build."""
    assert build.run()
    build.environ[name] = value

    assert build.result() is None


def test_arguments_and_folder_are_inputs(build: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each command in each folder has its own note."""
    assert build.run()

    assert unchanged.result([*ARGS, "--extra", "x"], build.environ) is None
    monkeypatch.chdir(build.root)
    assert build.result() is None


@pytest.mark.parametrize(
    ("changed_ns", "wait_ns"),
    [(1_000_000_001, unchanged.TICK_NS), (3_000_000_000, unchanged.COARSE_NS)],
)
def test_coarse_clocks(changed_ns: int, wait_ns: int) -> None:
    """A file system without fractions of a millisecond takes longer to show two changes apart."""
    assert changed_ns + wait_ns == unchanged.settled(changed_ns)


def test_clock_that_jumps_back(build: Build) -> None:
    """Files from the future are not noted: their clock may come by again."""
    before = unchanged.state(build.inputs)
    build.target.touch()
    result = Result(str(build.target), "dist/app", "", ())

    assert not unchanged.remember(
        ARGS,
        build.environ,
        result,
        build.inputs,
        began_ns=before.newest - 1,
        before=before,
        kept=[],
        folder=build.cache / unchanged.KIND,
    )


def test_nothing_else_is_imported() -> None:
    """It takes a fraction of what the build's own modules take."""
    code = (
        "import onebin.__main__, sys; "
        "sys.exit(bool({'msgspec', 'packaging', 'onebin.cli'} & {*sys.modules}))"
    )

    assert 0 == subprocess.run([sys.executable, "-c", code], check=False).returncode
