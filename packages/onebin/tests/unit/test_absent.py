"""Imports that must fail, found in a project's source before anything is built."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onebin import cli
from onebin.distributions.modules import is_like
from onebin.inputs.absent import absent, fault, start
from onebin.model import EntryPoint, Pin

START = EntryPoint("app.cli", "main")


def write(root: Path, files: dict[str, str]) -> Path:
    """Write modules."""
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


def found(root: Path, files: dict[str, str], known: str = "", series: str = "3.14") -> list[str]:
    """Return module and place of each absent import."""
    write(root, {"app/__init__.py": "", **files})
    items = absent(root, START, series, known.split().__contains__)
    return [f"{item.module} {item.place}" for item in items]


CERTAIN = {
    "import": ("import gone", "gone"),
    "below": ("import gone.far.away", "gone"),
    "as": ("import json, gone as g", "gone"),
    "from": ("from gone import x", "gone"),
    "own": ("import app.gone", "app.gone"),
    "relative": ("from . import cli\nfrom .gone import x", "app.gone"),
    "through": ("from app import helper", "deep"),
    "removed": ("import cgi", "cgi"),
    "after a try": ("try:\n    import x\nexcept ImportError:\n    x = None\nimport gone", "gone"),
}


@pytest.mark.parametrize("case", CERTAIN)
def test_certain(tmp_path: Path, case: str) -> None:
    """Each ends the program at its start; Python agrees, but for modules it still has."""
    text, module = CERTAIN[case]
    text += "\ndef main(): ...\n"

    (item,) = found(tmp_path, {"app/cli.py": text, "app/helper.py": "import json\nimport deep\n"})

    place = "app/helper.py:2" if case == "through" else "app/cli.py:"
    assert item.startswith(f"{module} {place}")
    if case != "removed":
        call = [sys.executable, "-c", "import app.cli"]
        done = subprocess.run(call, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert "ModuleNotFoundError" in done.stderr


PERHAPS = [
    "try:\n    import gone\nexcept ImportError:\n    gone = None",
    "try:\n    import gone\nfinally:\n    pass",
    "if len('a') > 2:\n    import gone",
    "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import gone",
    "def f():\n    import gone",
    "class A:\n    def f(self): import gone",
    "from contextlib import suppress\nwith suppress(ImportError):\n    import gone",
    "import sys\nsys.path.insert(0, 'lib')\nimport gone",
    "from sys import path\npath.append('lib')\nimport gone",
    "import sys, types\nsys.modules['gone'] = types.ModuleType('gone')\nimport gone",
    "raise SystemExit(1)\nimport gone",
    "import known.below",
    "import app.table",
    "from app import anything",
    "from app.space import thing",
    "import annotationlib, compression.zstd, os.path, json.decoder, __main__",
    "from .. import gone",
    "import native",
]


@pytest.mark.parametrize("text", PERHAPS)
def test_perhaps(tmp_path: Path, text: str) -> None:
    """An import that may never run, or may be found elsewhere, is left to the build."""
    files = {"app/cli.py": f"{text}\n", "app/table.py": "", "app/space/thing.py": "",
             "app/never_imported.py": "import gone", "native.abi3.so": ""}  # fmt: skip

    assert [] == found(tmp_path, files, "known")


def test_version_decides(tmp_path: Path) -> None:
    """A module that was removed is there in an older series."""
    assert [] == found(tmp_path, {"app/cli.py": "import cgi"}, series="3.12")
    assert [] == found(tmp_path, {"app/cli.py": "import cgi"}, "cgi")
    assert ["cgi app/cli.py:1"] == found(tmp_path, {"app/cli.py": "import cgi"}, series="3.13")


def test_fault_has_chain_place_and_remedy(tmp_path: Path) -> None:
    """As a traceback would, before anything is built."""
    write(tmp_path, {"app/__init__.py": "", "app/cli.py": "from app import helper",
                     "app/helper.py": "import reqests"})  # fmt: skip

    (item,) = absent(tmp_path, START, "3.14", lambda _: False)

    error = fault(item, ["requests", "app"])
    assert "app/helper.py:1: imports reqests, which nothing provides (app.cli -> app.helper)" == (
        str(error)
    )
    assert error.hint.startswith("did you mean requests? if not, add the distribution")


@pytest.mark.parametrize(
    ("module", "message", "hint"),
    [
        ("telnetlib", "telnetlib, which Python 3.13 and newer do not have", "standard-telnetlib"),
        ("imp", "imp, which Python 3.12 and newer do not have", "do without it"),
        ("src", "src, which nothing provides", "import them without it"),
        ("pkg_resources", "pkg_resources, which nothing provides", "add setuptools<82 to"),
    ],
)
def test_module_that_was_there_once(tmp_path: Path, module: str, message: str, hint: str) -> None:
    """Of the standard library or of a distribution: the hint has its name."""
    write(tmp_path, {"app/__init__.py": "", "app/cli.py": f"import {module}"})

    (item,) = absent(tmp_path, START, "3.14", lambda _: False)

    error = fault(item, ["app"])
    assert str(error) == f"app/cli.py:1: imports {message}"
    assert hint in error.hint


def test_module_beside_a_script(tmp_path: Path) -> None:
    """A script's helper comes from no distribution: the hint packs both."""
    write(tmp_path, {"tool.py": "import helper"})

    (item,) = absent(tmp_path, EntryPoint("tool", ""), "3.14", lambda _: False)
    error = fault(item, ["tool"], ["helper", "tool"])

    assert "tool.py:1: imports helper, which is beside the script" == str(error)
    assert '[tool.onebin] with entry-point = "-m tool"' in error.hint


