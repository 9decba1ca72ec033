"""What is owed, beside what was found."""

from collections.abc import Iterable
from dataclasses import dataclass

from bench.lib.harness import markdown_table


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """One promise."""

    what: str
    owed: str
    found: str
    holds: bool


def judge(verdicts: Iterable[Verdict]) -> str:
    """Lay them out as a table."""
    return markdown_table(
        ("what we owe", "limit", "found", ""),
        [(one.what, one.owed, one.found, "holds" if one.holds else "FAILS") for one in verdicts],
    )
