"""Counters of a run in, text to keep, clang's own format out: each against what reads it."""

import hashlib
import struct
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onebin.errors import ProjectError, ToolError
from onebin.objects.relocatable import isolate
from onebin.pgo.profile import (
    MOST,
    SECTION,
    Function,
    from_text,
    indexed,
    made_by,
    merged,
    read_counters,
    shortened,
    to_text,
)

COUNTERS = Path(sys.modules["onebin.pgo.profile"].__file__ or "").parent / "csrc" / "counters.c"
CC = [sys.executable, "-m", "ziglang", "cc", "-target", "x86_64-linux-musl", "-fno-sanitize=all"]
COUNT = ["-O2", "-fprofile-generate", "-mllvm", "-disable-vp=true"]

PROGRAM = """
#include <stdlib.h>
__attribute__((noinline)) static int often(int x) { return x % 7 ? x * 3 : x - 1; }
__attribute__((noinline)) int seldom(int x) { return x + 1; }
__attribute__((noinline)) int never(int x) { for (int i = 0; i < x; i++) x ^= i * x; return x; }
int main(int argc, char **argv) {
    int sum = 0;
    for (int i = 0; i < atoi(argv[1]); i++) sum = often(sum + i);
    if (argc > 5) sum = never(sum);
    return seldom(sum) == 12345;
}
"""


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A program that counts, built as onebin builds one."""
    folder = tmp_path_factory.mktemp("counting")
    (folder / "main.c").write_text(PROGRAM)
    subprocess.run([*CC, *COUNT, "-c", "main.c"], cwd=folder, check=True)
    subprocess.run([*CC, "-O2", "-c", COUNTERS], cwd=folder, check=True)
    link = [*CC, "-static", "-Wl,--no-gc-sections", "main.o", "counters.o", "-o", "program"]
    subprocess.run(link, cwd=folder, check=True)
    return folder / "program"


def run(program: Path, folder: Path, *words: str) -> list[bytes]:
    """Run *program* and return what its processes left."""
    folder.mkdir()
    subprocess.run([program, *words], check=False, env={"ONEBIN_COUNTERS": str(folder)})
    return [file.read_bytes() for file in folder.iterdir()]


def test_counters_of_a_run(program: Path, tmp_path: Path) -> None:
    """Each function is there by its name, with how often it was called."""
    (data,) = run(program, tmp_path / "counters", "1000")

    counts = {function.name: function.counts for function in read_counters(data)}

    assert sum(counts["main.c;often"]) >= 1000
    assert {1} == set(counts["seldom"])
    assert {0} == set(counts["never"])


def test_runs_add_up(program: Path, tmp_path: Path) -> None:
    """Processes of one program are one profile."""
    runs = [
        read_counters(data)
        for n, words in enumerate((["10"], ["30"]))
        for data in run(program, tmp_path / str(n), *words)
    ]

    counts = {function.name: function.counts for function in merged(runs)}

    assert 40 in counts["main.c;often"]
    assert {2} == set(counts["seldom"])


@pytest.mark.parametrize("folder", [None, "/nowhere", "/" + "long/" * 900])
def test_nothing_to_write_to(program: Path, folder: str | None) -> None:
    """Without a folder it is a program like any other."""
    env = {} if folder is None else {"ONEBIN_COUNTERS": folder}

    assert 0 == subprocess.run([program, "1"], env=env, check=False).returncode


def test_clang_reads_what_is_written(program: Path, tmp_path: Path) -> None:
    """By the profile, what ran goes to hot code, and the compiler says nothing of a mismatch."""
    (data,) = run(program, tmp_path / "counters", "100000")
    profdata = tmp_path / "profdata"
    profdata.write_bytes(indexed(shortened(read_counters(data))))

    done = subprocess.run(
        [
            *CC, "-O2", "-ffunction-sections", f"-fprofile-use={profdata}",
            "-Werror=profile-instr-out-of-date", "-S", "main.c", "-o", tmp_path / "main.s",
        ],
        cwd=program.parent, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert 0 == done.returncode, done.stderr
    sections = (tmp_path / "main.s").read_text()
    assert ".text.hot.often" in sections
    assert ".text.hot.never" not in sections


def test_clang_refuses_another_flow(program: Path, tmp_path: Path) -> None:
    """Counts are matched by flow, not by name alone: so the table is really read."""
    (data,) = run(program, tmp_path / "counters", "100000")
    wrong = [function._replace(hash=function.hash ^ 1) for function in read_counters(data)]
    profdata = tmp_path / "profdata"
    profdata.write_bytes(indexed(wrong))

    call = [*CC, "-O2", f"-fprofile-use={profdata}", "-Wprofile-instr-out-of-date", "-c", "main.c"]
    done = subprocess.run(call, cwd=program.parent, capture_output=True, text=True, check=False)

    assert "function control flow change detected (hash mismatch) often" in done.stderr


def test_order_of_calls_survives_isolation(program: Path, tmp_path: Path) -> None:
    """What a profile says of calls goes on to the linker, in terms of the new symbols."""
    (data,) = run(program, tmp_path / "counters", "100000")
    profdata, object_file = tmp_path / "profdata", tmp_path / "main.o"
    profdata.write_bytes(indexed(shortened(read_counters(data))))
    compile_it: list[str | Path] = [
        *CC,
        "-O2",
        f"-fprofile-use={profdata}",
        "-c",
        "main.c",
        "-o",
        object_file,
    ]
    subprocess.run(compile_it, cwd=program.parent, check=True)

    object_file.write_bytes(isolate(object_file.read_bytes(), "main", "main"))

    read: list[str | Path] = ["readelf", "--wide", "--relocs", "--section-headers", object_file]
    said = subprocess.run(read, capture_output=True, text=True, check=True).stdout
    calls = said.partition("'.rel.llvm.call-graph-profile'")[2].partition("\n\n")[0]
    assert {"main", "often"} <= {line.split()[-1] for line in calls.splitlines() if line}
    subprocess.run([*CC, object_file, "-o", tmp_path / "again"], check=True)
    assert 0 == subprocess.run([tmp_path / "again", "9"], check=False).returncode


FUNCTIONS = st.lists(
    st.builds(
        Function,
        name=st.text("abc;/._", min_size=1),
        hash=st.integers(0, 2**64 - 1),
        counts=st.lists(st.integers(0, 5) | st.integers(0, 2**40), min_size=1).map(tuple),
    ),
    unique_by=lambda function: (function.name, function.hash),
)


@given(FUNCTIONS)
def test_text_keeps_all(functions: list[Function]) -> None:
    """What is written as text is read as the same."""
    text = to_text(functions, "a compiler, a source")

    assert functions == from_text(text, "here")
    assert "a compiler, a source" == made_by(text)


@given(FUNCTIONS)
def test_shortened(functions: list[Function]) -> None:
    """Counts are scaled to the highest; what is nothing beside it is left out; sorted."""
    kept = shortened(functions)

    highest = max((count for function in functions for count in function.counts), default=0)
    assert kept == sorted(kept)
    assert (MOST if highest else 0) == max(
        (count for function in kept for count in function.counts), default=0
    )
    assert len(kept) == sum(max(function.counts) * MOST >= highest > 0 for function in functions)


@given(FUNCTIONS)
def test_table_can_be_looked_up(functions: list[Function]) -> None:
    """Every function is found the way LLVM looks: by its name's hash, in a table of buckets."""
    data = indexed(functions)

    (start,) = struct.unpack_from("<Q", data, 32)
    buckets, entries = struct.unpack_from("<QQ", data, start)
    assert entries == len({function.name for function in functions})
    for function in functions:
        name_hash = struct.unpack("<Q", hashlib.md5(function.name.encode()).digest()[:8])[0]
        (at,) = struct.unpack_from("<Q", data, start + 16 + 8 * (name_hash % buckets))
        (many,) = struct.unpack_from("<H", data, at)
        at += 2
        found = b""
        for _ in range(many):
            key, key_size, size = struct.unpack_from("<3Q", data, at)
            at += 24
            if data[at : at + key_size] == function.name.encode():
                assert key == name_hash
                found = data[at + key_size : at + key_size + size]
            at += key_size + size
        head = struct.pack("<QQ", function.hash, len(function.counts))
        assert head + struct.pack(f"<{len(function.counts)}Q", *function.counts) in found


