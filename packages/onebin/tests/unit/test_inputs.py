"""What can be built: a wheel, a script, a requirement; how it starts, with which extras."""

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onebin import inputs, requirement
from onebin.errors import ProjectError
from onebin.inputs import Given, script
from onebin.inputs.entry import entry_point
from onebin.inputs.requirements import requirements_of
from onebin.inputs.wheel import of_folder
from onebin.model import EntryPoint, Options, Project, target_environment
from onebin.planning import require_start

from .fakes import context

LINUX = target_environment("x86_64")

METADATA = (
    "Metadata-Version: 2.1\nName: made\nVersion: 7\nProvides-Extra: net\n"
    'Requires-Dist: plain>=1\nRequires-Dist: net-only; extra == "net"\n'
    'Requires-Dist: not-net; extra != "net"\n'
)
POINTS = "[console_scripts]\nfirst = made:main\nsecond = made.cli:main [net]\n[other]\nx = y:z\n"


def wheel(tmp_path: Path, **files: str) -> Path:
    """Write a wheel."""
    file = tmp_path / "made-7-py3-none-any.whl"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("made-7.dist-info/METADATA", METADATA)
        archive.writestr("made-7.dist-info/entry_points.txt", POINTS)
        for name, text in files.items():
            archive.writestr(name, text)
    return file


def test_wheel(tmp_path: Path) -> None:
    """A wheel is a project; several scripts need a choice, and the known ones are named."""
    file = wheel(tmp_path, **{"made.py": "def main(): ...", "made_data/table.sort.js": ""})
    ctx = context(tmp_path / "cache")

    assert "made" == inputs.find(file, Given(entry_point="first"), ctx).project().name
    with pytest.raises(ProjectError, match="no entry point") as caught:
        require_start(inputs.find(file, ctx=ctx).project())
    assert "first, second" in caught.value.hint
    with pytest.raises(ProjectError, match="no extra 'nett'") as caught:
        inputs.find(file, Given(entry_point="first", extras=("nett",)), ctx).project()
    assert "net" in caught.value.hint


def test_wheel_with_compiled_code_is_refused(tmp_path: Path) -> None:
    """Its shared objects cannot be loaded: it is refused before anything is built."""
    file = wheel(tmp_path, **{"made.so": "", "made/_x.cpython-313-x86_64-linux-gnu.so": ""})

    with pytest.raises(ProjectError, match="has compiled code"):
        inputs.find(file, ctx=context(tmp_path / "cache")).project()


def read_script(tmp_path: Path, text: str, name: str = "my tool.py") -> Project:
    """Read the script *text*."""
    file = tmp_path / name
    file.write_text(text)
    return inputs.find(file, ctx=context(tmp_path / "cache")).project()


def test_script(tmp_path: Path) -> None:
    """Its comment has its dependencies; it starts as ``__main__``."""
    read = read_script(
        tmp_path,
        "#!/usr/bin/env python\n# /// script\n# dependencies = [\n#   'rich>=13',\n# ]\n#\n"
        "# [tool.onebin]\n# docstrings = false\n# ///\nprint(1)\n",
    )

    assert ("my-tool", "my_tool", "") == (read.name, read.entry.module, read.entry.function)
    assert ("rich>=13",) == read.dependencies
    assert ["my_tool.py"] == [path.name for path in read.code.iterdir()]
    assert "my tool.py.onebin.lock" == read.options.lock
    assert False is read.options.docstrings
    (tmp_path / "my tool.py.lock").write_text("version = 1\n")
    assert "my tool.py.lock" == read_script(tmp_path, "").options.lock


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("# /// script\n# x = 1\n# ///\n\n# /// script\n# x = 1\n# ///\n", "has 2 blocks"),
        ("# /// script\n# x =\n# ///\n", "not TOML"),
        ("# /// script\n# dependencies = 1\n# ///\n", "is not a list"),
        ("# /// script\n# dependencies = ['-r x']\n# ///\n", "is not a requirement"),
        ("# /// script\n# tool.onebin.dokstrings = 1\n# ///\n", "no such setting"),
        ("# /// script\n# tool = 1\n# ///\n", "is not a table"),
        ("x = (\n", "cannot be read"),
        ("\0", "cannot be read"),
    ],
)
def test_faults_of_scripts(tmp_path: Path, text: str, message: str) -> None:
    """Each is named before anything is fetched."""
    with pytest.raises(ProjectError, match=message):
        read_script(tmp_path, text)


TABLES = st.dictionaries(
    st.sampled_from(["dependencies", "requires-python", "x"]),
    st.text(st.characters(codec="ascii", exclude_characters="\\\"'\n\r"), max_size=20),
    max_size=3,
)


@given(
    table=TABLES, before=st.sampled_from(["", "# a\n", "import x\n"]), after=st.text(max_size=20)
)
def test_metadata_is_what_was_written(table: dict[str, str], before: str, after: str) -> None:
    """The block is found wherever it is, and ends at its last line."""
    content = "".join(f"# {key} = {json.dumps(value)}\n" for key, value in table.items())
    text = f"{before}# /// script\n{content or '#' + chr(10)}# ///\nx = 1\n"

    assert table == script.metadata(text, where="x")


