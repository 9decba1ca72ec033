"""The expectations, and whether each is met."""

from typing import Final

from devops_info_service.catalog.row import Note, Row, sources
from devops_info_service.expectations.conformance import Conformance, Result, State
from devops_info_service.standards.checks import Verdict

from .layout import Section

_VERDICTS: Final[dict[State, Verdict]] = {"met": "pass", "not met": "fail", "unknown": "unknown"}


def expected(conformance: Conformance) -> Section:
    """Return them in the order in which they were written."""
    results = conformance.expectations
    met = sum([result.state == "met" for result in results])
    return Section(f"Expectations: {met} of {len(results)} met", tuple(map(_row, results)))


def _row(result: Result) -> Row:
    text = f"expected {result.expected}"
    if result.found is None:
        return Row(result.name, text, (Note(result.reason or ""),), _VERDICTS[result.state])
    if result.state == "not met":
        text = f"{result.found}, {text}"
    return Row(result.name, text, sources(result.evidence), _VERDICTS[result.state])
