"""Every view of every recorded tree matches its reviewed digest.

After a change on purpose ``UPDATE_GOLDEN=1`` rewrites the digests; review the texts themselves
with ``devops-info-service report`` before.
"""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from devops_info_service.expectations.conformance import evaluate, load_expectations
from devops_info_service.expectations.extract import EXTRACTORS, Extractor
from devops_info_service.facts.system_files import SystemFiles
from devops_info_service.prometheus.exposition import render
from devops_info_service.prometheus.metric_families import (
    expectation_families,
    placement_family,
    platform_families,
)
from devops_info_service.report.json_report import report_json
from devops_info_service.report.text import report
from devops_info_service.snapshot import read_platform

from .recorded import DATA, TREES, FrozenClock, RecordedFiles

DIGESTS = DATA / "golden.json"
VALUES = {
    "bytes": '"<= 1Gi"',
    "CPUs": '"<= 500m"',
    "count": '"<= 10"',
    "boolean": "true",
    "set": "none",
    "string": "x",
}


def expected(each: Extractor) -> str:
    """Return a line that expects something of a name."""
    name = each.expect
    value = name.allowed[0] if name.allowed and name.kind != "set" else VALUES[name.kind]
    return f"{name.name}: {value}"


def views(tree: SystemFiles) -> Iterator[tuple[str, bytes]]:
    """Render all output of a tree."""
    snapshot = read_platform(tree, FrozenClock())
    # Sorted: the order of results is that of the file, not of the catalog.
    contract = "\n".join(expected(each) for _, each in sorted(EXTRACTORS.items()))
    conformance = evaluate(load_expectations(contract), snapshot)
    families = [
        placement_family(snapshot.placement),
        *platform_families(snapshot.resources, 1),
        *expectation_families(conformance),
    ]
    yield "platform.json", msgspec.json.encode(snapshot)
    yield "report.json", report_json(snapshot, conformance)
    for width in (60, 90, 120):
        yield f"report-{width}.txt", report(snapshot, width=width).encode()
    yield "report-colored.txt", report(snapshot, "baseline", conformance, color=True).encode()
    yield "conformance.txt", report(snapshot, "restricted", conformance, width=90).encode()
    yield "metrics.txt", render(families)
    yield "openmetrics.txt", render(families, open_metrics=True)


def digests(directory: Path) -> dict[str, str]:
    """Return a digest of each view of a recorded tree."""
    tree = RecordedFiles(directory)
    return {name: hashlib.sha256(text).hexdigest()[:16] for name, text in views(tree)}


@pytest.mark.parametrize("name", TREES)
def test_views(name: str) -> None:
    """No view of a tree has changed."""
    known = msgspec.json.decode(DIGESTS.read_bytes(), type=dict[str, dict[str, str]])
    found = digests(DATA / name)
    if os.environ.get("UPDATE_GOLDEN"):
        known[name] = found
        DIGESTS.write_bytes(msgspec.json.format(msgspec.json.encode(known, order="sorted")) + b"\n")

    assert found == known[name]
