"""Local time by TZ in an empty root: the zones inside the executable, read by libc."""

import json
import os
import random
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from .conftest import Build

pytestmark = pytest.mark.toolchain

# Each example is one process that reads hundreds of zones.
seeds = settings(max_examples=4, phases=[Phase.explicit, Phase.generate], deadline=None)


@pytest.fixture(scope="module")
def root(build: Build, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A root with the executable and nothing else: no zones of a machine."""
    folder = tmp_path_factory.mktemp("root")
    shutil.copy(build("zones"), folder / "app")
    return folder


def run(root: Path, *arguments: str, text: str = "", zone: str | None = None) -> Any:
    """Run the program in *root*, with TZ if *zone* is given."""
    chroot = shutil.which("chroot", path=f"{os.environ['PATH']}:/usr/sbin:/sbin")
    user = [] if os.geteuid() == 0 else ["unshare", "-Ur"]
    return subprocess.run(
        [*user, str(chroot), str(root), "/app", *arguments],
        input=text, capture_output=True, check=True, text=True,
        env={} if zone is None else {"TZ": zone},
    )  # fmt: skip


@seeds
@given(st.integers())
def test_libc_and_zoneinfo_agree(root: Path, seed: int) -> None:
    """In every zone, at any second that a rule of today covers: the time, its name, its offset."""
    chance = random.Random(seed)
    names = json.loads(run(root, "names").stdout)
    # W-SU and EST5EDT have the form of a rule of POSIX: the zone goes first, as under glibc.
    rows = [(name, chance.randint(0, 2**32)) for name in names]

    lines = run(root, text="".join(f"{json.dumps(row)}\n" for row in rows)).stdout.splitlines()

    assert len(names) > 400
    for row, line in zip(rows, lines, strict=True):
        of_libc, of_zoneinfo = json.loads(line)
        if of_zoneinfo[1] == "-00":  # a place without people: musl takes its next rule
            continue
        assert (row, of_zoneinfo) == (row, of_libc)


@pytest.mark.parametrize(
    ("zone", "expected"),
    [
        (None, "00:00 UTC"),
        ("", "00:00 UTC"),
        ("UTC", "00:00 UTC"),
        ("Europe/Berlin", "01:00 CET"),
        (":Asia/Tokyo", "09:00 JST"),
        (":/usr/share/zoneinfo/Asia/Kolkata", "05:30 IST"),
        ("America/Argentina/Buenos_Aires", "21:00 -03"),
        (":EST5EDT", "19:00 EST"),
        ("<+0530>-5:30", "05:30 +0530"),
    ],
)
def test_variable(root: Path, zone: str | None, expected: str) -> None:
    """TZ names a zone, a file, or a rule of POSIX; nothing is on stderr."""
    done = run(root, "hour", zone=zone)

    assert (f"{expected}\n", "") == (done.stdout, done.stderr)


@pytest.mark.parametrize("zone", ["Europe/Nowhere", "Europe", "Berlin", ":tzdata", "A/" * 120])
def test_zone_that_is_nowhere_is_reported(root: Path, zone: str) -> None:
    """libc takes UTC without a word; the program has one, once."""
    done = run(root, "hour", zone=zone)

    assert "00:00 UTC\n" == done.stdout
    assert 1 == done.stderr.count("no such time zone")
    assert "add the distribution tzdata" in done.stderr


@pytest.mark.parametrize("zone", ["../../etc/passwd", "Europe/../Europe/Berlin", "x" * 5000])
def test_name_that_no_zone_can_have_is_utc(root: Path, zone: str) -> None:
    """libc opens nothing for it."""
    assert "00:00 UTC\n" == run(root, "hour", zone=zone).stdout
