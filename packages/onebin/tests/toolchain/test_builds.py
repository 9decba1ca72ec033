"""Builds of whole projects: same bytes, C extensions, namespaces, and clear refusals."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from onebin.model import RELEASE

from .conftest import PROJECTS, Build, OnebinRun

BUILD_LOCK = Path(__file__).parents[4] / "requirements" / "build.txt"

pytestmark = pytest.mark.toolchain


def test_stdout_is_the_path_and_nothing_else(onebin: OnebinRun, tmp_path: Path) -> None:
    """A script can read stdout; progress is on stderr, one line per stage."""
    target = tmp_path / "deep" / "app"

    done = onebin("build", PROJECTS / "facts", "--output", target)

    assert f"{target}\n" == done.stdout
    assert "\x1b" not in done.stderr
    # A long stage reports in between; its final line comes at its end.
    ended = [line.split() for line in done.stderr.splitlines() if " s  " in line]
    stages = [words[0] for words in ended]
    assert [
        "plan",
        "toolchain",
        "runtime",
        "distributions",
        "freeze",
        "libraries",
        "link",
    ] == stages
    assert ["app"] == [file.name for file in target.parent.iterdir()]


def test_same_project_elsewhere_gives_the_same_bytes(
    onebin: OnebinRun, build: Build, tmp_path: Path
) -> None:
    """Neither the directory nor the cache of a build changes the result."""
    shutil.copytree(PROJECTS / "facts", tmp_path / "elsewhere")
    target = tmp_path / "facts"

    done = onebin("build", tmp_path / "elsewhere", "--output", target)

    assert 0 == done.returncode, done.stderr
    assert build("facts").read_bytes() == target.read_bytes()


def test_c_extensions_are_captured_without_a_recipe(onebin: OnebinRun, tmp_path: Path) -> None:
    """Two distributions that onebin never names come with their C code, and are locked.

    Their C modules describe themselves as installed ones do: ``__file__``, spec and loader.
    """
    shutil.copytree(PROJECTS / "captured", tmp_path / "captured")
    shutil.copy(BUILD_LOCK, tmp_path / "captured" / "build.lock")
    target = tmp_path / "app"

    done = onebin("build", tmp_path / "captured", "--output", target)

    assert 0 == done.returncode, done.stderr
    assert "choosing versions and writing it" in done.stderr
    assert "no lock pins" not in done.stderr
    lock = (tmp_path / "captured" / "onebin.lock").read_text()
    assert 2 == lock.count("--hash=sha256:")
    answer = json.loads(subprocess.run([target], capture_output=True, check=True).stdout)
    assert {
        "escaped": "&lt;b&gt;",
        "c": ["markupsafe._speedups", "xxhash._xxhash"],
        "hash": "d24ec4f1a98c6e5b",
    } == answer
    facts = [str(Path(__file__).with_name("extension_facts.py")), "markupsafe._speedups"]
    own = subprocess.run([sys.executable, *facts], capture_output=True, check=True)
    inside = subprocess.run(
        ["/onebin/bin/python3", *facts], executable=target, capture_output=True, check=True
    )
    assert json.loads(own.stdout) == json.loads(inside.stdout)


def test_compression_is_in_where_it_is_reached(build: Build) -> None:
    """gzip, zipfile and the CRC of binascii work; a program without them has no zlib."""
    done = subprocess.run([build("zipped")], capture_output=True, check=True)

    expected = {
        "gzip": "abc" * 9,
        "zip": ["a.txt", True],
        "crc": [891568578] * 2,
        "version": "1.3.1",
    }
    assert expected == json.loads(done.stdout)
    message = b"invalid stored block lengths"  # of inflate.c
    assert message in build("zipped").read_bytes()
    assert message not in build("namespace").read_bytes()


def test_namespace_packages_hints_and_exclusions(build: Build) -> None:
    """Plugins named by a pattern are in, excluded ones are not; the exit status passes through."""
    done = subprocess.run([build("namespace"), "--x"], capture_output=True, check=False, text=True)

    assert 3 == done.returncode
    expected = {"found": ["red", "blue"], "left_out": True, "argv": ["--x"]}
    assert expected == json.loads(done.stdout)


@pytest.mark.claim("no interpreter")
@pytest.mark.parametrize("name", ["/onebin/bin/python3", "python3", "/usr/bin/python3", ""])
def test_pruned_program_is_no_interpreter(build: Build, name: str) -> None:
    """Whatever a caller calls it, and whatever the arguments are, it is the program."""
    code = "import os; os._exit(7)"
    done = subprocess.run(
        [name, "-c", code], executable=build("namespace"), capture_output=True, check=False
    )

    assert 3 == done.returncode
    assert ["-c", code] == json.loads(done.stdout)["argv"]


@pytest.mark.parametrize(
    ("name", "status", "message", "hint"),
    [
        (
            "missing-module",
            2,
            "helper.py:1: imports nowhere_to_be_found, which nothing provides (app -> helper)",
            "to the dependencies",
        ),
        ("needs-tk", 2, "window.py:1: imports tkinter, which requires Tk", "without a display"),
        ("broken-syntax", 2, "app", "line 1"),
        ("typo", 2, "tool.onebin.exlude: no such setting", "did you mean exclude?"),
        ("two-scripts", 2, "no entry point", "tool.onebin.entry-point"),
        ("no-lock-entry", 2, "markupsafe not at all", "onebin lock"),
    ],
)
def test_project_that_cannot_be_built(
    onebin: OnebinRun, tmp_path: Path, name: str, status: int, message: str, hint: str
) -> None:
    """The error names the thing, the hint is one line; no partial result is left."""
    target = tmp_path / "out" / "app"

    done = onebin("build", PROJECTS / name, "--output", target)

    assert status == done.returncode
    assert message in done.stderr
    assert hint in done.stderr
    assert "Traceback" not in done.stderr
    assert not done.stdout
    assert not target.parent.exists()


def test_read_only_output_is_reported(onebin: OnebinRun, tmp_path: Path) -> None:
    """A directory in the executable's place stays, and so does a file in its folder's."""
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "kept").touch()
    for place in (tmp_path / "full", tmp_path / "full" / "kept" / "app"):
        done = onebin("build", PROJECTS / "facts", "--output", place)
        assert 1 == done.returncode
        assert "Traceback" not in done.stderr
        assert f"{tmp_path}/full" in done.stderr.splitlines()[-1 if "→" not in done.stderr else -2]

    assert ["kept"] == [file.name for file in (tmp_path / "full").iterdir()]


def test_plan_lists_the_steps(onebin: OnebinRun) -> None:
    """A plan needs no compiler and no network, and is JSON for machines."""
    done = onebin("plan", PROJECTS / "facts", "--json")

    plan = json.loads(done.stdout)
    assert RELEASE == plan["python"]["version"]
    assert [] == plan["distributions"]


def test_image_twice_is_the_same_image(onebin: OnebinRun, tmp_path: Path) -> None:
    """Two directories and two times give one digest."""
    digests = set()
    for place in ("one", "two"):
        shutil.copytree(PROJECTS / "facts", tmp_path / place)
        done = onebin("image", tmp_path / place)
        assert 0 == done.returncode, done.stderr
        digests.add(done.stdout)
        made = {file.name for file in (tmp_path / place / "dist").iterdir()}
        assert {"facts.oci", "facts.tar"} == made

    assert 1 == len(digests)
    assert digests.pop().startswith("facts@sha256:")


SCRIPT_FILE = """\
#!python
# coding: latin-1
'''Usage: é'''
from __future__ import annotations
import json, sys
try:
    import other
