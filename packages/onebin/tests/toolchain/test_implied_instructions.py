"""Instruction sets that options and attributes imply, with the real compiler."""

import subprocess
import sys
from pathlib import Path

import pytest

from onebin.distributions import program_links

pytestmark = pytest.mark.toolchain

ZIG = f'exec "{sys.executable}" -m ziglang {{}} -target x86_64-linux-musl -mcpu=x86_64 "$@"'

INCLUDE = "#include <immintrin.h>\n"

FUNCTION = "unsigned f(unsigned a) { return %s; }\n"

CALLS = [
    (["-mavx2"], FUNCTION % "_mm_popcnt_u32(a)", True),
    (["-msse4.2"], FUNCTION % "_mm_popcnt_u32(a) + _mm_crc32_u32(a, a)", True),
    (["-mavx"], FUNCTION % "(unsigned)_xgetbv(0)", True),
    ([], '__attribute__((target("sse4.2"))) ' + FUNCTION % "_mm_crc32_u32(a, a)", True),
    ([], '__attribute__((target("avx"))) ' + FUNCTION % "(unsigned)_xgetbv(0)", True),
    ([], FUNCTION % "_mm_crc32_u32(a, a)", False),
    (["-msse4.1"], FUNCTION % "_mm_popcnt_u32(a)", False),
    (["-mavx2", "-mno-popcnt"], FUNCTION % "_mm_popcnt_u32(a)", False),
]


@pytest.mark.parametrize(("options", "code", "expected"), CALLS)
def test_code_is_compiled_as_by_gcc(
    tmp_path: Path, options: list[str], code: str, *, expected: bool
) -> None:
    """It is where a set is implied, and is refused where none is."""
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("cc", "c++"):
        (tools / name).write_text(f"#!/bin/sh\n{ZIG.format(name)}\n")
        (tools / name).chmod(0o755)
    (tmp_path / "a.c").write_text(INCLUDE + code)
    compiler = program_links.write(tmp_path / "compilers", tools, "x86_64") / "cc"

    done = subprocess.run(
        [compiler, *options, "-c", "a.c", "-o", "a.o"],
        cwd=tmp_path, capture_output=True, check=False, text=True,
    )  # fmt: skip

    assert expected == (done.returncode == 0), done.stderr
    assert expected or "target feature" in done.stderr
