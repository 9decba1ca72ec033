"""Counters of a real run in, clang's own format out: against the compiler that reads it."""

import subprocess
import sys
from importlib import resources
from pathlib import Path

import pytest

from onebin.objects.relocatable import localize_symbols
from onebin.pgo.profile import indexed, merge, normalize, read_counters

pytestmark = pytest.mark.toolchain

COUNTERS = Path(str(resources.files("onebin.csrc"))) / "counters.c"
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
    """An instrumented program, built as onebin builds one."""
    folder = tmp_path_factory.mktemp("counting")
    (folder / "main.c").write_text(PROGRAM)
    subprocess.run([*CC, *COUNT, "-c", "main.c"], cwd=folder, check=True)
    subprocess.run([*CC, "-O2", "-c", COUNTERS], cwd=folder, check=True)
    link = [*CC, "-static", "-Wl,--no-gc-sections", "main.o", "counters.o", "-o", "program"]
    subprocess.run(link, cwd=folder, check=True)
    return folder / "program"


def run(program: Path, folder: Path, *words: str) -> list[bytes]:
    """Run *program* and return the files of its processes."""
    folder.mkdir()
    subprocess.run([program, *words], check=False, env={"ONEBIN_COUNTERS": str(folder)})
    return [file.read_bytes() for file in folder.iterdir()]


def test_counters_of_a_run(program: Path, tmp_path: Path) -> None:
    """Each function is there by its name, with its number of calls."""
    (data,) = run(program, tmp_path / "counters", "1000")

    counts = {function.name: function.counts for function in read_counters(data)}

    assert sum(counts["main.c;often"]) >= 1000
    assert {1} == set(counts["seldom"])
    assert {0} == set(counts["never"])


def test_runs_add_up(program: Path, tmp_path: Path) -> None:
    """Profiles of several processes are added."""
    runs = [
        read_counters(data)
        for n, words in enumerate((["10"], ["30"]))
        for data in run(program, tmp_path / str(n), *words)
    ]

    counts = {function.name: function.counts for function in merge(runs)}

    assert 40 in counts["main.c;often"]
    assert {2} == set(counts["seldom"])


@pytest.mark.parametrize("folder", [None, "/nowhere", "/" + "long/" * 900])
def test_nothing_to_write_to(program: Path, folder: str | None) -> None:
    """Without a folder the program runs as usual."""
    env = {} if folder is None else {"ONEBIN_COUNTERS": folder}

    assert 0 == subprocess.run([program, "1"], env=env, check=False).returncode


def test_clang_reads_the_written_profile(program: Path, tmp_path: Path) -> None:
    """Code that ran becomes hot, and the compiler reports no mismatch."""
    (data,) = run(program, tmp_path / "counters", "100000")
    profdata = tmp_path / "profdata"
    profdata.write_bytes(indexed(normalize(read_counters(data))))

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
    """Counts are matched by control flow, not by name alone: the table is really read."""
    (data,) = run(program, tmp_path / "counters", "100000")
    wrong = [function._replace(hash=function.hash ^ 1) for function in read_counters(data)]
    profdata = tmp_path / "profdata"
    profdata.write_bytes(indexed(wrong))

    call = [*CC, "-O2", f"-fprofile-use={profdata}", "-Wprofile-instr-out-of-date", "-c", "main.c"]
    done = subprocess.run(call, cwd=program.parent, capture_output=True, text=True, check=False)

    assert "function control flow change detected (hash mismatch) often" in done.stderr


def test_order_of_calls_survives_isolation(program: Path, tmp_path: Path) -> None:
    """The profile's calls reach the linker under the new symbol names."""
    (data,) = run(program, tmp_path / "counters", "100000")
    profdata, object_file = tmp_path / "profdata", tmp_path / "main.o"
    profdata.write_bytes(indexed(normalize(read_counters(data))))
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

    object_file.write_bytes(localize_symbols(object_file.read_bytes(), "main", "main"))

    read: list[str | Path] = ["readelf", "--wide", "--relocs", "--section-headers", object_file]
    said = subprocess.run(read, capture_output=True, text=True, check=True).stdout
    calls = said.partition("'.rel.llvm.call-graph-profile'")[2].partition("\n\n")[0]
    assert {"main", "often"} <= {line.split()[-1] for line in calls.splitlines() if line}
    subprocess.run([*CC, object_file, "-o", tmp_path / "again"], check=True)
    assert 0 == subprocess.run([tmp_path / "again", "9"], check=False).returncode
