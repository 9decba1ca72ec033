"""The lines of ``.pth`` files, held against what CPython's own ``site`` does with them."""

import ast
import site
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onebin.effects import path_files
from onebin.model import Distribution, Pin

FOLDERS = ("a", "a/b", "with space", "ünï", " leading", "import", "importer")
WORDS = (
    *FOLDERS, "", " ", "# a", " # a", "./a", "a/", "a/../a/b", "a ", "missing", "..", ".", "../a",
    "import sys", "import\tos; x = 1", "import", "import(sys)",
)  # fmt: skip


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("site")
    for name in FOLDERS:
        (root / name).mkdir(parents=True, exist_ok=True)
    return root


@given(lines=st.lists(st.sampled_from(WORDS), max_size=6), mark=st.sampled_from(["", "\ufeff"]))
def test_folders_are_those_that_site_adds(place: Path, lines: list[str], mark: str) -> None:
    text = mark + "\n".join(lines)
    (place / "one.pth").write_text(text, "utf-8")
    kept = [*sys.path]
    # Before 3.12 site takes the mark for a part of the first line.
    (place / "one.pth").write_text(text.removeprefix("\ufeff"), "utf-8")
    try:
        sys.path[:] = []
        site.addpackage(str(place), "one.pth", set())
        added = [Path(name) for name in sys.path]
    finally:
        sys.path[:] = kept
    (place / "one.pth").write_text(text, "utf-8")

    inside = [path for path in added if place in path.parents]
    assert inside == [place / name for name in path_files.folders(place)]


def distribution(folder: Path) -> Distribution:
    return Distribution(Pin("one", "1", ()), folder, "key")


def test_source_has_each_line_and_shows_what_code_imports(tmp_path: Path) -> None:
    """In the order of files; code that is not Python waits for the start, as in CPython."""
    (tmp_path / "b.pth").write_text("import json; x = 1\nfolder\nimport )\n")
    (tmp_path / "a.pth").write_text("\n# none\nimport\tcsv\n")
    (tmp_path / ".hidden.pth").write_text("import sched\n")

    tree = ast.parse(path_files.source([distribution(tmp_path)]))

    names: dict[str, object] = {}
    exec(compile(tree, "lines", "exec"), names)
    assert names["LINES"] == (
        ("a.pth", 3, "import\tcsv"), ("b.pth", 1, "import json; x = 1"), ("b.pth", 2, "folder"),
        ("b.pth", 3, "import )"),
    )  # fmt: skip
    found = [one.name for node in ast.walk(tree) if isinstance(node, ast.Import)
             for one in node.names]  # fmt: skip
    assert ["csv", "json"] == found


def test_without_a_file_there_is_no_module(tmp_path: Path) -> None:
    assert "" == path_files.source([distribution(tmp_path)])


def test_setuptools_makes_distutils(tmp_path: Path) -> None:
    """By its code: no line has the name."""
    (tmp_path / "setuptools" / "_distutils").mkdir(parents=True)
    (tmp_path / "setuptools" / "_vendor").mkdir()
    assert ({}, []) == (path_files.aliases(tmp_path), path_files.folders(tmp_path))

    (tmp_path / "distutils-precedence.pth").write_text("import os\n")

    assert {"distutils": "setuptools/_distutils"} == path_files.aliases(tmp_path)
    assert ["setuptools/_vendor"] == path_files.folders(tmp_path)
