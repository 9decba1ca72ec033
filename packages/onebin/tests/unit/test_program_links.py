"""Options of one processor: features of a program that is linked, options of all other calls."""

import subprocess
from pathlib import Path

import pytest

from onebin.distributions import program_links


def feature(name: str) -> list[str]:
    return ["-Xclang", "-target-feature", "-Xclang", f"+{name}"]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["-o", "t", "t.c"], ["-o", "t", "t.c"]),
        (["-msse2", "t.c"], [*feature("sse2"), "t.c"]),
        (["-o", "t", "-mavx512f", "a b.c"], ["-o", "t", *feature("avx512f"), "a b.c"]),
        (["-msse4.1", "-maes", "t.c"], [*feature("sse4.1"), *feature("aes"), "t.c"]),
        (["-msse4", "t.c"], [*feature("sse4.2"), "t.c"]),
        (["-m64", "-mtune=generic", "-mcmodel=small", "t.c"],
         ["-m64", "-mtune=generic", "-mcmodel=small", "t.c"]),
        (["-c", "-mavx2", "t.c"], ["-c", "-mavx2", "t.c"]),
        (["-shared", "-mavx2", "t.o"], ["-shared", "-mavx2", "t.o"]),
        (["-E", "-mavx2", "-"], ["-E", "-mavx2", "-"]),
        (["-DNAME=-mavx", ""], ["-DNAME=-mavx", ""]),
        ([], []),
    ],
)  # fmt: skip
@pytest.mark.parametrize("name", ["cc", "c++"])
def test_call(name: str, arguments: list[str], expected: list[str], tmp_path: Path) -> None:
    tools = tmp_path / "its tools"
    tools.mkdir()
    (tools / name).write_text('#!/bin/sh\nprintf \'%s\\n\' "$0" "$@"\n')
    (tools / name).chmod(0o755)
    script = program_links.write(tmp_path / "compilers", tools) / name

    done = subprocess.run([script, *arguments], capture_output=True, check=True, text=True)

    assert [str(tools / name), *expected] == done.stdout.removesuffix("\n").split("\n")
