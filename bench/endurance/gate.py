"""Requirements beside their measured values."""

from collections.abc import Iterable
from dataclasses import dataclass

from bench.lib.harness import markdown_table


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """One requirement and its result."""

    what: str
    limit: str
    found: str
    holds: bool


def judge(verdicts: Iterable[Verdict]) -> str:
    """Lay them out as a table."""
    return markdown_table(
        ("requirement", "limit", "measured", ""),
        [(one.what, one.limit, one.found, "pass" if one.holds else "FAIL") for one in verdicts],
    )
