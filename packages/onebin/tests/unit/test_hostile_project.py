"""A hostile project, planned and locked: no text of it becomes an option, a path or a call.

Generated: every field that onebin reads gets texts with a meaning to some program.
The fake runner replaces pip: it records each call, and refuses all but onebin's own options.
"""

import json
import re
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from onebin import decide, pipeline, requirement
from onebin.effects.process import PIP
from onebin.errors import OnebinError
from onebin.inputs.directory import Directory
from onebin.model import Project, target_environment
from onebin.tools import Tools

from .fakes import tools

pytestmark = [
    pytest.mark.claim("plan and lock run nothing"),
    pytest.mark.claim("no text becomes an option or a path"),
]

PIECES = [
    "-", "--", "--log=FILE", "-r ", "-e ", "--index-url=", "/", "//", "/tmp/x/owned", ".", "..",
    "../",
    "~", "\n", "\r", "\t", "\0", "\x1b[2J", "\x7f", " ", "@", " @ ", "file://", "git+https://h.invalid/",
    "https://u:p@h.invalid/", ";", "; os_name == '", "'", '"', "`id`", "$(id)", "${HOME}", "%2e%2e",
    "%s", "{module}", "|", "&", "\\", "[", "]", "(", ")", "#", " #", "#sha256=", "=", "==", "===",
    ">=",
    "*", "?", "!", ",", ":", "\u0430", "\u202e", "\u2028", "\uff0e\uff0e", "\u212a", "\ufb01", "é",
    "x" * 300, "a", "b1", "app", "main", "1", "1.0", "apt", "_",
]  # fmt: skip

HOSTILE = st.lists(st.sampled_from(PIECES), min_size=1, max_size=5).map("".join)


def often(good: Any) -> st.SearchStrategy[Any]:
    """A valid value in three of four cases, so that every check is reached."""
    return st.one_of(st.just(good), st.just(good), st.just(good), HOSTILE)


WAYS_OUT = ["../x", "../../x", "a/../../x", "ROOM/x", "out/x", "./out/./y", "sub/../../x", "out"]
"""Paths that escape, directly or by the link ``out``; ROOM is the directory above."""


def path(good: str) -> st.SearchStrategy[str]:
    return st.one_of(st.just(good), st.sampled_from(WAYS_OUT), HOSTILE)


def marked(text: str) -> str:
    """A requirement with a true marker that contains *text*."""
    return f"wanted>=1; os_name != '{text}'"


LIST = st.lists(HOSTILE, max_size=2)

PROJECT = st.fixed_dictionaries(
    {"name": often("app"), "scripts": st.dictionaries(often("app"), often("app:main"), min_size=1)},
    optional={
        "version": often("1"),
        "description": often("a description"),
        "license": often("MIT"),
        "dependencies": st.lists(
            st.one_of(often("wanted>=1"), HOSTILE.map(marked), st.just("wanted[more]<2,>0")),
            max_size=2,
        ),
        "urls": st.dictionaries(often("Source"), often("https://h.example"), max_size=1),
    },
)
IMAGE = st.fixed_dictionaries(
    {},
    optional={
        "healthcheck": LIST,
        "labels": st.dictionaries(HOSTILE, HOSTILE, max_size=1),
        "env": st.dictionaries(often("A"), HOSTILE, max_size=1),
    },
)
SETTINGS = st.fixed_dictionaries(
    {},
    optional={
        "entry-point": often("app:main"),
        "source": path("."),
        "lock": path("onebin.lock"),
        "build-lock": path("build.lock"),
        "profile": st.one_of(st.just(""), st.sampled_from(WAYS_OUT)),
        "python-source": st.one_of(often(""), st.sampled_from(WAYS_OUT)),
        "from-source": st.lists(often("wanted"), max_size=1),
        "include": st.lists(often("app.*"), max_size=1),
        "exclude": st.lists(often("x*"), max_size=1),
        "image": IMAGE,
    },
)
LOCK = st.one_of(
    st.none(),
    st.lists(often(f"wanted==1 --hash=sha256:{'0' * 64}"), max_size=2).map("\n".join),
)


def toml(value: Any) -> str:
    """*value* as an inline TOML value."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{toml(key)} = {toml(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


WORDS = {
    "--disable-pip-version-check", "--no-input", "install", "download", "files", "wanted",
    "--quiet", "--dry-run",
    "--ignore-installed", "--report", "-", "--target", "--prefer-binary", "--only-binary", ":all:",
    "--implementation",
    "cp", "py", "--abi=cp313", "--abi=cp314", "--abi=abi3", "--abi=none", "--abi", "none",
    "--platform=any",
    "--platform", "any", "--python-version", "3.13", "3.14", "--constraint", "--requirement",
    "--no-deps",
    "--dest", "--no-binary", "--ignore-requires-python", "--require-hashes", "-r", "-P",
    *(f"--platform={tag}_x86_64"
      for tag in ("manylinux_2_28", "manylinux_2_17", "manylinux2014", "musllinux_1_2")),
}  # fmt: skip
"""Every argument of onebin's that is not a path; of an older Python where the newest has none."""

