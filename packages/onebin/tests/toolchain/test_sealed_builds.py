"""Sources with C in a real build: seals, libraries, and tools that are C themselves."""

import hashlib
import io
import json
import os
import subprocess
import tarfile
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path

import pytest

from onebin.effects.owned import default_root
from onebin.model import RELEASE

from .conftest import OnebinRun

pytestmark = pytest.mark.toolchain

BACK_END = """
import json, os, shutil, subprocess, zipfile


def get_requires_for_build_wheel(settings=None):
    return []


def call(*words):
    done = subprocess.run(words, stdout=subprocess.PIPE, check=False, text=True)
    return done.returncode, done.stdout.split()


def build_wheel(folder, settings=None, metadata=None):
    name = open("name").read()
    compiler = [os.environ["CC"], *os.environ["CFLAGS"].split(), *os.environ["CPPFLAGS"].split()]
    seen = []
    libraries = []
    if name == "thing":
        import maker
        seen = [
            maker.value(), os.path.exists("/usr/include"), os.path.isdir("/usr/lib"),
            [shutil.which(tool) for tool in ("gcc", "xml2-config", "python3.11")],
            call(os.environ["PKG_CONFIG"], "--exists", "openssl")[0],
        ]
        _, libraries = call("pkg-config", "--cflags", "--libs", "zlib")
        compiler += ["-I/usr/include", "-I", "/usr/local/include", "-march=native"]
        call(*compiler, "-c", "own.c", "-o", "own.o")
        call(os.environ["AR"], "rcs", "libown.a", "own.o")
        libraries += ["-L.", "-lown"]
    with open("words", "w") as words:
        words.write("-o " + name + ".so")
    made = [*compiler, "-shared", name + ".c", "@words", *libraries]
    subprocess.run(made, check=True)
    with zipfile.ZipFile(os.path.join(folder, name + "-1-py3-none-any.whl"), "w") as wheel:
        wheel.write(name + ".so")
        wheel.writestr(name + "_seen.py", "SEEN = " + repr(json.dumps(seen)))
        head = "Metadata-Version: 2.1\\nName: " + name + "\\nVersion: 1\\n"
        wheel.writestr(name + "-1.dist-info/METADATA", head)
        wheel.writestr(name + "-1.dist-info/WHEEL", "Wheel-Version: 1.0\\nTag: py3-none-any\\n")
    return name + "-1-py3-none-any.whl"
"""

MODULE = """
#include <Python.h>
{before}
static PyObject *value(PyObject *self, PyObject *none) {{ return {value}; }}
static PyMethodDef methods[] = {{{{"value", value, METH_NOARGS, 0}}, {{0, 0, 0, 0}}}};
static struct PyModuleDef module = {{PyModuleDef_HEAD_INIT, "{name}", 0, -1, methods}};
PyMODINIT_FUNC PyInit_{name}(void) {{ return PyModule_Create(&module); }}
"""

APP = """
import json
import thing, thing_seen


def main():
    print(json.dumps([thing.value(), json.loads(thing_seen.SEEN)]))
"""


def put(folder: Path, name: str, requires: str, files: Mapping[str, str]) -> str:
    """Put the source of *name* on the shelf, and a wheel of another libc; return its sha256."""
    tag = "cp" + "".join(RELEASE.split(".")[:2])
    with zipfile.ZipFile(
        folder / f"{name}-1-{tag}-{tag}-manylinux_2_28_{os.uname().machine}.whl", "w"
    ) as archive:
        head = f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n"
        archive.writestr(f"{name}-1.dist-info/METADATA", head)
        archive.writestr(f"{name}-1.dist-info/WHEEL", f"Wheel-Version: 1.0\nTag: {tag}\n")
    toml = f'[build-system]\nrequires = [{requires}]\nbuild-backend = "backend"\n'
    every = {
        **files, "name": name, "backend.py": BACK_END,
        "pyproject.toml": f'{toml}backend-path = ["."]\n',
    }  # fmt: skip
    file = folder / f"{name}-1.tar.gz"
    with tarfile.open(file, "w:gz") as tar:
        for path, text in every.items():
            info = tarfile.TarInfo(f"{name}-1/{path}")
            info.size = len(text)
            tar.addfile(info, io.BytesIO(text.encode()))
    return hashlib.sha256(file.read_bytes()).hexdigest()


def built_here() -> set[Path]:
    """Return the cached builds of the test below, by a module that no other test has."""
    return {*default_root(os.environ).glob("distribution/*/code/thing_seen.py")}


def test_source_with_a_compiled_build_requirement(
    onebin: OnebinRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tool is built first; libraries come from the build and from onebin, none from here."""
    shelf, project = tmp_path / "shelf", tmp_path / "project"
    shelf.mkdir()
    project.mkdir()
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(shelf))
    plain = MODULE.format(name="maker", before="", value="PyLong_FromLong(5)")
    maker = put(shelf, "maker", "", {"maker.c": plain})
    value = 'Py_BuildValue("iI", own(), (unsigned)crc32(0, (const unsigned char *)"a", 1))'
    before = "#include <zlib.h>\nint own(void);"
    put(shelf, "thing", '"maker"', {
        "thing.c": MODULE.format(name="thing", before=before, value=value),
        "own.c": "int own(void) { return 7; }\n",
        "thing_seen.py": "",
    })  # fmt: skip
    (project / "app.py").write_text(APP)
    (project / "pyproject.toml").write_text(
        '[project]\nname = "app"\ndependencies = ["thing"]\nscripts = { app = "app:main" }\n'
    )

    done = onebin("build", project, "--output", tmp_path / "app")

    assert 0 == done.returncode, done.stderr
    assert f"maker==1 --hash=sha256:{maker}" in (project / "onebin-build.lock").read_text()
    made = built_here()
    with (project / "onebin-build.lock").open("a") as lock:  # as another dependency's build would
        lock.write(f"another==1 --hash=sha256:{maker}\n")
    again = onebin("build", project, "--output", tmp_path / "again")
    assert (0, made) == (again.returncode, built_here())
    printed = subprocess.run([tmp_path / "app"], capture_output=True, check=True).stdout
    assert [[7, zlib.crc32(b"a")], [5, False, False, [None] * 3, 1]] == json.loads(printed)
