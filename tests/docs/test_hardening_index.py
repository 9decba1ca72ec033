"""The index of hardening's rows: every test it names is there."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
TESTS = ROOT / "packages/service/tests"
PAGE = (ROOT / "docs/explanation/hardening.md").read_text("utf-8")

NAME = re.compile(r"`(?P<file>[\w/]+\.py)?(?:::(?P<test>\w+)(?P<any>\*)?)?`")


def rows() -> list[tuple[str, str]]:
    """Return what is asked and where it is shown, of each row of the index."""
    section = PAGE.partition("\n## Rows and their tests\n")[2].partition("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [(cells[1].strip(), cells[2]) for cells in (line.split("|") for line in lines[2:])]


def find(name: str) -> Path:
    """Return the file of that name; ``unit/`` is left out, others are named from the root."""
    found = [folder / name for folder in (TESTS, TESTS / "unit", ROOT) if (folder / name).is_file()]
    assert len(found) == 1, f"{name} is in {found}"
    return found[0]


def names(file: Path) -> set[str]:
    """Return the functions and constants of a module."""
    found = set()
    for node in ast.parse(file.read_bytes()).body:
        if isinstance(node, ast.FunctionDef):
            found.add(node.name)
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            found.add(node.target.id)
    return found


@pytest.mark.parametrize("row", rows(), ids=lambda row: row[0])
def test_what_a_row_names_is_there(row: tuple[str, str]) -> None:
    """Each row names a file at least, and each function it names is in that file."""
    file = None
    for match in NAME.finditer(row[1]):
        if match["file"]:
            file = find(match["file"])
        if match["test"]:
            assert file is not None, f"{match[0]}: of which file?"
            there = names(file)
            if match["any"]:
                assert any(name.startswith(match["test"]) for name in there), match[0]
            else:
                assert match["test"] in there, match[0]
    assert file is not None


def test_the_index_has_rows() -> None:
    """A page that is laid out anew shall not make this test see nothing."""
    assert len(rows()) > 20
