"""The explanation shows the output of its own commands."""

import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[5]
BLOCKS = [
    block.partition("\n```")[0]
    for block in (REPOSITORY / "docs" / "explanation" / "platform.md")
    .read_text()
    .split('```console\n$ python -c "')[1:]
]


@pytest.mark.parametrize("block", BLOCKS, ids=range(len(BLOCKS)))
def test_commands(block: str) -> None:
    """Each command runs, and prints the figures under it if there are any."""
    code, _, shown = block.rpartition('"')
    process = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=REPOSITORY
    )

    assert shown.strip() in {"", process.stdout.strip()}
