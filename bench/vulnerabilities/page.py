"""Known vulnerabilities as a page of the reference."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from bench.lib.harness import markdown_cell, markdown_table
from bench.vulnerabilities.assessments import Assessment, Status
from bench.vulnerabilities.components import Component
from bench.vulnerabilities.records import Record, Verdict
from bench.vulnerabilities.sources import Found

NOT_JUDGED: Final = "not judged"

FRESH_DAYS: Final = 365
"""The age of the newest record about a component up to which no record of its version means none:
older copies end before most of the pinned versions were released."""

_INTRODUCTION: Final = """\
# Known vulnerabilities

`make vulnerabilities` writes this page: the known vulnerabilities of the pinned versions,
of CPython and of the C libraries that executables are linked with.
Written {date}, from:

{sources}

A library is in an executable only if the program uses one of its modules.
The bill of materials of a build names it.
The service of this repository links {service}.
*Reachable* is a judgment after the authors' advisory and the options of the build, kept in
`bench/vulnerabilities/assessments.toml`.
A number is `?` without a record that decides the version,
or if the newest is older than {fresh} days.
"""


@dataclass(frozen=True, slots=True)
class Row:
    """One vulnerability of one pinned version."""

    record: Record
    assessment: Assessment | None

    @property
    def is_reachable(self) -> bool:
        """Whether it may be; without a judgment it may."""
        return self.assessment is None or self.assessment.status is Status.REACHABLE


def rows(
    components: Sequence[Component], found: Sequence[Found], assessments: Sequence[Assessment]
) -> tuple[Row, ...]:
    """Return what concerns *components*, each vulnerability of each once."""
    every: dict[tuple[str, str, str], Record] = {}
    for component in components:
        for assessment in assessments:
            if assessment.concerns(component):
                key = component.name, component.version, assessment.id
                every[key] = assessment.record(component)
    for source in found:
        for record in source.records:
            if record.verdict is Verdict.AFFECTED:
                every[record.component, record.version, record.id] = record
    judged = {(item.component, item.id): item for item in assessments}
    return tuple(
        Row(record, judged.get((record.component, record.id)))
        for _, record in sorted(every.items(), key=lambda item: item[0])
    )


def render(
    components: Sequence[Component],
    found: Sequence[Found],
    assessments: Sequence[Assessment],
    *,
    date: str,
    service: Collection[str],
    unreachable: str = "",
) -> str:
    """Return the page.

    Args:
        components: All that are pinned.
        found: What each source reports about them.
        assessments: The judgments.
        date: Today, ``YYYY-MM-DD``.
        service: The libraries that the service's executable is linked with.
        unreachable: Why OSV's API gave nothing, if it did not.
    """
    sources = [_source(item) for item in found]
    if unreachable:
        sources.append(f"- not from OSV's API: {unreachable}")
    linked = ", ".join(sorted(service)) or "none of the libraries but musl, the C library"
    listed = rows(components, found, assessments)
    parts = [
        _INTRODUCTION.format(
            date=date, sources="\n".join(sources), service=linked, fresh=FRESH_DAYS
        ),
        _summary(components, found, listed, _oldest(date)),
        _table(listed),
        _undecided(found),
        _unknown(components, found),
    ]
    return "\n".join(part for part in parts if part)


def _source(found: Found) -> str:
    newest = max((record.modified for record in found.records), default="")
    until = f", the newest of {newest[:10]}" if newest else ""
    unreadable = f"; {found.unreadable} files of another format" if found.unreadable else ""
    return f"- {found.source}: {found.read} records about these{until}{unreadable}"


def _summary(
    components: Sequence[Component], found: Sequence[Found], listed: Sequence[Row], oldest: str
) -> str:
    known = Counter((row.record.component, row.record.version) for row in listed)
    open_ones = Counter(
        (row.record.component, row.record.version) for row in listed if row.is_reachable
    )
    dates = _dates(found)
    head = ("component", "version", "linked into", "known", "may be reachable", "records until")
    decided = {
        (record.component, record.version)
        for source in found for record in source.records
        if record.verdict is not Verdict.UNDECIDED
    }  # fmt: skip
    table = []
    for item in components:
        key = item.name, item.version
        date = dates.get(item.name, "")[:10]
        is_fresh = date >= oldest
        is_known = known[key] or (key in decided and is_fresh)
        counts = (str(known[key]), str(open_ones[key])) if is_known else ("?", "?")
        table.append((item.name, item.version, item.linked, *counts, date or "no record read"))
    return f"{markdown_table(head, table)}\n"


def _oldest(date: str) -> str:
    return (datetime.fromisoformat(date) - timedelta(FRESH_DAYS)).strftime("%Y-%m-%d")


def _dates(found: Sequence[Found]) -> Mapping[str, str]:
    """Return the date of the newest record about each component."""
    dates: dict[str, str] = {}
    for source in found:
        for record in source.records:
            dates[record.component] = max(dates.get(record.component, ""), record.modified)
    return dates


def _table(listed: Sequence[Row]) -> str:
    head = ("vulnerability", "of", "severity", "fixed in", "reachable", "because")
    table = []
    for row in listed:
        record, judged = row.record, row.assessment
        name = f"[{record.id}]({judged.source})" if judged and judged.source else record.id
        because = judged.because if judged else record.summary
        status = str(judged.status) if judged else NOT_JUDGED
        fixed = ", ".join(record.fixed) or (judged.fixed if judged else "")
        severity = record.severity or (judged.severity if judged else "")
        label = f"{record.component} {record.version}"
        table.append((name, label, severity, fixed or "unknown", status, markdown_cell(because)))
    return f"## Of pinned versions\n\n{markdown_table(head, table)}\n" if table else ""


def _undecided(found: Sequence[Found]) -> str:
    counts: Counter[tuple[str, str]] = Counter()
    for source in found:
        counts.update(
            (record.component, record.version) for record in source.records
            if record.verdict is Verdict.UNDECIDED
        )  # fmt: skip
    if not counts:
        return ""
    rows_of = [(name, version, str(count)) for (name, version), count in sorted(counts.items())]
    table = markdown_table(("component", "version", "records"), rows_of)
    text = "Records that name commits and no versions: a copy cannot decide them, OSV's API can."
    return f"## Not decided\n\n{text}\n\n{table}\n"


def _unknown(components: Sequence[Component], found: Sequence[Found]) -> str:
    dates = _dates(found)
    missing = sorted({item.name for item in components if item.name not in dates})
    if not missing:
        return ""
    return f"## No record read\n\nThese sources have no record about {', '.join(missing)}.\n"
