"""The project that is built: CPython's own tests as the code of a program, for one release."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

from bench.lib import cpython_source
from bench.lib.harness import MeasureError
from bench.suite import test_modules
from onebin.model import Release

PROGRAM: Final = Path(__file__).with_name("run_tests.py")

PYPROJECT: Final = """\
[project]
name = "cpython-tests"
version = "{version}"
requires-python = "=={series}.*"
dependencies = ["{modules}"]
[project.scripts]
cpython-tests = "run_tests:main"

[tool.onebin]
python = "{version}"
"""

REACHED: Final = '''\
"""Lets all of the standard library be reached; an import that fails here is left out."""


def reach():
    """Never called."""
{imports}
'''


def write(release: Release, folder: Path) -> Path:
    """Write the project of *release* into *folder*, its source fetched once, and return it.

    Raises:
        OnebinError: the source cannot be fetched.
    """
    project = folder / "project"
    tests = project / "src" / "test"
    source = cpython_source.tree(release)
    if not tests.is_dir():
        partial = tests.with_name("test.partial")
        shutil.rmtree(partial, ignore_errors=True)
        shutil.copytree(source / "Lib" / "test", partial)
        partial.rename(tests)
    shutil.copyfile(PROGRAM, project / "src" / PROGRAM.name)
    imports = "".join(
        f"    try:\n        import {name}\n    except ImportError:\n        pass\n"
        for name in standard_library(source / "Lib")
    )
    (project / "src" / "reached.py").write_text(REACHED.format(imports=imports), "utf-8")
    pin = test_modules.write(release, source, folder / "index")
    (project / "onebin.lock").write_text(pin, "utf-8")
    text = PYPROJECT.format(
        version=release.version, series=release.series, modules=test_modules.NAME
    )
    (project / "pyproject.toml").write_text(text, "utf-8")
    return project


def standard_library(folder: Path) -> tuple[str, ...]:
    """Return the modules of the standard library in *folder*, but those that no executable has.

    Tests compute the names of some, so that no import of them is seen.
    """
    left_out = {"test", "idlelib", "tkinter", "turtledemo", "turtle", "ensurepip", "venv"}
    names = []
    for path in sorted(folder.rglob("*.py")):
        parts = path.relative_to(folder).with_suffix("").parts
        if parts[0] in left_out or parts[0] == "site-packages":
            continue
        words = parts[:-1] if parts[-1] == "__init__" else parts
        if all(word.isidentifier() for word in words):
            names.append(".".join(words))
    return tuple(names)


def build(project: Path) -> Path:
    """Build *project*, with onebin's progress on stderr, and return the executable.

    Raises:
        MeasureError: it cannot be built.
    """
    program = project.parent / "cpython-tests"
    command: list[str | Path] = [sys.executable, "-m", "onebin", "build", project, "-o", program]
    places = f"{project.parent / 'index'} {os.environ.get('PIP_FIND_LINKS', '')}"
    env = {**os.environ, "PIP_FIND_LINKS": places.strip()}
    if subprocess.run(command, env=env, stdout=subprocess.DEVNULL, check=False).returncode:
        raise MeasureError(f"{project}: onebin does not build it")
    return program
