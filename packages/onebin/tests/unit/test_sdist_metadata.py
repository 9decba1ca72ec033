"""What a source distribution states of its requirements: for versions, none of its code runs."""

import importlib.util
import io
import sys
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from onebin import target
from onebin.effects import versions
from onebin.effects.process import run
from onebin.errors import ProjectError
from onebin.model import Pin

FILE = Path(target.__file__).with_name("sdist_metadata.py")
SPEC = importlib.util.spec_from_file_location("sdist_metadata", FILE)
assert SPEC
assert SPEC.loader
sdist_metadata = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(sdist_metadata)

Put = Callable[..., Pin]

INFO = "Metadata-Version: 2.1\nName: odd\nVersion: 1\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("a\nb>=1,<2\n", ["Requires-Dist: a", "Requires-Dist: b>=1,<2"]),
        (
            '[:python_version < "3"]\nenum34\n',
            ['Requires-Dist: enum34 ; (python_version < "3")'],
        ),
        (
            "a\n\n[fast]\nb[c]>1\n",
            ["Requires-Dist: a", "Provides-Extra: fast", 'Requires-Dist: b[c]>1 ; extra == "fast"'],
        ),
        (
            '[fast:os_name == "nt"]\nb\n',
            [
                "Provides-Extra: fast",
                'Requires-Dist: b ; (os_name == "nt") and extra == "fast"',
            ],
        ),
    ],
)
def test_requires_of_setuptools(text: str, expected: list[str]) -> None:
    """Each section is a condition of the lines below it."""
    assert expected == list(sdist_metadata.of_requires(text))


@pytest.mark.parametrize("ending", [".tar.gz", ".zip"])
@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"PKG-INFO": INFO + "Requires-Dist: a\n\nRequires-Dist: no\n"}, ["Requires-Dist: a"]),
        (
            {"PKG-INFO": INFO, "odd.egg-info/requires.txt": "a\n", "t/PKG-INFO": "Name: other\n"},
            ["Requires-Dist: a"],
        ),
        ({"PKG-INFO": INFO, "src/odd.egg-info/requires.txt": "a\n"}, ["Requires-Dist: a"]),
        ({"PKG-INFO": INFO + "Requires-Dist: a\n"
          ' ; os_name == "x"\n'}, ['Requires-Dist: a ; os_name == "x"']),
        ({"setup.py": "raise SystemExit"}, []),
    ],
)  # fmt: skip
def test_stated(tmp_path: Path, files: dict[str, str], expected: list[str], ending: str) -> None:
    """By the core metadata of the sdist, else by what setuptools wrote beside it."""
    archive = tmp_path / f"odd-1{ending}"
    if ending == ".zip":
        with zipfile.ZipFile(archive, "w") as packed:
            for name, text in files.items():
                packed.writestr(f"odd-1/{name}", text)
    else:
        with tarfile.open(archive, "w:gz") as tar:
            for name, text in files.items():
                info = tarfile.TarInfo(f"odd-1/{name}")
                info.size = len(text)
                tar.addfile(info, io.BytesIO(text.encode()))

    assert ("odd", "1", expected) == sdist_metadata.stated(str(archive), archive.name)


@pytest.mark.parametrize("name", ["odd-1.whl", "odd-1.exe", "odd"])
def test_no_source(tmp_path: Path, name: str) -> None:
    """Another file states nothing."""
    (tmp_path / name).write_bytes(b"\0")

    assert sdist_metadata.stated(str(tmp_path / name), name) is None
    assert sdist_metadata.stated(str(tmp_path / name), "odd-1.tar.gz") is None


def test_versions_of_sources_without_wheels(
    put_source: Put, put_wheel: Put, tmp_path: Path
) -> None:
    """Directly and behind a wheel; their own needs are chosen as well."""
    mark = tmp_path / "ran"
    script = f"open({str(mark)!r}, 'w')"
    put_wheel("app", "old-one>=1")
    put_source("old-one", **{
        "PKG-INFO": INFO.replace("odd", "old-one"), "setup.py": script,
        "old_one.egg-info/requires.txt": "needed\n[extra]\nunwanted\n",
    })  # fmt: skip
    put_source("needed", **{"setup.py": script})

    choices = versions.resolve(["app"], tmp_path, python="3.13", machine="x86_64", run=run)

    assert ["app", "needed", "old-one"] == [item.pin.name for item in choices]
    assert not mark.exists()


def test_source_that_needs_an_address(put_source: Put, tmp_path: Path) -> None:
    """It is refused as that of a wheel is."""
    info = INFO.replace("odd", "app") + "Requires-Dist: evil @ file:///tmp/evil.tar.gz\n"
    put_source("app", **{"PKG-INFO": info})

    with pytest.raises(ProjectError, match="evil by an address"):
        versions.resolve(["app"], tmp_path, python="3.13", machine="x86_64", run=run)
    assert "sdist_metadata" not in sys.modules
