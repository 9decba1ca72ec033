"""One certainty everywhere: terminal, page, JSON, metrics and expectations agree on a fact."""

from typing import Any, get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from devops_info_service.catalog.properties import PROPERTIES, text
from devops_info_service.catalog.property import at_path
from devops_info_service.catalog.row import Certainty, certainty, proved, text_of
from devops_info_service.expectations.conformance import evaluate, load_expectations
from devops_info_service.facts.fact import Evidence, Known, Unknown
from devops_info_service.facts.linux.sandbox import Confidence, Detection
from devops_info_service.page.figures import figures
from devops_info_service.report.json_report import report_json
from devops_info_service.report.text import report
from devops_info_service.snapshot import PlatformSnapshot

from ..page.html_page import Page, render, snapshot_of
from ..recorded import TREES

NAMES = st.from_regex(r"[a-z]{3,12}", fullmatch=True)
DETECTIONS = st.builds(Detection, NAMES, st.sampled_from(get_args(Confidence)))
FACTS = st.one_of(
    st.builds(Known, DETECTIONS, st.just((Evidence("/proc/self/mountinfo", "root", "a"),))),
    st.builds(Unknown, st.just("no sign of one")),
)


def with_fact(snapshot: PlatformSnapshot, path: str, fact: Any) -> Any:
    """Return *snapshot* with another fact at *path*."""
    steps = path.split(".")
    parents = [at_path(snapshot, ".".join(steps[:end])) for end in range(1, len(steps))]
    changed = fact
    for parent, step in zip(reversed([snapshot, *parents]), reversed(steps), strict=True):
        changed = msgspec.structs.replace(parent, **{step: changed})
    return changed


@pytest.mark.parametrize("path", ["identity.engine", "identity.sandbox"])
@given(fact=FACTS, tree=st.sampled_from(TREES))
def test_detection(path: str, fact: Known[Detection] | Unknown, tree: str) -> None:
    """A guess is a guess in every view, and decides no expectation."""
    snapshot = with_fact(snapshot_of(tree), path, fact)
    words = text_of(fact, lambda found: found.name)
    name = fact.value.name if isinstance(fact, Known) else "any"
    (result,) = evaluate(load_expectations(f"{path}: {name}"), snapshot).expectations
    json: Any = at_path_of(msgspec.json.decode(report_json(snapshot)), path)

    assert text(snapshot, path) == words
    assert words == "unknown" or certainty(fact) == "certain" or f"({certainty(fact)})" in words
    label = path.partition(".")[2]
    assert f"{label} {words} " in " ".join(report(snapshot).split())
    page = Page(render(snapshot)).text
    assert f"{label} {words} " in page
    if path == "identity.engine":
        assert (f"under {words}." in page) == isinstance(fact, Known)
    assert json.get("value", {}).get("confidence", "unknown") == certainty(fact)
    assert result.state == ("met" if certainty(fact) == "certain" else "unknown")


def at_path_of(document: Any, path: str) -> Any:
    """Return the value at a dotted path of a decoded document."""
    for step in path.split("."):
        document = document[step]
    return document


@pytest.mark.parametrize("tree", TREES)
def test_tiles_read_as_the_report(tree: str) -> None:
    """A figure of a tile and the row of the same fact are one text."""
    snapshot = snapshot_of(tree)
    rows = {
        (each.tile.resource, each.tile.label): text(snapshot, each.path)
        for each in PROPERTIES
        if each.tile is not None and each.shown is not None
    }
    tiles = {
        (figure.key, detail.label): detail.value
        for figure in figures(snapshot.resources)
        for detail in figure.details
    }

    assert rows.items() <= tiles.items()
    # Sums over all devices, of which the report lists each.
    assert tiles.keys() - rows.keys() == {("disk", "read"), ("disk", "written")}


@pytest.mark.parametrize("tree", TREES)
def test_every_value_comes_by_one_function(tree: str) -> None:
    """A row of one fact has its value as the one function puts it."""
    snapshot = snapshot_of(tree)
    for each in PROPERTIES:
        if each.shown is not None and each.rows is None:
            fact = at_path(snapshot, each.path)
            assert text(snapshot, each.path) == text_of(fact, each.format)


@pytest.mark.parametrize(
    ("fact", "level", "words"),
    [
        (Known("a"), "certain", "a"),
        (Known(None), "certain", "None"),
        (Known(Detection("a", "certain")), "certain", "a"),
        (Known(Detection("a", "likely")), "likely", "a (likely)"),
        (Known(Detection("a", "possible")), "possible", "a (possible)"),
        (Unknown("b"), "unknown", "unknown"),
    ],
)
def test_certainty(fact: Any, level: Certainty, words: str) -> None:
    """A value without a confidence was read, so it is certain."""
    assert certainty(fact) == level
    assert text_of(fact, lambda value: getattr(value, "name", str(value))) == words
    assert (proved(fact) is fact) == (level in {"certain", "unknown"})