def test_module_of_the_project_comes_from_no_distribution(tmp_path: Path) -> None:
    """A version file that nothing has generated yet comes from no dependency."""
    write(tmp_path, {"app/__init__.py": "", "app/cli.py": "from app._version import version"})

    (item,) = absent(tmp_path, START, "3.14", lambda _: False)
    error = fault(item, ["app"])

    assert "app/cli.py:1: imports app._version, which is not in the project" == str(error)
    assert "generated" in error.hint


@pytest.mark.parametrize(
    ("module", "known", "missing"),
    [
        ("app.cli", "", ""),
        ("app.gone", "", ""),
        ("spread.cli", "", ""),
        ("other.cli", "", "other"),
        ("other.cli", "other", ""),
        ("http.server", "", ""),
        ("idlelib.idle", "", "idlelib"),
    ],
)
def test_start_that_nothing_provides(module: str, known: str, missing: str, tmp_path: Path) -> None:
    """The wheel of a project may lack the package that its folder shows."""
    write(tmp_path, {"app/__init__.py": "", "app/cli.py": "", "spread/x/a.py": ""})
    entry = EntryPoint(module, "main")

    error = start(tmp_path, entry, "3.14", known.split().__contains__)

    assert bool(missing) == (error is not None)
    if error is not None:
        assert str(error).endswith(f"neither the project nor a dependency has {missing}")
        assert "the project has 'app', 'spread'" in error.hint
    (tmp_path / "more.pth").write_text("folder")
    assert start(tmp_path, entry, "3.14", lambda _: False) is None


def test_five_kinds_of_obstacle_at_once(
    put_wheel: Callable[..., Pin],
    put_source: Callable[..., Pin],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """Rust, no file for this platform, no Python, a missing module, a wrong start: all named."""
    monkeypatch.setenv("ONEBIN_CACHE", str(tmp_path / "cache"))
    rust = '[build-system]\nrequires = ["maturin>=1"]\nbuild-backend = "maturin"\n'
    pins = [put_source("rusty", **{"pyproject.toml": rust}), put_wheel("plain"),
            put_wheel("windows", tag="cp314-cp314-win_amd64")]  # fmt: skip
    root = write(
        tmp_path / "project",
        {
            "pyproject.toml": '[project]\nname = "app"\nrequires-python = "<3.9"\n'
            'dependencies = ["rusty", "plain", "windows"]\nscripts = { app = "app.cli:mian" }\n',
            "app/__init__.py": "",
            "app/cli.py": "import plain\nfrom app import helper\ndef main(): ...",
            "app/helper.py": "import nothing_of_the_kind",
            "onebin.lock": "".join(f"{pin.name}==1 --hash={pin.hashes[0]}\n" for pin in pins),
        },
    )

    statuses = [cli.main(["plan", str(root)]) for _ in range(2)]

    err = capfd.readouterr().err
    assert [2, 2] == statuses
    for text in (
        "rusty 1: its build needs a Rust compiler (maturin)",
        "windows 1: expected a pure-Python wheel or a source distribution; found windows-1-cp314",
        "project.requires-python: '<3.9' allows none of",
        "app/helper.py:1: imports nothing_of_the_kind, which nothing provides (app.cli -> app.hel",
        "app.cli:mian: app.cli has no mian",
    ):
        assert 2 == err.count(f"error: {text}"), text
    assert 10 == err.count("  → ")


@given(st.text(max_size=200))
def test_any_text_is_read(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    """A text that is not Python has no imports; the build reports it."""
    root = tmp_path_factory.mktemp("project")
    (root / "app.py").write_text(text, "utf-8", errors="replace")

    assert isinstance(absent(root, EntryPoint("app", "main"), "3.14", lambda _: True), list)


@pytest.mark.parametrize(
    ("distribution", "module", "expected"),
    [
        ("beautifulsoup4", "bs4", True), ("pillow", "PIL", True), ("pyyaml", "yaml", True),
        ("scikit-learn", "sklearn", True), ("python-dateutil", "dateutil", True),
        ("torch", "nothing_of_the_kind", False), ("orjson", "requests", False),
    ],
)  # fmt: skip
def test_names_alike(distribution: str, module: str, *, expected: bool) -> None:
    """A module may have some letters of its distribution's name."""
    assert expected is is_like(distribution, module)


@pytest.mark.parametrize(
    ("module", "reason", "hint"),
    [
        *((name, "requires Tk", "display") for name in ("tkinter", "turtle", "idlelib")),
        ("tkinter.ttk", "requires Tk", "display"),
        ("venv", "requires pip", "in the function"),
        ("_gdbm", "requires gdbm", "dbm.sqlite3"),
        ("winreg", "of another operating system", "behind a condition"),
        ("msvcrt", "of another operating system", "behind a condition"),
        ("imp", "Python 3.12 and newer do not have", "do without it"),
        ("pkg_resources", "nothing provides", "setuptools<82"),
        ("src.config", "nothing provides", "import them without it"),
    ],
)
def test_standard_modules_that_no_executable_has(
    tmp_path: Path, module: str, reason: str, hint: str
) -> None:
    """Known before a build, with the reason; behind a condition they are fine."""
    write(tmp_path, {"app/__init__.py": "", "app/cli.py": f"import json\nimport {module}\n"})

    (item,) = absent(tmp_path, START, "3.14", lambda _: False)

    error = fault(item, ["winreg2"])
    assert str(error).startswith(f"app/cli.py:2: imports {module.partition('.')[0]}, ")
    assert reason in str(error)
    assert hint in error.hint
    text = f"try:\n    import {module}\nexcept ImportError:\n    pass\n"
    assert [] == found(tmp_path, {"app/cli.py": text})
