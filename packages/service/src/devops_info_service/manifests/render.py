"""An audit as text for people: refused pods with the fields against them, the sum last."""

from collections import Counter
from collections.abc import Sequence
from typing import Final

import msgspec

from devops_info_service.catalog.formatting import comma_list, count, shortened
from devops_info_service.catalog.row import Note, Row
from devops_info_service.report.layout import Section
from devops_info_service.standards.checks import Finding
from devops_info_service.standards.requested.evaluate import Level, is_allowed

from .comparison import Difference
from .workloads import Skipped, Workload

MAX_FIELDS: Final = 12
"""Fields listed for one check; JSON has all."""


class Audited(msgspec.Struct, frozen=True):
    """A pod, the checks made of it, and the grants if a report is there."""

    workload: Workload
    findings: tuple[Finding, ...]
    differences: tuple[Difference, ...] = ()


def sections(
    audited: Sequence[Audited], skipped: Sequence[Skipped], level: Level
) -> tuple[Section, ...]:
    """Return one section a pod, then that of the differences, and the sum."""
    found = [_pod(each, level) for each in audited]
    found += [_differences(each) for each in audited if each.differences]
    return (*found, _sum(audited, skipped, level))


def _pod(each: Audited, level: Level) -> Section:
    verdict = f"allowed by {level}" if is_allowed(each.findings) else f"refused by {level}"
    rows = tuple(
        Row(
            finding.id,
            finding.message,
            tuple(
                Note(text)
                for text in shortened(
                    # From the pod's spec on: the steps to it repeat in every line.
                    (
                        f"{seen.field.removeprefix(f'{each.workload.pod.path}.')}: {seen.value}"
                        for seen in finding.evidence
                    ),
                    MAX_FIELDS,
                )
            ),
            finding.verdict,
        )
        for finding in each.findings
        if finding.verdict != "pass"
    )
    where = f"{each.workload.file}, line {each.workload.line}"
    return Section(f"{each.workload.title} ({where}): {verdict}", rows)


def _differences(each: Audited) -> Section:
    rows = tuple(
        Row(
            found.name,
            f"requested {found.requested}, granted {found.granted}",
            (Note(found.reason),) if found.reason else (),
            "fail" if state == "different" else "pass",
        )
        for state in ("different", "stricter")
        for found in each.differences
        if found.state == state
    )
    counts = Counter(found.state for found in each.differences)
    unknown = [found.name for found in each.differences if found.state == "unknown"]
    if unknown:
        rows = (*rows, Row("not in the report", comma_list(unknown), (), "unknown"))
    title = (
        f"Requested and granted: {counts['same']} the same, {counts['different']} different,"
        f" {counts['stricter']} stricter, {counts['unknown']} unknown"
    )
    return Section(title, rows)


def _sum(audited: Sequence[Audited], skipped: Sequence[Skipped], level: Level) -> Section:
    refused = sum(not is_allowed(each.findings) for each in audited)
    title = f"{count(len(audited), 'pod')}: {refused} refused by {level}"
    if not skipped:
        return Section(title, ())
    kinds = Counter(each.kind for each in skipped)
    listed = comma_list(f"{number} {kind}" for kind, number in sorted(kinds.items()))
    return Section(title, (Row("not audited, without a pod", listed),))
