"""Container or machine: first in every view, and a machine's checks never fail."""

from collections.abc import Mapping

import msgspec
import pytest
from prometheus_client.parser import text_string_to_metric_families

from devops_info_service.catalog.placement import NOTHING_GRANTED, UNDECIDED
from devops_info_service.facts.container.placement import CONTAINER, MACHINE
from devops_info_service.facts.fact import Known, Unknown
from devops_info_service.facts.linux.namespaces import FIRST_NAMESPACES
from devops_info_service.facts.linux.sandbox import Detection
from devops_info_service.prometheus.exposition import render as exposition
from devops_info_service.prometheus.metric_families import placement_family
from devops_info_service.recording.machine_file import MachineFile
from devops_info_service.report.text import report
from devops_info_service.snapshot import PlatformSnapshot, read_platform

from ..page.html_page import Page, render, snapshot_of
from ..recorded import TREES, FrozenClock
from ..standards.test_signs import Files

HOME = "1 0 8:1 / / rw,relatime - ext4 /dev/sda1 rw\n"
LAPTOP = {
    "/proc/self/mountinfo": f"{HOME}2 1 0:5 / /dev rw - devtmpfs udev rw\n"
    "3 1 0:4 / /proc rw - proc proc rw\n4 1 0:6 / /sys rw - sysfs sysfs rw\n",
    "/proc/self/cgroup": "0::/user.slice/user-1000.slice/session-2.scope\n",
    "/proc/self/status": "Uid:\t0\t0\t0\t0\nNoNewPrivs:\t0\nSeccomp:\t0\n"
    "CapBnd:\t000001ffffffffff\nCapEff:\t000001ffffffffff\n",
    "/proc/self/uid_map": "         0          0 4294967295\n",
    "/proc/version": "Linux version 6.12.0\n",
    "/etc/shadow": "",
}
LINKS = {f"/proc/self/ns/{kind}": f"{kind}:[{at}]" for kind, at in FIRST_NAMESPACES.items()}
LEFT_BEHIND = {"/.dockerenv": ""}
"""Of an image unpacked on a machine's disk."""


def on(files: Mapping[str, str], links: Mapping[str, str] = LINKS) -> PlatformSnapshot:
    return read_platform(Files(files, links, MachineFile()), FrozenClock())


def without(kind: str) -> dict[str, str]:
    return {**LINKS, f"/proc/self/ns/{kind}": f"{kind}:[4026532999]"}


@pytest.mark.parametrize(
    ("files", "links", "name", "confidence"),
    [
        (LAPTOP, LINKS, MACHINE, "certain"),
        ({**LAPTOP, **LEFT_BEHIND}, LINKS, MACHINE, "certain"),
        ({**LAPTOP, **LEFT_BEHIND}, without("pid"), CONTAINER, "likely"),
        (LAPTOP, without("pid"), None, None),
        (LAPTOP, {}, None, None),
        ({}, {}, None, None),
    ],
)
def test_signs(
    files: dict[str, str], links: dict[str, str], name: str | None, confidence: str | None
) -> None:
    """A machine has all its namespaces; a file left behind makes a container likely."""
    found = on(files, links).placement

    if name is None:
        assert isinstance(found, Unknown)
    else:
        assert isinstance(found, Known)
        assert (found.value.name, found.value.confidence) == (name, confidence)
        assert found.evidence


@pytest.mark.parametrize("tree", TREES)
def test_containers(tree: str) -> None:
    """Every recorded container is one, surely, and no view has a remark."""
    snapshot = snapshot_of(tree)

    assert isinstance(snapshot.placement, Known)
    assert snapshot.placement.value == Detection(CONTAINER, "certain")
    text = report(snapshot)
    assert "  runs in  a container " in text.partition("\nGranted")[0]
    assert NOTHING_GRANTED not in " ".join(text.split())
    assert Page(render(snapshot)).values("class").count("notice") == 0


@pytest.mark.parametrize(
    ("links", "remark", "metric", "heads"),
    [(LINKS, NOTHING_GRANTED, 0, "machine"), ({}, UNDECIDED, None, "Unclear whether a container")],
)
def test_comes_first(links: dict[str, str], remark: str, metric: int | None, heads: str) -> None:
    """Terminal, page, JSON and metrics begin with it."""
    snapshot = on(LAPTOP, links)

    first = " ".join(report(snapshot).partition("\nGranted")[0].split())
    assert remark in first
    page = Page(render(snapshot))
    before = page.text.partition("Granted and used")[0]
    assert f"{remark}." in before
    assert heads in before
    assert next(iter(msgspec.json.decode(msgspec.json.encode(snapshot)))) == "placement"
    lines = exposition([placement_family(snapshot.placement)]).decode()
    values = [s.value for f in text_string_to_metric_families(lines) for s in f.samples]
    assert values == ([] if metric is None else [metric])


def test_no_failure_on_a_machine() -> None:
    """Root with every capability is usual on a machine: nothing is red in any view."""
    machine, unclear = on(LAPTOP), on(LAPTOP, {})

    assert "fail" not in {check.verdict for check in machine.security.checks}
    assert "fail" in {check.verdict for check in unclear.security.checks}
    assert "\x1b[31m" not in report(machine, "restricted", color=True)
    classes = " ".join(Page(render(machine)).values("class")).split()
    assert "fail" not in classes
    assert "Pod Security Standards: not judged" in report(machine)
