"""The estimate of a compilation: by the files of a source, tests and other systems' code aside."""

from pathlib import Path

import pytest

from onebin.distributions import compile_time

C_SECOND = compile_time.C_BYTES_PER_SECOND
CYTHON_SECOND = C_SECOND // compile_time.C_PER_CYTHON


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({}, 0),
        ({"setup.py": C_SECOND}, 0),
        ({"a.c": C_SECOND, "b/c.c": C_SECOND}, 2),
        ({"a.h": C_SECOND, "tests/a.c": C_SECOND, "x/win32/a.cc": 0, "docs/a.pyx": C_SECOND}, 0),
        ({"a.cc": 0, "third_party/b.cpp": 0}, 2 * compile_time.CXX_FILE_SECONDS),
        ({"a.pyx": CYTHON_SECOND}, 1),
        ({"a.pyx": CYTHON_SECOND, "a.c": 3 * C_SECOND}, 3),
        ({"a.pyx": CYTHON_SECOND, "a.cpp": 3 * C_SECOND}, 3),
    ],
)
def test_seconds(tmp_path: Path, files: dict[str, int], expected: int) -> None:
    """C by its size, C++ by its files, Cython by the C it becomes."""
    for name, size in files.items():
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"\n" * size)

    assert expected == compile_time.seconds(tmp_path)
