"""Distributions with ``.pth`` files: a packed program has what ``site`` makes of them."""

import os
import subprocess
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from .conftest import OnebinRun

pytestmark = pytest.mark.toolchain

NAMESPACE = (
    "import sys, types, os;p = os.path.join(sys._getframe(1).f_locals['sitedir'], *('spread',));"
    "importlib = __import__('importlib.util');__import__('importlib.machinery');"
    "m = sys.modules.setdefault('spread', importlib.util.module_from_spec("
    "importlib.machinery.PathFinder.find_spec('spread', [os.path.dirname(p)])))\n"
)
"""What setuptools wrote for each namespace package, until 2023."""

FILES = {
    "beside.pth": "# a comment\n\nbeside\nmissing\n",
    "beside/found_beside.py": "import sched\nNAME = __name__\n",
    "beside/pack/__init__.py": "",
    "beside/pack/data.txt": "data",
    "made.pth": "import sys, types; m = types.ModuleType('made'); sys.modules['made'] = m\n",
    "spread-nspkg.pth": NAMESPACE,
    "spread/one.py": "NUMBER = 1\n",
    "wrong.pth": "import no_such_module\nafter\n",
    "after/never.py": "",
}

PYPROJECT = """\
[project]
name = "path-files"
version = "1"
requires-python = ">=3.13"
dependencies = ["with-paths==1"]
[project.scripts]
path-files = "path_files:main"
"""

PROGRAM = """\
import importlib.resources
import found_beside
import spread.one
import sys

def main():
    print(found_beside.NAME, found_beside.__file__.rpartition("site-packages/")[2])
    print(type(found_beside.__loader__).__name__, spread.one.NUMBER)
    print(importlib.resources.files("pack").joinpath("data.txt").read_text())
    print("made" in sys.modules, sys.path[-1].rpartition("site-packages/")[2])
"""


def wheel(folder: Path, files: Mapping[str, str]) -> None:
    info = "with_paths-1.dist-info"
    texts = {
        **files,
        f"{info}/METADATA": "Metadata-Version: 2.1\nName: with-paths\nVersion: 1\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{name},,\n" for name in (*texts, f"{info}/RECORD"))
    with zipfile.ZipFile(folder / "with_paths-1-py3-none-any.whl", "w") as file:
        for name, text in {**texts, f"{info}/RECORD": record}.items():
            file.writestr(name, text)


def test_lines_are_read_when_the_program_starts(onebin: OnebinRun, tmp_path: Path) -> None:
    """Folders, code, and an error that ends its own file alone; children read them as well."""
    wheel(tmp_path, FILES)
    project = tmp_path / "project"
    project.mkdir()
    (project / "pyproject.toml").write_text(PYPROJECT)
    (project / "path_files.py").write_text(PROGRAM)
    built = onebin(
        "build", project, "-o", tmp_path / "program",
        env={**os.environ, "PIP_FIND_LINKS": str(tmp_path)},
    )  # fmt: skip
    assert 0 == built.returncode, built.stderr

    done = subprocess.run(
        [tmp_path / "program"], capture_output=True, text=True, check=False, cwd="/"
    )
    child = subprocess.run(
        ["/onebin/bin/python3", "-c", "import path_files; path_files.main()"],
        executable=tmp_path / "program", capture_output=True, text=True, check=False, cwd="/",
    )  # fmt: skip

    expected = "found_beside beside/found_beside.py\nSourceLoader 1\ndata\nTrue beside\n"
    for found in (done, child):
        assert (expected, 0) == (found.stdout, found.returncode), found.stderr
        assert "Error processing line 1 of /onebin/lib/python3" in found.stderr
        assert found.stderr.endswith("Remainder of file ignored\n")
        assert 1 == found.stderr.count("no_such_module")
