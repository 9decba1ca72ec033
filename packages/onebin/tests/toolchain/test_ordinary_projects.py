"""Generated projects, built: their output is as if pip had installed them."""

import json
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import msgspec
import pytest

from ..ordinary import shape as shapes
from ..ordinary import write as writer
from ..ordinary.shape import Shape
from .conftest import OnebinRun

pytestmark = pytest.mark.toolchain

NEAR = """
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"
[project]
name = "near"
dynamic = ["version"]
[tool.hatch.version]
path = "near/__init__.py"
"""

FAR = """
[build-system]
requires = ["setuptools>=77"]
build-backend = "setuptools.build_meta"
[project]
name = "far"
version = "0.8"
[tool.setuptools]
ext-modules = [{ name = "far._c", sources = ["far/_c.c"], optional = true }]
packages = ["far"]
"""

FAR_C = """
#include <Python.h>
static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, "_c", "", -1, 0};
PyMODINIT_FUNC PyInit__c(void) { return PyModule_Create(&definition); }
"""


def call(*argv: str | Path, cwd: Path | None = None) -> str:
    """Run a program and return its stdout."""
    done = subprocess.run(argv, cwd=cwd, capture_output=True, text=True, check=False)
    assert 0 == done.returncode, done.stdout + done.stderr
    return done.stdout


def installed(shape: Shape, root: Path, folder: Path, *more: str) -> str:
    """Install the project with pip, with *more* beside it, and return its output."""
    venv.create(folder, with_pip=True)
    pip = (folder / "bin/python", "-m", "pip", "install", "--quiet")
    call(*pip, "--disable-pip-version-check", *more, root)
    module = shape.package if shape.layout == "module" else f"{shape.package}.cli"
    start: dict[str, tuple[str | Path, ...]] = {
        "script": (folder / "bin/odd-tool",), "gui": (folder / "bin/odd-tool",),
        "scripts": (folder / "bin/second",),
        "function": (folder / "bin/python", "-c", f"from {module} import other; other()"),
        "module": (folder / "bin/python", "-m", shape.package),
    }  # fmt: skip
    return call(*start[shape.start], "a", cwd=folder)


@pytest.mark.sample(every=4)
@pytest.mark.parametrize("seed", range(24))
def test_built_prints_what_installed_prints(onebin: OnebinRun, seed: int, tmp_path: Path) -> None:
    """Each back end, layout, kind of version, start and data; what the plan accepts is built."""
    drawn = shapes.draw(seed)
    kinds = drawn.dependencies - {"folder", "git", "wheel"}
    shape = msgspec.structs.replace(drawn, lock="none", dependencies=kinds)
    root = tmp_path / "project"
    writer.write(shape, root)
    options = writer.entry_point(shape)

    planned = onebin("plan", *options, root)
    built = onebin("build", *options, root, "--output", tmp_path / "app")

    assert (0, 0) == (planned.returncode, built.returncode), planned.stderr + built.stderr
    expected = installed(shape, root, tmp_path / "venv")
    assert json.loads(expected) == json.loads(call(tmp_path / "app", "a", cwd=tmp_path))


def test_dependencies_of_no_index(onebin: OnebinRun, tmp_path: Path) -> None:
    """A folder with a dynamic version, a repository with C code, a wheel: from a pylock.toml."""
    near, far = tmp_path / "near", tmp_path / "far"
    for folder, text in ((near, NEAR), (far, FAR)):
        (folder / folder.name).mkdir(parents=True)
        (folder / "pyproject.toml").write_text(text)
        (folder / folder.name / "__init__.py").write_text('__version__ = "0.7"\n')
    (far / "far" / "_c.c").write_text(FAR_C)
    (far / "far" / "__init__.py").write_text("from far import _c\n")
    git = ("git", "-c", "user.name=a", "-c", "user.email=a@b.invalid")
    for arguments in (("init", "--quiet"), ("add", "."), ("commit", "--quiet", "-m", "one")):
        call(*git, *arguments, cwd=far)
    commit = call(*git, "rev-parse", "HEAD", cwd=far).strip()
    wheel = tmp_path / "built-1-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("built.py", "")
        archive.writestr(
            "built-1.dist-info/METADATA", "Metadata-Version: 2.1\nName: built\nVersion: 1\n"
        )
        archive.writestr("built-1.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr("built-1.dist-info/RECORD", "")
    sha256 = call(sys.executable, "-c", "import hashlib, sys; print(hashlib.sha256(open("
                  "sys.argv[1], 'rb').read()).hexdigest())", wheel).strip()  # fmt: skip
    shape = Shape(back_end="hatchling", dependencies=frozenset({"folder", "git", "wheel"}))
    root = tmp_path / "project"
    writer.write(shape, root)
    (root / "pylock.toml").write_text(
        'lock-version = "1.0"\ncreated-by = "test"\n'
        '[[packages]]\nname = "near"\ndirectory = { path = "../near", editable = true }\n'
        '[[packages]]\nname = "far"\nversion = "0.8"\n'
        f'vcs = {{ type = "git", url = "file://{far}", commit-id = "{commit}" }}\n'
        '[[packages]]\nname = "built"\nversion = "1"\n'
        f'archive = {{ path = "../{wheel.name}", hashes = {{ sha256 = "{sha256}" }} }}\n'
    )

    built = onebin("build", root, "--output", tmp_path / "app")

    assert 0 == built.returncode, built.stderr
    found = json.loads(call(tmp_path / "app"))
    assert ("near", "far", "built") == (found["near"], found["far"], found["built"])


C_PROJECT = {
    "pyproject.toml": '[build-system]\nrequires = ["setuptools>=77"]\n'
    'build-backend = "setuptools.build_meta"\n[project]\nname = "quick"\nversion = "1"\n'
    '[project.scripts]\nquick = "quick.cli:main"\n[tool.setuptools]\n'
    'ext-modules = [{ name = "quick._c", sources = ["src/quick/_c.c"], optional = true }]\n',
    "src/quick/__init__.py": "",
    "src/quick/cli.py": "import importlib.metadata\nfrom quick import _c\n\n\ndef main():\n"
    '    print("C" if _c else "", importlib.metadata.version("quick"))\n',
    "src/quick/_c.c": FAR_C,
}


@pytest.mark.parametrize("fault", ["", "no such statement"])
def test_c_code_of_the_project(onebin: OnebinRun, tmp_path: Path, fault: str) -> None:
    """It is inside, as that of a dependency is; what does not compile is never left out."""
    for name, text in C_PROJECT.items():
        file = tmp_path / "quick" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text + (fault if name.endswith(".c") else ""))

    built = onebin("build", tmp_path / "quick", "--output", tmp_path / "app")

    if fault:
        assert 2 == built.returncode
        assert "p would install: quick._c" in built.stderr
    else:
        assert 0 == built.returncode, built.stderr
        assert "C 1\n" == call(tmp_path / "app")