@pytest.mark.parametrize(
    "text",
    [
        "",
        "# onebin profile 1",
        "# onebin profile 2\n# made by\n",
        "a line\n# onebin profile 1\n# made by\n",
    ],
)
def test_no_profile(text: str) -> None:
    """What is something else is said to be."""
    with pytest.raises(ProjectError, match=r"app\.profile: not a profile") as caught:
        from_text(text, "app.profile")

    assert "onebin train" in caught.value.hint


@pytest.mark.parametrize(
    "line",
    [
        "",
        "ff",
        "ff 1",
        "xx 1 name",
        "ff 1,,2 name",
        "ff 1*x name",
        "ff one name",
        "ff 0*99999999999 name",
        "ff 0*9999999 name",
        "ff 0*600000,0*600000 name",
        "ff -1 name",
        "ff 1_0 name",
        "ff 18446744073709551616 name",
        "10000000000000000 1 name",
        "-1 1 name",
        "ff \u0661 name",
        "ff 1*0x1 name",
        "ff 1*-1 name",
        "ff " + "1" * 5000 + " name",
    ],
)
def test_damaged_line(line: str) -> None:
    """The line is named."""
    text = to_text([Function("first", 1, (1, 2))], "made by") + line + "\n"
    with pytest.raises(ProjectError, match=r"app\.profile:4: not a line of a profile"):
        from_text(text, "app.profile")


def test_damaged_counters(program: Path, tmp_path: Path) -> None:
    """What was cut, anywhere, or is something else, is an error and nothing worse."""
    (data,) = run(program, tmp_path / "counters", "10")
    for end in [*range(1, 400), *range(400, len(data) - 1, 7)]:
        with pytest.raises(ToolError, match="counters of a run cannot be read"):
            read_counters(data[:end])
    with pytest.raises(ToolError):
        read_counters(SECTION.pack(2**60, 0) + data)