except ImportError:
    other = None
import made
if __name__ == "__main__":
    print(json.dumps([__doc__, made.name, other.name, sys.argv[1:], sys.argv[0] == sys.argv[2]]))
    sys.exit(3)
"""


BACK_END = """\
import zipfile

def build_wheel(folder, settings=None, metadata=None):
    with zipfile.ZipFile(f"{folder}/made-7-py3-none-any.whl", "w") as archive:
        archive.write("tool", "made-7.data/scripts/tool")
        archive.writestr("made-7.data/scripts/tool.sh", "#!/bin/sh\\n")
        head = "Metadata-Version: 2.1\\nName: made\\nVersion: 7\\n"
        archive.writestr("made-7.dist-info/METADATA", head)
        archive.writestr("made-7.dist-info/RECORD", "")
        archive.writestr("made.py", "name = 'made'\\n")
        archive.writestr("other.py", "name = 'other'\\n")
    return "made-7-py3-none-any.whl"
"""


@pytest.mark.parametrize("prune", ["nothing", "reachable"])
def test_a_script_file_is_a_start(onebin: OnebinRun, tmp_path: Path, prune: str) -> None:
    """As setuptools' ``scripts`` make it: its imports bring modules in, beyond the package."""
    folder, target = tmp_path / "made", tmp_path / "app"
    folder.mkdir()
    (folder / "tool").write_bytes(SCRIPT_FILE.encode("latin-1"))
    (folder / "back.py").write_text(BACK_END)
    (folder / "pyproject.toml").write_text(
        '[project]\nname = "made"\nversion = "7"\n[build-system]\nrequires = []\n'
        'build-backend = "back"\nbackend-path = ["."]\n'
        f'[tool.onebin]\nprune = "{prune}"\n'
    )

    planned = onebin("plan", folder)
    done = onebin("build", folder, "--output", target)

    rows = dict(line.split(maxsplit=1) for line in planned.stdout.splitlines()[:2])
    assert "tool, a script file" == rows["starts"]
    assert "no starts       tool.sh: a shell script\n" in planned.stdout
    assert 0 == done.returncode, done.stderr
    ran = subprocess.run([target, "a", target], capture_output=True, check=False, text=True)
    assert (3, "") == (ran.returncode, ran.stderr)
    doc = "Usage: é" if prune == "nothing" else None
    assert [doc, "made", "other", ["a", str(target)], True] == json.loads(ran.stdout)


