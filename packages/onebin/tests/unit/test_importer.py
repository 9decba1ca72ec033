"""The importer inside an executable gives modules what CPython's own search of folders gives."""

import json
import py_compile
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(scope="module")
def facts(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What both find in the standard library and in a package without its source."""
    place = tmp_path_factory.mktemp("importer")
    package = place / "package"
    package.mkdir()
    for name in ("__init__", "module"):
        source = place / f"{name}.py"
        source.write_text(f"name = {name!r}\n")
        py_compile.compile(str(source), cfile=str(package / f"{name}.pyc"), doraise=True)
    program = Path(__file__).with_name("importer_facts.py")
    done = subprocess.run(
        [sys.executable, program, place], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_module_is_found_as_cpython_finds_it(facts: Any) -> None:
    """Sources and code alone, packages and modules; a missing one is not found."""
    assert facts["found"] == facts["expected"]
    assert [one is None for one in facts["found"]] == [False] * 6 + [True]


def test_a_c_module_of_a_distribution_has_a_file(facts: Any) -> None:
    """It is linked in, and described as the import of a shared object describes it."""
    assert facts["in C"] == facts["in C expected"]
    assert facts["of CPython"]


def test_the_modules_of_the_start_have_files(facts: Any) -> None:
    """CPython gives its own frozen modules none; debuggers and coverage need them."""
    assert facts["files"] == facts["files expected"]


def test_a_changed_path_of_a_package_decides(facts: Any) -> None:
    assert facts["elsewhere"]
    assert facts["in its folder"]


def test_a_folder_that_comes_first_is_searched_first(facts: Any) -> None:
    """As under an ordinary interpreter; so is a hook of the program's own."""
    assert facts["before"] == "this.py"
    assert facts["hooked"]


def test_names_of_site_are_there(facts: Any) -> None:
    """Doc/library/constants.rst: added by the module site, which does not run."""
    assert facts["first"]
    assert facts["builtins"] == ["Use exit() or Ctrl-D (i.e. EOF) to exit", True]
