"""The OpenAPI document against the service that publishes it."""

import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest
from hypothesis import settings

from tests.lib.running_service import Start

EXAMPLES: Final = settings().max_examples // 10
"""Requests per operation and kind of data; 25, as in CI, reach every kind of odd header."""


@pytest.mark.exhaustive
def test_schemathesis(start: Start, tmp_path: Path) -> None:
    """Requests generated from the document get documented responses; every check is on."""
    service = start("--expectations", 'cpu.usable: ">= 1"', "--ready-switch")
    done = subprocess.run(
        [
            *(sys.executable, "-m", "schemathesis.cli", "run"),
            f"http://127.0.0.1:{service.port}/openapi.json",
            *("--checks", "all", "--mode", "all", "--seed", "1", "--generation-deterministic"),
            *("--max-examples", str(EXAMPLES), "--no-color"),
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "No issues found" in done.stdout
