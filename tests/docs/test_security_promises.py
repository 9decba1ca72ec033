"""The promises of SECURITY.md: every test they name is there."""

import re
from pathlib import Path

import pytest
from tests.docs.test_hardening_index import names

ROOT = Path(__file__).parent.parent.parent
PAGE = (ROOT / "SECURITY.md").read_text("utf-8")

NAME = re.compile(r"`(?P<file>[\w/]+\.py)?(?:::(?P<test>\w+))?`")


def rows() -> list[tuple[str, str]]:
    """Return what is promised and what holds it."""
    cells = [line.split("|") for line in PAGE.splitlines() if line.startswith("|")]
    return [
        (row[1].strip(), row[2]) for row in cells if "promise" not in row[1] and "---" not in row[1]
    ]


@pytest.mark.parametrize("row", rows(), ids=lambda row: row[0][:60])
def test_promise_has_tests(row: tuple[str, str]) -> None:
    """Each promise names a file of tests at least, and each function it names is in that file."""
    file = None
    for match in NAME.finditer(row[1]):
        if match["file"]:
            file = ROOT / match["file"]
            assert any(name.startswith("test_") for name in names(file)), file
        if match["test"]:
            assert file is not None
            assert match["test"] in names(file), match[0]
    assert file is not None


def test_page_has_promises() -> None:
    """A page that is laid out anew shall not make this test see nothing."""
    assert len(rows()) > 20
