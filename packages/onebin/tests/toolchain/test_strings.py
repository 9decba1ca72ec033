"""The functions of strings that executables have instead of the compiler's own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from onebin import csrc

HARNESS = Path(__file__).parent.parent / "harness" / "strings.c"
CSRC = Path(csrc.__file__).parent


@pytest.mark.toolchain
@pytest.mark.parametrize("level", ["-O1", "-O2"])
def test_bytes_are_found_and_no_page_is_read_behind(tmp_path: Path, level: str) -> None:
    """Whatever the alignment and the bytes, also at the end of the last page."""
    made = tmp_path / "strings"
    subprocess.run(
        [
            sys.executable, "-m", "ziglang", "cc", "-target", f"{os.uname().machine}-linux-musl",
            level, "-static", "-Wall", "-Wextra", "-Werror", HARNESS, CSRC / "libc_strings.c",
            "-o", made,
        ],
        check=True,
    )  # fmt: skip

    done = subprocess.run([made], capture_output=True, text=True, check=False)

    assert (0, "139400\n", "") == (done.returncode, done.stdout, done.stderr)
