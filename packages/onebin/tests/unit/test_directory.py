"""``pyproject.toml``: the settings it may have, and the error for each fault."""

import os
from pathlib import Path
from typing import Any

import pytest

from onebin.errors import ProjectError
from onebin.inputs import directory as project
from onebin.model import EntryPoint, Project
from onebin.planning import require_start

pytestmark = pytest.mark.claim("no text becomes an option or a path")

PROJECTS = Path(__file__).parent.parent / "projects"


def table(**onebin: Any) -> dict[str, Any]:
    return {
        "project": {"name": "typo", "version": "1", "scripts": {"typo": "app:main"}},
        "tool": {"onebin": onebin},
    }


def test_only_script_is_the_entry_point() -> None:
    """A single script is the entry point without a setting."""
    assert EntryPoint("facts", "main") == project.read(PROJECTS / "facts").entry


def test_code_is_found_where_the_setting_says() -> None:
    """``source`` names the directory modules are imported from."""
    found = project.read(PROJECTS / "namespace")

    assert found.code == PROJECTS / "namespace" / "lib"


@pytest.mark.parametrize(
    ("name", "message", "hint"),
    [
        ("typo", "tool.onebin.exlude: no such setting", "did you mean exclude?"),
        ("two-scripts", "no entry point", "tool.onebin.entry-point"),
        ("not-there", "no such file or directory", "is it spelled right?"),
        ("", "no pyproject.toml there", "name the project, as in: onebin build"),
        ("facts/facts.py", r"neither a directory, nor a script \(\*\.py\), nor", "cp "),
    ],
)
def test_faults_are_named_with_the_way_out(name: str, message: str, hint: str) -> None:
    """Each faulty project gets one message with the fault and one hint."""
    with pytest.raises(ProjectError, match=message) as caught:
        require_start(project.read(PROJECTS / name))

    assert hint in caught.value.hint


@pytest.mark.parametrize(
    ("start", "dependency", "place"),
    [
        ("gunicorn.app.wsgiapp:run", "gunicorn>=23", "."),
        ("uvicorn.main:main", "uvicorn[standard]; python_version > '3'", "src"),
        ("-m py_tool", "Py-Tool", "."),
    ],
)
def test_start_in_a_dependency(tmp_path: Path, start: str, dependency: str, place: str) -> None:
    """A server's own command starts the project's application, named on its command line."""
    (tmp_path / place / "site_app").mkdir(parents=True)

    def parse(dependencies: list[str]) -> Project:
        metadata = {"name": "site-app", "dependencies": dependencies}
        tool = {"onebin": {"entry-point": start}}
        return require_start(project.parse(tmp_path, {"project": metadata, "tool": tool}))

    found = parse([dependency])

    assert tmp_path / place == found.code
    with pytest.raises(ProjectError, match="the entry point's package is not in"):
        parse(["other"])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"entry-point": "other"}, r"entry-point: other is not in \[project.scripts\]"),
        ({"entry-point": "app:1"}, "is not module:function"),
        ({"entry-point": "app"}, r"not in \[project.scripts\]"),
        ({"include": "all"}, r"tool.onebin.include"),
        ({"image": {"ports": ["http"]}}, r"tool.onebin.image.ports"),
        ({"image": {"user": "root"}}, r"tool.onebin.image.user: no such setting"),
        ({"optimize": "fast"}, "tool.onebin.optimize"),
        ({"source": "elsewhere"}, "the entry point's package is not in"),
    ],
)
def test_settings_are_checked_by_their_full_name(settings: dict[str, Any], message: str) -> None:
    """The error of a wrong setting has its path in the file."""
    with pytest.raises(ProjectError, match=message):
        require_start(project.parse(PROJECTS / "typo", table(**settings)))


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        ({}, "no .project. table"),
        ({"name": "x", "scripts": {}}, "no entry point"),
        ({"name": "x", "scripts": {"x": "app"}}, "names no function"),
        ({"name": "x", "scripts": {"x": ":main"}}, "is not module:function"),
    ],
)
def test_metadata_must_name_a_program(metadata: dict[str, Any], message: str) -> None:
    """A project without a name and a program cannot be built."""
    with pytest.raises(ProjectError, match=message):
        require_start(project.parse(PROJECTS / "typo", {"project": metadata}))


