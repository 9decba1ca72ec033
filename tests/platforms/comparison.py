"""A report against the truth."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from devops_info_service.recording.replay import replay_platform

from .truths import FACTS


class Compared(NamedTuple):
    """One value of one platform."""

    platform: str
    what: str
    truth: Any
    seen: Any
    verdict: str
    """``right``, ``unknown``, ``WRONG``, or ``none``: it did not start."""


def report_of(recording: Path) -> Any:
    """Return the report of a recording, as its JSON."""
    return json.loads(msgspec.json.encode(replay_platform(str(recording))))


def compare_report(platform: str, truths: Mapping[str, Any], report: Any) -> Iterator[Compared]:
    """Compare each fact and check of *truths*."""
    checks = {each["id"]: each for each in report["security"]["checks"]}
    for what, truth in truths.items():
        if what in FACTS:
            yield _fact(platform, what, truth, report)
            continue
        check = checks[what]
        right = check["verdict"] == truth
        verdict = "right" if right else "unknown" if check["verdict"] == "unknown" else "WRONG"
        yield Compared(platform, what, truth, check["message"], verdict)


def _fact(platform: str, what: str, truth: Any, report: Any) -> Compared:
    path, part = FACTS[what]
    found = report
    for step in path.split("."):
        found = found[step]
    if found["state"] == "unknown":
        return Compared(platform, what, truth, found["reason"], "unknown")
    seen = found["value"] if part == "" else found["value"][part]
    return Compared(platform, what, truth, seen, "right" if seen == truth else "WRONG")
