"""The example of docs/reference/onebin.md, executed."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

import onebin

from .conftest import PROJECTS

PAGE = Path(__file__).parents[4] / "docs" / "reference" / "onebin.md"

pytestmark = pytest.mark.toolchain


def test_example_of_the_reference(tmp_path: Path) -> None:
    """It plans, builds, publishes and inspects a project, as the page shows."""
    (block,) = re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)

    call = [sys.executable, "-c", block, PROJECTS / "facts"]
    done = subprocess.run(call, cwd=tmp_path, capture_output=True, text=True, check=False)

    assert (0, "") == (done.returncode, done.stderr)
    assert ["facts for x86_64", "True True"] == done.stdout.splitlines()
    assert ["app.tar"] == [file.name for file in tmp_path.iterdir()]


def test_results_are_values() -> None:
    """The same build gives an equal result, with what led to it."""
    one, other = onebin.build(PROJECTS / "facts"), onebin.build(str(PROJECTS / "facts"))

    assert one == other
    assert one.binary.size == one.binary.path.stat().st_size
    assert {"_onebin_importer", "facts"} <= {module.name for module in one.modules}
