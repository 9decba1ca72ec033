"""Recordings of real platforms: no verdict is wrong, and none became unknown."""

import pytest

from . import changes, page
from .recordings import NAMES, load


@pytest.mark.sample(every=3)
@pytest.mark.parametrize("name", NAMES)
def test_report(name: str) -> None:
    """Each value is as requested, or unknown where nothing shows it, with the reason."""
    unknown = load(name).unknown

    for each in page.compared(name):
        assert each.verdict == ("unknown" if each.what in unknown else "right"), each
        assert each.seen != "" or each.truth == ""


@pytest.mark.exhaustive
def test_page() -> None:
    """The page in the docs is that of the code and the recordings."""
    assert page.PAGE.read_text() == page.page()


@pytest.mark.parametrize(
    "number", [1, pytest.param(changes.PER_RECORDING, marks=pytest.mark.exhaustive)]
)
def test_changes(number: int) -> None:
    """No change of a recording turns a verdict or a fact over, but by its own sign."""
    counts = changes.count(number)

    assert counts.otherwise == []
    assert counts.made.total() >= len(NAMES) // 2
    assert counts.own.total() > 0