LINE = re.compile(
    r"[a-z0-9][a-z0-9.-]*(\[[A-Za-z0-9._,-]+\])?([<>=!~]=?[A-Za-z0-9.*+!_-]+,?)*"
    r"( --hash=sha256:[0-9a-f]{64})*"
)


class Pip:
    """Respond as pip does; fail the test at an argument or a line that is not onebin's."""

    def __init__(self, cache: Path) -> None:
        self.cache, self.calls = cache, 0

    def __call__(self, argv: Sequence[str | Path], **_: Any) -> bytes:
        self.calls += 1
        program, *words = map(str, argv)
        assert sys.executable == program
        for at, word in enumerate(words):
            if word not in WORDS and not word.startswith("{") and word != str(PIP.program):
                assert Path(word).is_relative_to(self.cache), word
            if word in {"-r", "--requirement", "--constraint"}:
                for line in Path(words[at + 1]).read_text("utf-8").splitlines():
                    assert LINE.fullmatch(line), line
        if "files" in words:
            return json.dumps([{"name": "wanted-1-py3-none-any.whl"}]).encode()
        if "download" in words:
            folder = Path(words[words.index("--dest") + 1])
            folder.mkdir()
            (folder / "wanted-1-py3-none-any.whl").write_bytes(b"")
            return b""
        asked = Path(words[words.index("--requirement") + 1]).read_text("utf-8").splitlines()
        names = [re.split(r"[^a-z0-9.-]", line)[0] for line in asked]
        return json.dumps(
            {"install": [{"metadata": {"name": name, "version": "1"}} for name in names]}
        ).encode()


def snapshot(folder: Path) -> dict[str, bytes | None]:
    return {str(path): path.read_bytes() if path.is_file() else None for path in folder.rglob("*")}


def is_read(root: Path) -> bool:
    """Whether the project's own texts are all valid."""
    try:
        found = Directory(root).project(with_code=False)
        requirement.wanted(found.dependencies, target_environment("x86_64", "3.13"), where="")
    except OnebinError:
        return False
    return True


def planned(project: Project, given: Tools) -> object:
    return decide.with_offers(decide.make_plan(project, given), given)


def plan(text: str, lock: str | None) -> tuple[str, int]:
    """Plan and lock a project; return the outcome and the number of started programs."""
    with tempfile.TemporaryDirectory() as name:
        room = Path(name).resolve()
        root, cache = room / "deep" / "project", room / "cache"
        root.mkdir(parents=True)
        (root / "app.py").write_text("def main(): ...")
        (root / "build.lock").write_text("")
        (root / "out").symlink_to(room)
        (root / "pyproject.toml").write_text(text.replace("ROOM", str(room)), "utf-8")
        if lock is not None:
            (root / "onebin.lock").write_text(lock, "utf-8")
        before = snapshot(room)
        pip = Pip(cache)
        given = tools(cache, pip)
        ends, said = [], []
        for with_code, step in ((True, planned), (False, pipeline.write_lock)):
            try:
                step(Directory(root).project(with_code=with_code), given)
                ends.append("done")
            except OnebinError as exc:
                ends.append("refused")
                said.append(str(exc))
        assert not any("\n" in text or "\x1b" in text for text in said)
        assert pip.calls == 0 or is_read(root)
        after = snapshot(room)
        changed = {path for path in {*before, *after} if before.get(path) != after.get(path)}
        new = {path for path in changed if not Path(path).is_relative_to(cache)}
        # A lock is written at the configured place inside the project, and nowhere else.
        assert all(Path(path).is_relative_to(root) for path in new), new
        assert str(root / "pyproject.toml") not in new
        return " ".join(ends), pip.calls


@given(project=PROJECT, onebin=SETTINGS, lock=LOCK)
def test_hostile_texts_in_every_field(
    project: dict[str, Any], onebin: dict[str, Any], lock: str | None
) -> None:
    """Refused, or planned with onebin's own arguments; only a lock and the cache are written."""
    tables = {"project": project, "tool": {"onebin": onebin}}
    ends, _ = plan("\n".join(f"{key} = {toml(item)}" for key, item in tables.items()), lock)

    event(ends)


GOOD = '[project]\nname = "app"\nscripts = { app = "app:main" }\ndependencies = [%s]\n'


def test_good_project_is_planned_and_locked() -> None:
    """With the same runner, a project without hostile texts passes."""
    assert ("done done", 2) == plan(GOOD % '"wanted>=1"', None)


@pytest.mark.parametrize(
    "dependency",
    [
        "evil @ file:///tmp/evil", "evil @ git+https://h.invalid/evil", "/tmp/evil", "--log=FILE",
        "-r other", "git+https://h.invalid/evil", "evil @ https://h.invalid/evil.zip",
        "evil[x] @ file:///tmp/evil ; python_version > '3'", "evil===--pre",
    ],
)  # fmt: skip
def test_dependency_outside_an_index_starts_nothing(dependency: str) -> None:
    """Each dependency from outside an index is refused by plan and lock before any program runs."""
    assert ("refused refused", 0) == plan(GOOD % json.dumps(dependency), None)
