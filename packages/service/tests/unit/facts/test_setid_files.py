"""The search for set-uid files: its results and its bounds."""

from pathlib import Path

import pytest

from devops_info_service.facts.linux import setid_files as module
from devops_info_service.facts.linux.setid_files import SetIdFiles, find_setid_files
from devops_info_service.facts.system_files import Clock, SystemFiles


class RunningClock:
    """Each reading takes a hundredth of a second."""

    def __init__(self) -> None:
        self.now = 0.0

    def time(self) -> float:
        return self.now

    def monotonic(self) -> float:
        self.now += 0.01
        return self.now


def program(path: Path, mode: int) -> None:
    """Make a file with *mode*."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    path.chmod(mode)


def test_found(tmp_path: Path, clock: Clock) -> None:
    """Set-uid and set-gid programs are found in any directory; links to them are not."""
    program(tmp_path / "usr" / "bin" / "su", 0o4755)
    program(tmp_path / "usr" / "bin" / "ls", 0o755)
    program(tmp_path / "srv" / "deep" / "down" / "wall", 0o2755)
    (tmp_path / "bin").symlink_to("usr/bin")

    files = find_setid_files(SystemFiles(str(tmp_path), {}), clock)

    assert isinstance(files, SetIdFiles)
    assert files.found == ("/srv/deep/down/wall", "/usr/bin/su")
    assert files.complete


def test_circle(tmp_path: Path, clock: Clock) -> None:
    """A link to a directory above is not followed."""
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "up").symlink_to("..")

    assert find_setid_files(SystemFiles(str(tmp_path), {}), clock) == SetIdFiles(
        (), 2, complete=True
    )


def test_time_is_up(tmp_path: Path) -> None:
    """Program directories come first; a search out of time is marked incomplete."""
    program(tmp_path / "usr" / "bin" / "su", 0o4755)
    for number in range(20):
        (tmp_path / f"d{number}").mkdir()

    files = find_setid_files(SystemFiles(str(tmp_path), {}), RunningClock())

    assert isinstance(files, SetIdFiles)
    assert files.found == ("/usr/bin/su",)
    assert not files.complete


def test_too_many(tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """The walk ends at a number of files."""
    monkeypatch.setattr(module, "MAX_ENTRIES", 5)
    for number in range(4):
        program(tmp_path / f"d{number}" / "a", 0o755)
        program(tmp_path / f"d{number}" / "b", 0o755)

    files = find_setid_files(SystemFiles(str(tmp_path), {}), clock)

    assert isinstance(files, SetIdFiles)
    assert files.scanned < 10
    assert not files.complete