PLACED = {
    "pyproject.toml": """\
[project]
name = "placed"
version = "1"
[project.scripts]
placed = "placed:main"
[build-system]
requires = ["setuptools"]
build-backend = "setuptools.build_meta"
[tool.setuptools]
packages = ["placed"]
package-data = {placed = ["*.txt"]}
ext-modules = [{name = "placed._c", sources = ["c.c"]}]
[tool.onebin]
build-lock = "build.lock"
""",
    "c.c": """\
#include <Python.h>
static int made(PyObject *module) {
    PyObject *file = PyObject_GetAttrString(module, "__file__");
    return file ? PyModule_AddObjectRef(module, "file", file) : -1;
}
""",
    "placed/data.txt": "data",
    "placed/__init__.py": """\
from pathlib import Path
from . import _c
def main():
    print(_c.file, Path(_c.file).with_name("data.txt").read_text())
""",
}


PHASES = {
    "multi": """\
static PyModuleDef_Slot slots[] = {{Py_mod_exec, made}, {0, NULL}};
static PyModuleDef definition = {PyModuleDef_HEAD_INIT, "_c", .m_slots = slots};
PyMODINIT_FUNC PyInit__c(void) { return PyModuleDef_Init(&definition); }
""",
    "single": """\
static PyModuleDef definition = {PyModuleDef_HEAD_INIT, "placed._c", .m_size = -1};
PyMODINIT_FUNC PyInit__c(void) {
    PyObject *module = PyModule_Create(&definition);
    return module && made(module) ? NULL : module;
}
""",
}


@pytest.mark.parametrize("phases", PHASES)
def test_c_code_may_read_the_file_of_its_module(
    onebin: OnebinRun, tmp_path: Path, phases: str
) -> None:
    """As Cython's and mypyc's does, while the module is made: in the build and in the program."""
    folder, target = tmp_path / "placed", tmp_path / "app"
    (folder / "placed").mkdir(parents=True)
    for name, text in PLACED.items():
        (folder / name).write_text(text)
    with (folder / "c.c").open("a") as code:
        code.write(PHASES[phases])
    shutil.copy(BUILD_LOCK, folder / "build.lock")

    done = onebin("build", folder, "--output", target)

    assert 0 == done.returncode, done.stderr
    ran = subprocess.run([target], capture_output=True, check=True, text=True)
    file, data = ran.stdout.split()
    assert file.rpartition("site-packages/")[2].startswith("placed/_c.cpython-")
    assert "data" == data
