"""The time zone database that is put into a program with ``zoneinfo``."""

import sys
import zoneinfo
from pathlib import Path

import pytest

from onebin.distributions import time_zones
from onebin.errors import ToolError

from .fakes import context


@pytest.mark.parametrize(
    ("modules", "missing"),
    [
        ({"app"}, False),
        ({"zoneinfo"}, True),
        ({"zoneinfo", "tzdata"}, False),
        ({"tzdata"}, False),
    ],
)
def test_which_programs_lack_it(modules: set[str], *, missing: bool) -> None:
    assert missing is time_zones.are_missing(modules)


def test_files_of_the_installed_database(tmp_path: Path) -> None:
    """All zones, the metadata of its authors, nothing of this installation; once in the cache."""
    ctx = context(tmp_path)

    first = time_zones.time_zones(ctx)

    assert first == time_zones.time_zones(ctx)
    assert "tzdata" == first.pin.name
    places = {str(path.relative_to(first.code)) for path in first.code.rglob("*")}
    info = f"tzdata-{first.pin.version}.dist-info"
    assert {"tzdata/zoneinfo/Europe/Berlin", "tzdata/zones", f"{info}/METADATA"} <= places
    assert not [place for place in places if place.endswith((".pyc", "INSTALLER", "RECORD"))]
    with (first.code / "tzdata" / "zoneinfo" / "Europe" / "Berlin").open("rb") as file:
        assert "Europe/Berlin" == zoneinfo.ZoneInfo.from_file(file, key="Europe/Berlin").key


def test_it_is_not_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [])

    with pytest.raises(ToolError, match="tzdata: not installed") as caught:
        time_zones.time_zones(context(tmp_path))

    assert "install onebin again" in caught.value.hint
