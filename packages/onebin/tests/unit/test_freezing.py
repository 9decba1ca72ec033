"""When the Python part of an executable is made again."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from onebin.freezing import READ_BYTES, contents_of

FILES = (
    "app.py", "pkg/deep/data.bin", ".well-known/security.txt", "pkg/__pycache__/app.pyc",
    ".git/index", ".venv/lib/site.py",
)  # fmt: skip


def _changed_later(file: Path) -> None:
    """Change it as an editor does, however coarse the clock is."""
    before = file.stat().st_mtime_ns
    file.write_bytes(file.read_bytes()[:-1] + b"!")
    os.utime(file, ns=(before + 1_000_000, before + 1_000_000))


def _touch(file: Path) -> None:
    os.utime(file, ns=(1, 1))


@pytest.mark.parametrize(
    ("name", "change", "is_other"),
    [
        ("app.py", _changed_later, True),
        ("pkg/deep/data.bin", _changed_later, True),
        ("big.bin", _changed_later, True),
        (".well-known/security.txt", _changed_later, True),
        ("app.py", _touch, False),
        ("app.py", Path.unlink, True),
        ("app.py", lambda file: file.rename(file.with_name("other.py")), True),
        ("pkg/__pycache__/app.pyc", _changed_later, False),
        (".git/index", _changed_later, False),
        (".venv/lib/site.py", _changed_later, False),
        ("new.py", Path.touch, True),
        ("empty", Path.mkdir, False),
    ],
)
def test_change_of_a_file(
    name: str, change: Callable[[Path], object], tmp_path: Path, *, is_other: bool
) -> None:
    for file in FILES:
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text(file)
    (tmp_path / "big.bin").write_bytes(bytes(READ_BYTES + 1))
    before = contents_of(tmp_path, None)

    change(tmp_path / name)

    assert is_other is (before != contents_of(tmp_path, None))
