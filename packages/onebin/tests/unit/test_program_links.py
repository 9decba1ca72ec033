"""Options of one processor: features of a program that is linked, options of all other calls.

Other compilers imply popcnt and xsave by them, and crc32 by an attribute: here they are added.
"""

import subprocess
from pathlib import Path

import pytest

from onebin.distributions import program_links
from onebin.model import Machine


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
        (["-m64", "-mtune=generic", "-mcmodel=small", "t.c"], ["-m64", "-mcmodel=small", "t.c"]),
        (["-c", "-mtune=generic", "t.c"], ["-c", "-mtune=generic", "t.c"]),
        (["-mtune=generic", "-march=haswell", "-m64", "-mavx2", "t.o", "-mllvm", "-a=b"],
         ["-m64", "t.o", "-mllvm", "-a=b"]),
        (["-mtune=generic", "-march=haswell", "-mavx2", "t.o", "-lm"], ["t.o", "-lm"]),
        (["-march=haswell", "-x", "c", "-"], ["-march=haswell", "-x", "c", "-"]),
        (["-c", "-mavx2", "t.c"], ["-c", "-mpopcnt", "-mxsave", "-mavx2", "t.c"]),
        (["-c", "-msse4.2", "t.c"], ["-c", "-mpopcnt", "-msse4.2", "t.c"]),
        (["-c", "-msse4.2", "-mno-popcnt"], ["-c", "-mpopcnt", "-msse4.2", "-mno-popcnt"]),
        (["-c", "-msse4.1", "t.c"], ["-c", "-msse4.1", "t.c"]),
        (["-shared", "-mavx2", "t.o"], ["-shared", "-mavx2", "t.o"]),
        (["-E", "-x", "c++", "-"], ["-E", "-x", "c++", "-"]),
        (["-E", "-xc", "-dM", "-"], ["-E", "-xc", "-dM", "-"]),
        (["-S", "a-.c", "-o-"], ["-S", "a-.c", "-o-"]),
        (["-DNAME=-mavx", ""], ["-DNAME=-mavx", ""]),
        ([], []),
    ],
)  # fmt: skip
@pytest.mark.parametrize("name", ["cc", "c++"])
def test_call(name: str, arguments: list[str], expected: list[str], tmp_path: Path) -> None:
    assert expected == called(tmp_path, name, arguments)


@pytest.mark.parametrize(("name", "language"), [("cc", "c"), ("c++", "c++")])
def test_preprocessor_of_a_text_without_a_name(name: str, language: str, tmp_path: Path) -> None:
    """It is of the compiler's own language."""
    assert ["-E", "-x", language, "-"] == called(tmp_path, name, ["-E", "-"])


IMPLIED = ["-mcrc32", "-U__CRC32__", "-mxsave", "-U__XSAVE__"]

SOURCES = [
    ('__attribute__((target("sse4.2"))) f() { _mm_crc32_u8(0, 1); }', True),
    ("#pragma GCC target avx\nlong f() { return _xgetbv(0); }", True),
    ("TARGET_SSE42 f() { __builtin_ia32_crc32di(0, 1); }", True),
    ("int main() { return _mm_crc32_u8(0, 1); }", False),
    ('__attribute__((target("avx2"))) f() {}', False),
]


@pytest.mark.parametrize(("text", "expected"), SOURCES)
@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_source_whose_function_has_a_set_of_instructions(
    text: str, machine: Machine, tmp_path: Path, *, expected: bool
) -> None:
    """It may use what the set implies; a configure script's question gets the same no as before."""
    file = tmp_path / "a b.c"
    file.write_text(text)

    words = called(tmp_path, "cc", ["-c", str(file), "-o", "x.o"], machine)

    implied = IMPLIED if expected and machine == "x86_64" else []
    assert ["-c", str(file), "-o", "x.o", *implied] == words


def called(
    tmp_path: Path, name: str, arguments: list[str], machine: Machine = "x86_64"
) -> list[str]:
    """Return the arguments that the compiler gets."""
    tools = tmp_path / "its tools"
    tools.mkdir()
    (tools / name).write_text('#!/bin/sh\nprintf \'%s\\n\' "$0" "$@"\n')
    (tools / name).chmod(0o755)
    script = program_links.write(tmp_path / "compilers", tools, machine) / name

    done = subprocess.run([script, *arguments], capture_output=True, check=True, text=True)

    program, *words = done.stdout.removesuffix("\n").split("\n")
    assert str(tools / name) == program
    return words
