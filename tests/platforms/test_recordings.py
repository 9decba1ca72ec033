"""Recordings of real platforms: no verdict is wrong, and none became unknown."""

from pathlib import Path

import pytest

from . import page
from .comparison import compare_report, report_of
from .recordings import NAMES, load


@pytest.mark.parametrize("name", NAMES)
def test_report(tmp_path: Path, name: str) -> None:
    """Each value is as requested, or unknown where nothing shows it, with the reason."""
    recording = load(name)
    recording.unpack(tmp_path)

    for each in compare_report(name, recording.true, report_of(tmp_path)):
        assert each.verdict == ("unknown" if each.what in recording.unknown else "right"), each
        assert each.seen != "" or each.truth == ""


def test_page() -> None:
    """The page in the docs is that of the code and the recordings."""
    assert page.PAGE.read_text() == page.page()
