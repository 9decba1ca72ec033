"""Limits of disks as text."""

import pytest

from devops_info_service.catalog.resources import DISKS
from devops_info_service.facts.linux.disks import Traffic


@pytest.mark.parametrize(
    ("limits", "text"),
    [
        ((), "no limit"),
        ((Traffic("8:0", read_bytes=1048576),), "8:0 1 MiB read a second"),
        ((Traffic("8:0", writes=100),), "8:0 100 writes a second"),
        (
            (Traffic("8:0", reads=5, write_bytes=2048), Traffic("259:1", reads=7)),
            "8:0 2 KiB written, 5 reads a second; 259:1 7 reads a second",
        ),
    ],
)
def test_disk_limits(limits: tuple[Traffic, ...], text: str) -> None:
    """Each limit that there is has its unit, and the others are left out."""
    row = next(each for each in DISKS if each.path == "resources.disks.limits")

    assert row.format(limits) == text
