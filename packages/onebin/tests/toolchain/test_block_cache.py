"""The raw allocator of executables: bytes are kept, blocks reused, memory bounded."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from onebin import csrc

pytestmark = pytest.mark.toolchain

HARNESS = Path(__file__).parent.parent / "harness" / "block_cache.c"
CSRC = Path(csrc.__file__).parent


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Compile it so that undefined behavior ends it."""
    made = tmp_path_factory.mktemp("blocks") / "blocks"
    subprocess.run(
        [
            sys.executable, "-m", "ziglang", "cc", "-target", f"{os.uname().machine}-linux-musl",
            "-O1", "-static", "-fsanitize=undefined", "-fsanitize-trap=undefined", "-Wall",
            "-Wextra", "-Werror", "-I", CSRC, HARNESS, CSRC / "block_cache.c", "-o", made,
        ],
        check=True,
    )  # fmt: skip
    return made


def run(program: Path, *words: str) -> str:
    done = subprocess.run([program, *words], capture_output=True, text=True, check=False)
    assert (0, "") == (done.returncode, done.stderr)
    return done.stdout


@pytest.mark.parametrize("seed", range(3))
def test_bytes_are_kept(program: Path, seed: int) -> None:
    """Four threads allocate, grow, shrink and free; no block is shared."""
    run(program, "random", str(seed))


def test_edges(program: Path) -> None:
    """Every size with a special case, from each to each; failed allocation is not a crash."""
    run(program, "edges")


def test_blocks_are_used_again(program: Path) -> None:
    """A thousand blocks of similar sizes cost the kernel a few pages, not ten thousand."""
    assert int(run(program, "again")) < 100


def test_memory_is_bounded(program: Path) -> None:
    """Of 200 MiB freed, at most the four kept blocks stay, and a little."""
    assert int(run(program, "bound")) < (4 + 1) * 1024
