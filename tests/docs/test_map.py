"""The map in CONTRIBUTING names what there is."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MAP = (ROOT / "CONTRIBUTING.md").read_text().partition("## The map")[2].partition("## Habits")[0]
SERVICE = ROOT / "packages/service/src/devops_info_service"
ONEBIN = ROOT / "packages/onebin/src/onebin"
FOLDERS = sorted(
    found.relative_to(package).as_posix()
    for package in (SERVICE, ONEBIN)
    for found in {*package.glob("*/"), *(SERVICE / "http").glob("*/")}
    if found.is_relative_to(package) and found.name != "__pycache__"
)


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_folder_is_on_the_map(folder: str) -> None:
    """Each folder of a package, and each of the engine, is named."""
    assert f"`{Path(folder).name}/`" in MAP


@pytest.mark.parametrize("name", sorted(set(re.findall(r"`([a-z_]+)/`", MAP))))
def test_every_folder_of_the_map_exists(name: str) -> None:
    """The map names no folder that has gone."""
    parents = (ROOT, SERVICE, SERVICE / "http", ONEBIN)
    assert any((parent / name).is_dir() for parent in parents)
