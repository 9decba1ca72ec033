"""Distributions built from source, from a local folder beside the real index."""

import hashlib
import io
import json
import os
import re
import subprocess
import tarfile
import textwrap
import zipfile
from pathlib import Path

import pytest

from .conftest import OnebinRun

pytestmark = pytest.mark.toolchain

BUILD_SYSTEM = """
[build-system]
requires = ["setuptools"]
build-backend = "setuptools.build_meta"
"""

SETUP_PY = """
from setuptools import Extension, setup
setup(name={name!r}, version="1", packages=[{name!r}], ext_modules=[{extensions}])
"""

# Templates, inline functions, an exception of the library, a custom one, an object made before
# main: C++ needs more of a linker than C. Both modules define the same ones.
CXX = """
#include <Python.h>
#include <stdexcept>
#include <string>
#include <vector>

static std::string made_before_main = std::string("made-") + "NAME";

struct Own : std::runtime_error { using std::runtime_error::runtime_error; };

static PyObject *
ask(PyObject *, PyObject *argument)
{
    try {
        std::vector<std::string> words{made_before_main, "second"};
        long index = PyLong_AsLong(argument);
        if (index < 0) {
            throw Own("negative in NAME");
        }
        return PyUnicode_FromString(words.at(index).c_str());
    } catch (const Own &own) {
        PyErr_SetString(PyExc_ValueError, own.what());
    } catch (const std::out_of_range &) {
        PyErr_SetString(PyExc_IndexError, "NAME");
    }
    return nullptr;
}

static PyMethodDef methods[] = {{"ask", ask, METH_O, nullptr}, {nullptr, nullptr, 0, nullptr}};
static PyModuleDef module = {PyModuleDef_HEAD_INIT, "_NAME", nullptr, 0, methods};

PyMODINIT_FUNC
PyInit__NAME(void)
{
    return PyModule_Create(&module);
}
"""

C = """
#include <Python.h>

static PyModuleDef module = {PyModuleDef_HEAD_INIT, "_fast", "", 0, NULL};

PyMODINIT_FUNC
PyInit__fast(void)
{
    return PyModule_Create(&module);
}
"""

PICKED = """
try:
    from . import _fast
    how = "C"
except ImportError:
    how = "Python"
"""

APP = """
import json

import picked
import thrower._one, thrower._two


def ask(module, number):
    try:
        return module.ask(number)
    except (ValueError, IndexError) as exc:
        return f"{type(exc).__name__}: {exc}"


def main():
    both = (thrower._one, thrower._two)
    print(json.dumps([picked.how, *(ask(m, n) for m in both for n in (0, 7, -1))]))
"""

PYPROJECT = """
[project]
name = "app"
version = "1"
dependencies = ["picked", "thrower"]

[project.scripts]
app = "app:main"

[tool.onebin]
from-source = ["Picked"]
allow-unpinned-build-requirements = true
"""


def source(folder: Path, name: str, **files: str) -> str:
    """Write a source distribution into *folder* and return its line of a lock."""
    path = folder / f"{name}-1.tar.gz"
    files["PKG-INFO"] = f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n"
    files["pyproject.toml"] = BUILD_SYSTEM
    with tarfile.open(path, "w:gz") as tar:
        for file, text in files.items():
            info = tarfile.TarInfo(f"{name}-1/{file}")
            info.size = len(text)
            tar.addfile(info, io.BytesIO(text.encode()))
    return f"{name}==1 --hash=sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}"


def wheel(folder: Path, name: str, text: str) -> None:
    """Write a pure-Python wheel of one package into *folder*."""
    info = f"{name}-1.dist-info"
    with zipfile.ZipFile(folder / f"{name}-1-py3-none-any.whl", "w") as archive:
        archive.writestr(f"{name}/__init__.py", text)
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give pip a folder beside its usual sources."""
    folder = tmp_path / "shelf"
    folder.mkdir()
    before = os.environ.get("PIP_FIND_LINKS", "")
    monkeypatch.setenv("PIP_FIND_LINKS", f"{before} {folder}".strip())
    return folder


def test_cxx_and_a_wheel_passed_over(onebin: OnebinRun, shelf: Path, tmp_path: Path) -> None:
    """C++ throws, catches and constructs objects; from-source compiles C that the wheel lacks."""
    project, target = tmp_path / "project", tmp_path / "app"
    project.mkdir()
    wheel(shelf, "picked", PICKED)
    picked = SETUP_PY.format(
        name="picked", extensions="Extension('picked._fast', ['picked/fast.c'])"
    )
    thrower = SETUP_PY.format(
        name="thrower",
        extensions="Extension('thrower._one', ['thrower/one.cpp'], language='c++'), "
        # Not declared as C++, and with another compiler's library: a usual mistake.
        "Extension('thrower._two', ['thrower/two.cc'], libraries=['stdc++'])",
    )
    one, two = (CXX.replace("NAME", name) for name in ("one", "two"))
    fast = {"picked/__init__.py": PICKED, "picked/fast.c": C}
    slow = {"thrower/__init__.py": "", "thrower/one.cpp": one, "thrower/two.cc": two}
    lock = [
        source(shelf, "picked", **{"setup.py": picked, **fast}),
        source(shelf, "thrower", **{"setup.py": thrower, **slow}),
    ]
    (project / "onebin.lock").write_text("\n".join(lock))
    (project / "app.py").write_text(textwrap.dedent(APP))
    (project / "pyproject.toml").write_text(PYPROJECT)

    done = onebin("build", project, "--output", target)

    assert 0 == done.returncode, done.stderr
    told = r"picked 1: built with what no lock pins: setuptools==[0-9.]+ --hash=sha256:[0-9a-f]{64}"
    assert re.search(told, done.stderr)
    answer = json.loads(subprocess.run([target], capture_output=True, check=True).stdout)
    expected = ["C"]
    for name in ("one", "two"):
        expected += [f"made-{name}", f"IndexError: {name}", f"ValueError: negative in {name}"]
    assert expected == answer


def test_from_source_without_such_a_dependency(onebin: OnebinRun, tmp_path: Path) -> None:
    """A misspelled name is an error, not a setting without effect."""
    (tmp_path / "app.py").write_text("def main(): ...")
    text = PYPROJECT.replace('["picked", "thrower"]', "[]")
    (tmp_path / "pyproject.toml").write_text(text)

    done = onebin("build", tmp_path, "--output", tmp_path / "out")

    assert 2 == done.returncode
    assert "tool.onebin.from-source: Picked is not among the dependencies" in done.stderr
