"""A project of each build back end is planned as its own wheel has it; the index is real."""

from pathlib import Path

import pytest

from onebin import decide, inputs, requirement
from onebin.inputs import Given
from onebin.model import target_environment
from onebin.tools import Tools

pytestmark = pytest.mark.toolchain

PROJECTS = Path(__file__).parent.parent / "projects" / "back-ends"

EXPECTED = {
    "setuptools-src": ("st-app", "4.5", "st_app.cli:main", ["click"], "st_app/cli.py"),
    "hatch-ns": ("hatch-ns", "2", "outer.inner.app:main", [], "outer/inner/app.py"),
    "flit-app": ("flit-app", "0.3", "flit_app:main", [], "flit_app.py"),
    "poetry-old": ("poetry-old", "1.2.3", "thing:main", ["rich"], "thing/__init__.py"),
    "pdm-app": ("pdm-app", "1", "pdm_app:main", [], "pdm_app/__init__.py"),
    "uv-app": ("uv-app", "1", "uvpkg:main", [], "uvpkg/__init__.py"),
    "old-setup": ("old-setup", "9", "oldpkg:main", [], "oldpkg/__init__.py"),
}


@pytest.mark.parametrize("name", EXPECTED)
def test_project_is_what_its_back_end_makes(name: str) -> None:
    """Name, version, start, dependencies and code: layouts and dynamic versions included."""
    folder, tools = PROJECTS / name, Tools.for_this_machine()
    before = sorted(folder.rglob("*"))
    given = Given(entry_point="thing" if name == "poetry-old" else "")

    read = inputs.find(folder, given, tools.context).project()

    start = f"{read.entry.module}:{read.entry.function}"
    markers = target_environment(tools.machine)
    needed = [item.name for item in requirement.wanted(read.dependencies, markers, where=name)]
    assert EXPECTED[name][:4] == (read.name, read.version, start, needed)
    assert (read.code / EXPECTED[name][4]).is_file()
    assert before == sorted(folder.rglob("*"))


def test_program_of_the_index() -> None:
    """A requirement is a program: its wheel's scripts, its dependencies."""
    tools = Tools.for_this_machine()

    read = inputs.from_index(
        "httpie==3.2.4", tools.machine, tools.context, Given(entry_point="http")
    ).project()

    assert ("httpie", "3.2.4") == (read.name, read.version)
    assert "httpie.__main__" == read.entry.module
    plan = decide.make_plan(read, tools)
    assert not plan.obstacles
