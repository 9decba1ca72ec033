"""The report as text: the saved trees, and safety for a terminal."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from devops_info_service.catalog import formatting
from devops_info_service.catalog.row import Note, Row, row
from devops_info_service.escape import printable
from devops_info_service.facts.fact import Evidence, File, Known
from devops_info_service.facts.system_files import Clock, SystemFiles
from devops_info_service.report.layout import (
    MAX_WIDTH,
    MIN_WIDTH,
    Section,
    render,
)
from devops_info_service.report.scorecard import FailOn, Standard, holds
from devops_info_service.report.text import report
from devops_info_service.snapshot import PlatformSnapshot, read_platform
from devops_info_service.standards.baseline import BASELINE
from devops_info_service.standards.checks import Verdict
from devops_info_service.standards.restricted import RESTRICTED

from ..recorded import TREES

HOSTILE = "\x1b[2J\x1b]0;owned\x07\r\n\x9b31m\u202e\u2028\x00\x7f\U000e0041"
COLORS = re.compile(r"\x1b\[\d+m")

Saved = Callable[[str], SystemFiles]


@pytest.mark.parametrize("name", TREES)
def test_every_check_is_there(saved: Saved, clock: Clock, name: str) -> None:
    """Each id of the standard has its line with the verdict; no line exceeds the width."""
    snapshot = read_platform(saved(name), clock)
    text = report(snapshot, "restricted", width=90)

    for check in snapshot.security.checks:
        assert re.search(rf"^  {check.verdict} +{check.id} ", text, re.MULTILINE)
    assert {rule.id for rule in BASELINE + RESTRICTED} <= {
        each.id for each in snapshot.security.checks
    }
    assert max(map(len, text.splitlines())) <= 90
    assert all(line == line.rstrip() for line in text.splitlines())


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        (
            "containerd-restricted",
            [
                "  CPU                 0.5 CPUs  ",
                "  CPUs Python counts  4  ",
                "  CPU throttled       17 of 120 periods, 834.2 ms",
                "  memory              256 MiB  ",
                "  memory in use       32 MiB, 12 %",
                "  PIDs                2048  ",
                "  pod               web-7c9f6d5b8-x2v4q",
                "  QoS class         Burstable ",
                "  variables not shown             DATABASE_PASSWORD",
                "Profile restricted: pass",
            ],
        ),
        (
            "privileged-pod",
            [
                "  CPU                 no limit; 16 CPUs to run on",
                "  memory              200 MiB; of a group above, the container's own: no limit\n",
                "  user id           0  ",
                "Pod Security Standards, baseline: fail",
                "Profile restricted: fail",
            ],
        ),
        (
            "podman-rootless",
            ["  user ids mapped            0 here, 1000 outside, 1-65536 here,"],
        ),
        (
            "docker-limited",
            [
                "  memory              64 MiB\n",
                "  PIDs                50  ",
                "  pod           unknown  ",
            ],
        ),
    ],
)
def test_report_text(saved: Saved, clock: Clock, name: str, lines: list[str]) -> None:
    """The limits come first, in words, and the verdict last."""
    text = report(read_platform(saved(name), clock), "restricted")

    at = -1
    for line in lines:
        assert f"\n{line}" in text
        at, before = text.index(f"\n{line}"), at
        assert at > before


def test_secrets(saved: Saved, clock: Clock) -> None:
    """No value of a variable that is not known as harmless is printed, unless it is allowed."""
    tree = saved("containerd-restricted")
    secret = tree.environ()["DATABASE_PASSWORD"]

    assert secret not in report(read_platform(tree, clock))
    assert secret in report(read_platform(tree, clock, frozenset({"DATABASE_PASSWORD"})))


@pytest.mark.parametrize(
    ("name", "profile", "fail_on", "held"),
    [
        ("containerd-restricted", "restricted", "unknown", True),
        ("containerd-restricted", "baseline", "unknown", True),
        ("docker-limited", "restricted", "unknown", True),
        ("docker-default", "baseline", "fail", True),
        ("docker-default", "restricted", "fail", False),
        ("privileged-pod", "baseline", "fail", False),
        ("privileged-pod", "restricted", "fail", False),
        ("gvisor", "baseline", "fail", True),
        ("gvisor", "baseline", "unknown", False),
    ],
)
def test_profile(
    saved: Saved, clock: Clock, name: str, profile: Standard, fail_on: FailOn, *, held: bool
) -> None:
    """A failing check fails a profile; an unknown one only with `--fail-on unknown`."""
    assert holds(read_platform(saved(name), clock).security, profile, fail_on) is held


class HostileTree(SystemFiles):
    """Every file, link, directory and variable holds escapes."""

    def read(self, path: str) -> File:
        content = super().read(path).content
        return File(path, content.replace(" ", f" {HOSTILE}") if isinstance(content, str) else "")

    def link(self, path: str) -> str:
        return HOSTILE

    def names(self, path: str) -> tuple[str, ...]:
        return (HOSTILE,)


def hostile(value: object) -> object:
    """Put escapes at the end of every text of a report."""
    if isinstance(value, str):
        return value + HOSTILE if value not in get_args(Verdict) else value
    if isinstance(value, tuple):
        return tuple(map(hostile, value))
    if isinstance(value, dict):
        return {hostile(key): hostile(each) for key, each in value.items()}
    if isinstance(value, msgspec.Struct):
        fields = {name: hostile(getattr(value, name)) for name in value.__struct_fields__}
        return msgspec.structs.replace(value, **fields)
    return value


@pytest.mark.parametrize("color", [False, True])
@pytest.mark.parametrize("name", TREES)
def test_hostile_text(saved: Saved, clock: Clock, name: str, *, color: bool) -> None:
    """For any text in a report, a terminal gets only lines and the report's colors."""
    snapshot = hostile(read_platform(saved(name), clock))
    assert isinstance(snapshot, PlatformSnapshot)

    text = report(snapshot, "restricted", color=color)

    bare = COLORS.sub("", text) if color else text
    assert bare.replace("\n", "").isprintable()
    assert "\\x1b[2J" in bare


