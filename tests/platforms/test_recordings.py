"""Real platforms, as they were recorded: no verdict is wrong, and what was seen is still seen."""

from pathlib import Path

import pytest

from .comparison import compare_report, report_of
from .recordings import NAMES, load


@pytest.mark.parametrize("name", NAMES)
def test_report(tmp_path: Path, name: str) -> None:
    """Each value is what was asked for, or is unknown where nothing shows it, with the reason."""
    recording = load(name)
    recording.unpack(tmp_path)

    for each in compare_report(name, recording.true, report_of(tmp_path)):
        assert each.verdict == ("unknown" if each.what in recording.unknown else "right"), each
        assert each.seen != "" or each.asked == ""
