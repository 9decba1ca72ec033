"""Each capability in words, wherever a report names those in force."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devops_info_service.catalog.capability_meanings import MEANINGS, explained
from devops_info_service.facts.linux.capabilities import NAMES
from devops_info_service.report.text import report

from ..page.html_page import Page, render, snapshot_of


def test_every_name() -> None:
    """No capability of the kernel lacks its words, and no words are of another."""
    assert sorted(MEANINGS) == sorted(NAMES)


@given(st.sets(st.sampled_from([*NAMES, "CAP_41", "CAP_63"])))
def test_none_is_left_out(names: set[str]) -> None:
    """Each has one line, the gravest first, whatever the order of the kernel."""
    lines = explained(sorted(names))

    assert sorted(line.partition(":")[0] for line in lines) == sorted(names)
    assert lines == explained(sorted(names, reverse=True))


@pytest.mark.parametrize(
    ("tree", "count", "first"),
    [
        ("docker-default", 14, "NET_RAW: may forge packets on its network"),
        ("privileged-pod", len(NAMES), "SYS_ADMIN: may mount file systems, enter namespaces"),
        ("containerd-restricted", 0, None),
    ],
)
def test_report_and_page(tree: str, count: int, first: str | None) -> None:
    """Both have a line for each, and none where nothing is in force."""
    snapshot = snapshot_of(tree)
    for text in (report(snapshot), Page(render(snapshot)).text):
        flat = " ".join(text.split())
        assert flat.count(": may ") == count
        assert first is None or first in flat
