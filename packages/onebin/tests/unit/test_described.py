"""A program that the index has as a source distribution alone: described by its files."""

from pathlib import Path

import pytest

from onebin import inputs
from onebin.effects.process import run
from onebin.errors import ProjectError
from onebin.planning import require_start

from .conftest import Put
from .fakes import context

INFO = "Metadata-Version: 2.1\nName: tool\nVersion: 1\nProvides-Extra: more\n\nText\n"
POETRY = '[tool.poetry.scripts]\ntool = "tool.main:run"\nodd = {callable = "x"}\n'


@pytest.mark.claim("plan and lock run nothing")
@pytest.mark.parametrize(
    "files",
    [
        {"tool.egg-info/entry_points.txt": "[console_scripts]\ntool = tool.main:run\n"},
        {"src/tool.egg-info/entry_points.txt": "[console_scripts]\ntool = tool.main:run [more]\n"},
        {"pyproject.toml": '[project]\nname = "tool"\n[project.scripts]\ntool="tool.main:run"\n'},
        {"pyproject.toml": POETRY},
    ],
    ids=["setuptools", "src", "project", "poetry"],
)
def test_scripts(put_source: Put, tmp_path: Path, files: dict[str, str]) -> None:
    """Of each back end; the program is the distribution in the version that was fetched."""
    mark = tmp_path / "ran"
    put_source("tool", **{"PKG-INFO": INFO, "setup.py": f"open({str(mark)!r}, 'w')"}, **files)

    found = inputs.from_index("tool[more]>=1", "x86_64", context(tmp_path / "c", run)).project()

    assert ("tool", "1", "tool.main", "run") == (
        found.name, found.version, found.entry.module, found.entry.function,
    )  # fmt: skip
    assert ("tool[more]==1",) == found.dependencies
    assert found.is_distribution
    assert not mark.exists()


PROGRAM = "#!/usr/bin/env python3\nimport tool\n"


@pytest.mark.claim("plan and lock run nothing")
@pytest.mark.parametrize(
    ("files", "starts"),
    [
        ({"setup.py": "setup(scripts=['bin/tool'])"}, ("tool",)),
        ({"setup.py": "setup(scripts=('bin/tool', x, 3))"}, ("tool",)),
        ({"setup.cfg": "[options]\nscripts =\n  bin/tool\n"}, ("tool",)),
        ({"pyproject.toml": "[tool.setuptools]\nscript-files = ['bin/tool', 3]"}, ("tool",)),
        ({"setup.py": "setup(scripts=['bin/tool', 'bin/a'])", "bin/a": PROGRAM}, ("a", "tool")),
        # Outside, not there, or known to a run alone.
        ({"setup.py": "setup(scripts=['/etc/passwd', '../../x', 'gone', '.', '\\0'])"}, ()),
        ({"setup.py": f"setup(scripts=['{'x' * 300}', 'bin/tool/{'x/' * 3000}'])"}, ()),
        ({"setup.py": "setup(scripts=glob('bin/*'))"}, ()),
        ({"setup.py": "setup(scripts=["}, ()),
        ({"setup.cfg": "scripts"}, ()),
        ({"pyproject.toml": "tool = 3"}, ()),
    ],
)
def test_script_files(
    put_source: Put, tmp_path: Path, files: dict[str, str], starts: tuple[str, ...]
) -> None:
    """Those that the settings of setuptools name; one in Python is a start."""
    put_source("tool", **{"PKG-INFO": INFO, "bin/tool": PROGRAM, **files})

    found = inputs.from_index("tool", "x86_64", context(tmp_path / "cache", run)).project()

    assert starts == found.starts
    assert (found.start_fault is None) is bool(starts)
    assert found.entry.text == (PROGRAM if starts else "")


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"setup.py": ""}, "without metadata"),
        ({"PKG-INFO": INFO.replace("Provides-Extra: more\n", "")}, "has no extra 'more'"),
        ({"PKG-INFO": INFO, "pyproject.toml": "["}, "no entry point"),
    ],
)
def test_refusals(put_source: Put, tmp_path: Path, files: dict[str, str], message: str) -> None:
    """Each names the file, and what to do."""
    put_source("tool", **files)

    with pytest.raises(ProjectError, match=message):
        require_start(
            inputs.from_index("tool[more]", "x86_64", context(tmp_path / "cache", run)).project()
        )