@pytest.mark.parametrize("program", ["aws", "aws_completer", ""])
def test_wheel_of_programs_without_entry_points(program: str, tmp_path: Path) -> None:
    """As awscli or ruff: its programs are named, and what may start in their place."""
    record = f"made-7.data/scripts/{program},sha256=x,1\n" if program else "made.py,,\n"
    info = {"METADATA": "Metadata-Version: 2.1\nName: made\nVersion: 7\n", "RECORD": record}
    code = tmp_path / "code"
    for name, text in info.items():
        (code / "made-7.dist-info").mkdir(parents=True, exist_ok=True)
        (code / "made-7.dist-info" / name).write_text(text)

    with pytest.raises(ProjectError, match="made: no entry point") as caught:
        require_start(of_folder(code, tmp_path, Options(), of="made"))

    assert (f"its programs are files: {program!r}" in str(caught.value)) == bool(program)
    assert "module:function" in caught.value.hint
    started = of_folder(code, tmp_path, Options(entry_point="-m made"), of="made")
    assert EntryPoint("made", "") == started.entry


@pytest.mark.parametrize("name", ["gone.py", "gone-1-py3-none-any.whl", "gone"])
def test_missing_input_is_named(tmp_path: Path, name: str) -> None:
    """A path without a file is an error of that path."""
    with pytest.raises(ProjectError, match=name):
        inputs.find(tmp_path / name, ctx=context(tmp_path / "cache")).project()


SCRIPTS = {"app": "app:main", "other": "app.cli:Class.run"}


@pytest.mark.parametrize(
    ("name", "chosen", "scripts", "start"),
    [
        ("app", "", SCRIPTS, ("app", "main")),
        ("x", "other", SCRIPTS, ("app.cli", "Class.run")),
        ("x", "a.b:c", SCRIPTS, ("a.b", "c")),
        ("x", "-m a.b", SCRIPTS, ("a.b", "")),
        ("x", "-m  a", {}, ("a", "")),
        ("x", "", {"one": "a:b"}, ("a", "b")),
        ("SCons", "", {"scons-x": "c:d", "scons": "a:b"}, ("a", "b")),
        ("odd_tool", "", {"odd-tool": "a:b", "odd": "c:d"}, ("a", "b")),
        ("odd.tool", "", {"Odd_Tool": "c:d", "odd.tool": "a:b"}, ("a", "b")),
        ("x", "", {"smc++": "a:b.c [web, dev]"}, ("a", "b.c")),
        ("x", ",cut", {",cut": "a : b", "x": "c:d"}, ("a", "b")),
    ],
)
def test_start(name: str, chosen: str, scripts: dict[str, str], start: tuple[str, str]) -> None:
    """A script by name, a function, a module; else the only one, or that named as the project."""
    found = entry_point("x", name, chosen, scripts)

    assert start == (found.module, found.function)


TABLE: dict[str, dict[str, Any]] = {
    "project": {
        "name": "App",
        "dependencies": ["a"],
        "optional-dependencies": {"One_x": ["b", "app[two]"], "two": ["c", "app[one-x]"]},
    },
    "dependency-groups": {"dev": ["d", {"include-group": "More"}], "more": ["e"],
                          "loop": [{"include-group": "loop"}], "bad": [{"x": 1}]},
}  # fmt: skip


@pytest.mark.parametrize(
    ("extras", "groups", "expected"),
    [
        ((), (), "a"),
        (("one-x",), (), "a b c"),
        (("two",), (), "a c b"),
        ((), ("dev",), "a d e"),
        (("TWO",), ("more", "dev"), "a c b e d"),
    ],
)
def test_extras_and_groups(extras: tuple[str, ...], groups: tuple[str, ...], expected: str) -> None:
    """They add their requirements, those of others they name included."""
    options = Options(extras=extras, groups=groups)

    assert expected.split() == list(requirements_of(TABLE, TABLE["project"], options))


@pytest.mark.parametrize(
    ("extras", "groups", "message", "hint"),
    [
        (("one-y",), (), "tool.onebin.extras: 'one-y' is not in", "did you mean one-x"),
        ((), ("dve",), "tool.onebin.groups: 'dve' is not in", "did you mean dev"),
        ((), ("loop",), "includes itself", ""),
        ((), ("bad",), "is not a requirement", ""),
    ],
)
def test_unknown_extras_and_groups(
    extras: tuple[str, ...], groups: tuple[str, ...], message: str, hint: str
) -> None:
    """The nearest name is offered."""
    options = Options(extras=extras, groups=groups)

    with pytest.raises(ProjectError, match=message) as caught:
        requirements_of(TABLE, TABLE["project"], options)

    assert hint in caught.value.hint


EXTRAS = st.sampled_from(["a", "b-c", "d"])
TERMS = st.one_of(
    st.tuples(st.just("extra"), st.sampled_from(["==", "!="]), EXTRAS),
    st.tuples(st.just("os"), st.sampled_from(["==", "!="]), st.sampled_from(["posix", "nt"])),
)
MARKERS = st.recursive(
    TERMS, lambda inner: st.tuples(inner, st.sampled_from(["and", "or"]), inner), max_leaves=5
)


def marker(term: object) -> str:
    """Write *term* as a marker."""
    assert isinstance(term, tuple)
    left, sign, right = term
    if isinstance(left, tuple):
        return f"({marker(left)}) {sign} ({marker(right)})"
    return f"{left}{'_name' if left == 'os' else ''} {sign} '{right}'"


def truth(term: object, extras: set[str]) -> bool:
    """Return its value."""
    assert isinstance(term, tuple)
    left, sign, right = term
    if isinstance(left, tuple):
        parts = truth(left, extras), truth(right, extras)
        return all(parts) if sign == "and" else any(parts)
    known = extras if left == "extra" else {"posix"}
    return bool((right in known) == (sign == "=="))


@given(term=MARKERS, extras=st.sets(EXTRAS))
def test_markers_over_a_set_of_extras(term: object, extras: set[str]) -> None:
    """Each comparison with extra is decided, all others are left to the target."""
    text = requirement.with_extras(f"x; {marker(term)}", extras, where="x")

    assert truth(term, extras) == bool(requirement.wanted([text], LINUX, where="x"))