NAMES = [
    "/tmp/x/owned", "../x", "..", ".", "a/b", "-o", "--help", "a b", "a\n", "\na", "a\0", "", " ",
    "a;b", "a'b", 'a"b', "$HOME", "a%2fb", "a\\b", "\u0430pp", "app\u2028", "\u202eapp", "\uff41pp",
    "a-", "_a", "a" * 129, "K\u212a", 7, None, ["app"], True,
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_invalid_name_is_rejected(name: Any) -> None:
    """The name becomes that of a file, an image and a label (PEP 508)."""
    with pytest.raises(ProjectError, match=r"project\.name: .* is not a name"):
        project.parse(PROJECTS / "typo", {"project": {"name": name, "scripts": {"a": "app:main"}}})


@pytest.mark.parametrize(
    "version",
    ["one", "1 ", " 1", "1\n", "1;2", "-1", "1/2", "../1", "1.0po\u017ft1", "\u0661", "", 1, None],
)
def test_invalid_version_is_rejected(version: Any) -> None:
    """A version follows PEP 440, in ASCII, with nothing around it."""
    metadata = {"name": "typo", "version": version, "scripts": {"typo": "app:main"}}

    with pytest.raises(ProjectError, match=r"project\.version: .* is not a version"):
        require_start(project.parse(PROJECTS / "typo", {"project": metadata}))


@pytest.mark.parametrize(
    "text",
    [
        "evil @", "/tmp/evil", "./evil", "../evil", "evil.whl/", "--log=FILE", "-r other.txt",
        "-e .", "git+https://h.invalid/evil", "https://h.invalid/evil.tar.gz", "file:///tmp/evil",
        "a --hash=sha256:0", "a\n--pre", "a\0", "a;", "a; b", "", " ", "a" * 1001, "a[", "a>=",
        "a; " + "(" * 400, "a; os_name == '", "\u0430b\u0441", "${PIP_INDEX_URL}", 1, None, ["a"],
    ],
)  # fmt: skip
def test_invalid_dependency_is_rejected(text: Any) -> None:
    """PEP 508 is checked before any program starts; paths and options are not dependencies."""
    metadata = {"name": "typo", "scripts": {"typo": "app:main"}, "dependencies": [text]}

    with pytest.raises(ProjectError, match=r"project\.dependencies: .* is not a requirement"):
        project.parse(PROJECTS / "typo", {"project": metadata})


@pytest.mark.parametrize(
    ("part", "message"),
    [
        ({"dependencies": "evil"}, "project.dependencies: 'evil' is not a list"),
        ({"dependencies": {"a": 1}}, "project.dependencies: .* is not a list"),
        ({"scripts": ["a"]}, "project.scripts: .* is not a table"),
        ({"scripts": {"a": 7}}, "project.scripts: 'a' = 7 is not a script"),
        ({"scripts": {"../a": "app:main"}}, "project.scripts: '../a' = .* is not a script"),
        ({"scripts": {"-a": "app:main"}}, "project.scripts: '-a' = .* is not a script"),
        ({"scripts": {"a=b": "app:main"}}, "project.scripts: 'a=b' = .* is not a script"),
        ({"scripts": {"a b": "app:main"}}, "project.scripts: 'a b' = .* is not a script"),
        ({"scripts": {"[a]": "app:main"}}, "project.scripts: .* is not a script"),
        ({"scripts": {"#a": "app:main"}}, "project.scripts: '#a' = .* is not a script"),
        ({"scripts": {"\u00e4": "app:main"}}, "project.scripts: .* is not a script"),
        ({"scripts": {"a": "app:main [x] [y"}}, "is not module:function"),
        ({"scripts": {"a": "app:import"}}, "is not module:function"),
        ({"scripts": {"a": "class:main"}}, "is not module:function"),
        ({"scripts": {"a": "app:main()\nimport os"}}, "is not module:function"),
        ({"scripts": {"a": "../app:main"}}, "is not module:function"),
        ({"scripts": {"a": "\ufb01le:main"}}, "is not module:function"),
        ({"description": 7}, "project.description: 7 is not a text"),
        ({"description": "x\0"}, "project.description: .* is not a text"),
        ({"description": "x" * 10_001}, "project.description: .* is not a text"),
        ({"license": "x" * 10_001}, "project.license: .* is not a text"),
        ({"urls": {"Source": 7}}, "project.urls: 7 is not a text"),
        ({"urls": "x"}, "project.urls: 'x' is not a table"),
        ({"gui-scripts": 7}, "project.gui-scripts: 7 is not a table"),
        ({"entry-points": []}, r"project.entry-points: \[\] is not a table"),
        ({"entry-points": {"console_scripts": 7}}, "console_scripts: 7 is not a table"),
        ({"entry-points": {"gui_scripts": {"x": 7}}}, "gui_scripts: 'x' = 7 is not a script"),
        ({"dynamic": 3}, "project.dynamic: 3 is not a list of fields"),
        ({"dynamic": [3]}, r"project.dynamic: \[3\] is not a list of fields"),
        # A folder that nothing builds: without them it would be packed, and fail.
        ({"dynamic": ["dependencies"]}, "project.dynamic has dependencies, and no back end runs"),
    ],
)
def test_metadata_of_another_kind_is_rejected(part: dict[str, Any], message: str) -> None:
    """A value of another type is a ProjectError, never a Python exception."""
    metadata = {"name": "typo", "scripts": {"typo": "app:main"}, **part}
    if "scripts" in part and "a" in part["scripts"]:
        metadata["name"] = "a"

    with pytest.raises(ProjectError, match=message):
        require_start(project.parse(PROJECTS / "typo", {"project": metadata}))


PATHS = [
    "/etc/passwd", "../x", "../../x", "a/../../x", "link", "link/x", "\0", "a\n", "x" * 1025, "//x",
    "loop", "loop/x",
]  # fmt: skip


@pytest.mark.parametrize("setting", ["lock", "build-lock", "profile", "source", "python-source"])
@pytest.mark.parametrize("path", PATHS)
def test_path_that_leaves_the_project_is_rejected(tmp_path: Path, setting: str, path: str) -> None:
    """Directly or through a link in it."""
    root = tmp_path / "project"
    root.mkdir()
    (root / "app.py").write_text("")
    (root / "link").symlink_to(tmp_path)
    (root / "loop").symlink_to("loop")

    with pytest.raises(ProjectError, match=rf"tool\.onebin\.{setting}: "):
        project.parse(root, table(**{setting: path}))


def test_file_of_the_directory_it_is_started_in_may_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Projects may share a lock above them if onebin starts above them all."""
    root = tmp_path / "repository" / "packages" / "one"
    root.mkdir(parents=True)
    (root / "app.py").write_text("def main(): ...")
    (root / "pyproject.toml").write_text(
        '[project]\nname = "one"\nscripts = { one = "app:main" }\n'
        '[tool.onebin]\nlock = "../../shared.txt"\n'
    )

    monkeypatch.chdir(tmp_path / "repository")
    assert "../../shared.txt" == project.read(Path("packages/one")).options.lock
    for elsewhere in (root, tmp_path / "repository" / "packages"):
        monkeypatch.chdir(elsewhere)
        with pytest.raises(ProjectError, match="leaves") as caught:
            project.read(root)
        assert "the current directory" in caught.value.hint


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"include": ["../../etc.*"]}, "tool.onebin.include: "),
        ({"include": ["a..b"]}, "tool.onebin.include: "),
        ({"include": ["a/b"]}, "tool.onebin.include: "),
        ({"include": [".*"]}, "tool.onebin.include: "),
        ({"include": ["a." * 200 + "b"]}, "tool.onebin.include: "),
        ({"exclude": ["a/b"]}, "tool.onebin.exclude: "),
        ({"exclude": ["a\n"]}, "tool.onebin.exclude: "),
        ({"from-source": ["--x"]}, "tool.onebin.from-source: "),
        ({"from-source": ["a @ file:///x"]}, "tool.onebin.from-source: "),
        ({"image": {"env": {"A=B": "x"}}}, "tool.onebin.image.env: "),
        ({"image": {"env": {"A": "x\0"}}}, "tool.onebin.image.env: "),
        ({"image": {"labels": {"a\0": "x"}}}, "tool.onebin.image.labels: "),
        ({"image": {"healthcheck": ["\0"]}}, "tool.onebin.image.healthcheck: "),
        ({"\x1b[2J": 1}, r"tool.onebin.'\\x1b\[2J': no such setting"),
        ({"entry-point": "\x1b[2J"}, r"'\\x1b\[2J' is not in"),
    ],
)
def test_settings_that_become_names_are_names(settings: dict[str, Any], message: str) -> None:
    """Modules, distributions and variables, by the grammar of each."""
    with pytest.raises(ProjectError, match=message) as caught:
        require_start(project.parse(PROJECTS / "typo", table(**settings)))

    assert "\x1b" not in str(caught.value)


@pytest.mark.parametrize(
    "text",
    ["a = " + "[" * 5000, "a" * 100, "\0", "a = 1\na = 2"],
    ids=["deep", "no value", "NUL", "twice"],
)
def test_invalid_toml_is_reported(tmp_path: Path, text: str) -> None:
    """Deep nesting, a missing value, NUL and a repeated key are rejected alike."""
    (tmp_path / "pyproject.toml").write_text(text)

    with pytest.raises(ProjectError, match="not TOML"):
        project.read(tmp_path)


def test_not_a_regular_file_is_reported(tmp_path: Path) -> None:
    """A FIFO does not block, and neither /dev/zero nor a huge file is read."""
    os.mkfifo(tmp_path / "pyproject.toml")
    with pytest.raises(ProjectError, match="not a regular file"):
        project.read(tmp_path)
    (tmp_path / "pyproject.toml").unlink()
    (tmp_path / "pyproject.toml").symlink_to("/dev/zero")
    with pytest.raises(ProjectError, match="not a regular file"):
        project.read(tmp_path)
    (tmp_path / "pyproject.toml").unlink()
    with (tmp_path / "pyproject.toml").open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(ProjectError, match="more than"):
        project.read(tmp_path)