def test_hostile_files(tmp_path: Path, clock: Clock) -> None:
    """Escapes in files and variables end as text."""
    tree = HostileTree(str(tmp_path), {HOSTILE[:3]: HOSTILE, "HOME": HOSTILE})

    text = report(read_platform(tree, clock), "restricted")

    assert text.replace("\n", "").isprintable()


@given(label=st.text(), value=st.text(), note=st.text(), width=st.integers(0, 300))
def test_any_text(label: str, value: str, note: str, width: int) -> None:
    """Any text makes lines of printable characters that stay within the width."""
    rows = (Row(label, value, (Note(note),)), Row(label, value, (Note(note),), "fail"))

    text = render([Section(label, rows)], width=width)

    assert text.replace("\n", "").isprintable()
    longest = max(len(printable(label)) + 11, MIN_WIDTH, min(width, MAX_WIDTH))
    assert max(map(len, text.splitlines())) <= longest


def test_colors() -> None:
    """Colors surround the report's own words; without them the lines are the same."""
    sections = [
        Section(
            "Title", (Row("check", "means", (Note("seen"),), "fail"), Row("a", "b", (Note("c"),)))
        )
    ]
    colored = render(sections, color=True)

    assert "\x1b[31mfail     \x1b[0m" in colored
    assert COLORS.sub("", colored) == render(sections)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (formatting.size(0), "0 bytes"),
        (formatting.size(1023), "1023 bytes"),
        (formatting.size(64 * 1024**2), "64 MiB"),
        (formatting.size(1536 * 1024**2), "1.5 GiB"),
        (formatting.size(2**64 - 1), "16 EiB"),
        (formatting.size(None), "no limit"),
        (formatting.cpus(1), "1 CPU"),
        (formatting.cpus(0.25), "0.25 CPUs"),
        (formatting.cpus(4 / 3), "1.333 CPUs"),
        (formatting.cpus(128), "128 CPUs"),
        (formatting.seconds(400), "0.4 ms"),
        (formatting.seconds(0), "0 ms"),
        (formatting.seconds(1_234_567), "1.23 s"),
        (formatting.duration(59), "59 seconds"),
        (formatting.duration(3600), "1 hour"),
        (formatting.duration(100_000), "1 day"),
        (formatting.cpu_ranges((0, 1, 2, 5, 7, 8)), "0-2, 5, 7-8"),
        (formatting.cpu_ranges(()), "none"),
        (
            formatting.comma_list(map(str, range(14))),
            "0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, and 2 more",
        ),
    ],
)
def test_words(said: str, expected: str) -> None:
    """Units, plurals and lists read as English."""
    assert said == expected


def test_sources() -> None:
    """A file is named once with its fields, and a group's long directory is cut."""
    group = "/sys/fs/cgroup/kubepods.slice/" + "a" * 64 + "/cpu.max"
    seen = (Evidence(group, "quota", "1"), Evidence(group, "period", "2"), Evidence("/x", "", ""))

    assert row("CPU", Known(1, seen)).notes == (
        Note("/sys/fs/cgroup/.../cpu.max quota, period; /x", is_path=True),
    )
