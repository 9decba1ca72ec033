"""The package index, stood in for by a folder: pip runs for the executable's Python, not ours."""

import hashlib
import io
import os
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from onebin.effects import index
from onebin.effects.process import run
from onebin.errors import ProjectError, ToolError
from onebin.model import Pin

Shelf = Callable[..., Pin]

BACK_END = "raise SystemExit('a back end ran on the build machine')"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Be the only index pip knows."""
    shelf = tmp_path / "shelf"
    shelf.mkdir()
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(shelf))
    return shelf


@pytest.fixture
def wheel(folder: Path) -> Shelf:
    """Put a wheel on the shelf, with one module of its name."""

    def make(name: str, *requires: str, tag: str = "py3-none-any") -> Pin:
        head = f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\nProvides-Extra: more\n"
        metadata = head + "".join(f"Requires-Dist: {line}\n" for line in requires)
        parts = {
            f"{name}.py": "",
            f"{name}-1.dist-info/METADATA": metadata,
            f"{name}-1.dist-info/WHEEL": f"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: {tag}\n",
        }
        parts[f"{name}-1.dist-info/RECORD"] = "".join(f"{path},,\n" for path in parts)
        with zipfile.ZipFile(folder / f"{name}-1-{tag}.whl", "w") as archive:
            for path, text in parts.items():
                archive.writestr(path, text)
        return Pin(name, "1", ())

    return make


def names(pins: tuple[Pin, ...]) -> list[str]:
    return [pin.name for pin in pins]


def test_markers_are_those_of_the_executable(wheel: Shelf) -> None:
    """What 3.13 on aarch64 needs is chosen, whatever runs the choice; what it has not is not."""
    wheel(
        "app",
        'new; python_version >= "3.13"',
        'exact; python_full_version == "3.13.5" and platform_machine == "aarch64"',
        'old; python_version < "3.13"',
        'elsewhere; sys_platform == "win32"',
        'wanted; extra == "more"',
    )
    for name in ("new", "exact", "wanted"):
        wheel(name)

    pins = index.resolve(["app[more]"], python="3.13", machine="aarch64", run=run)

    assert ["app", "exact", "new", "wanted"] == names(pins)


def test_direct_requirement_with_a_marker(wheel: Shelf) -> None:
    """Markers of the project's own requirements count in the same way."""
    wheel("new")
    asked = ['new; python_version >= "3.13"', 'old; python_version < "3.13"']

    assert ["new"] == names(index.resolve(asked, python="3.13", machine="x86_64", run=run))


def test_build_requirements_obey_markers_too(wheel: Shelf, tmp_path: Path) -> None:
    """A back end gets what it asks for in the Python it will run in."""
    wheel("tool", 'helper; python_version >= "3.13"')
    wheel("helper")
    site = tmp_path / "site"

    index.install_pure(
        ["tool", 'old; python_version < "3.13"'], [], site,
        python="3.13", machine="x86_64", run=run,
    )  # fmt: skip

    assert {"tool.py", "helper.py"} == {file.name for file in site.glob("*.py")}


def test_build_requirement_that_must_be_built_is_named(wheel: Shelf, tmp_path: Path) -> None:
    """A tool with compiled wheels alone cannot be had, and the error is its requirement."""
    wheel("maker", tag="cp313-cp313-manylinux_2_28_x86_64")

    with pytest.raises(index.NoMatchError, match="maker>=1"):
        index.install_pure(
            ["maker>=1"], [], tmp_path / "site", python="3.13", machine="x86_64", run=run
        )


def test_source_distribution_is_fetched_and_none_of_it_runs(folder: Path, tmp_path: Path) -> None:
    """Neither its back end nor what that would need is asked for: PKG-INFO names it."""
    parts = {
        "PKG-INFO": "Metadata-Version: 2.1\nName: odd\nVersion: 1\nRequires-Python: >=3.99\n",
        "setup.py": BACK_END,
        "pyproject.toml": '[build-system]\nrequires = ["nowhere"]\nbuild-backend = "nowhere"\n',
    }
    file = folder / "odd-1.tar.gz"
    with tarfile.open(file, "w:gz") as tar:
        for path, text in parts.items():
            info = tarfile.TarInfo(f"odd-1/{path}")
            info.size = len(text)
            tar.addfile(info, io.BytesIO(text.encode()))
    sha256 = hashlib.sha256(file.read_bytes()).hexdigest()

    found = index.download_source(Pin("odd", "1", (f"sha256:{sha256}",)), tmp_path, run=run)

    assert found is not None
    assert file.read_bytes() == found.read_bytes()


def test_what_there_is_none_of_is_none(wheel: Shelf, tmp_path: Path) -> None:
    """No wheel and no source is an answer, not an error."""
    pin = wheel("compiled", tag="cp313-cp313-manylinux_2_28_x86_64")

    assert index.download_wheel(pin, tmp_path, python="3.13", run=run) is None
    assert index.download_source(pin, tmp_path, run=run) is None


def test_dependency_nobody_has_is_named(folder: Path) -> None:
    """A requirement that cannot be met is one line with what was asked for."""
    with pytest.raises(ProjectError, match="nowhere>3: no version of it"):
        index.resolve(["nowhere>3"], python="3.13", machine="x86_64", run=run)


def test_file_the_lock_does_not_know_is_refused(wheel: Shelf, tmp_path: Path) -> None:
    """Other bytes under the same name and version are not used."""
    wheel("thing")
    pin = Pin("thing", "1", ("sha256:" + "0" * 64,))

    with pytest.raises(ProjectError, match="not one the lock knows"):
        index.download_wheel(pin, tmp_path, python="3.13", run=run)


ASK: dict[str, Callable[[Path], object]] = {
    "choose": lambda _: index.resolve(["x"], python="3.13", machine="x86_64", run=run),
    "download": lambda to: index.download_source(Pin("x", "1", ()), to, run=run),
    "install": lambda to: index.install_pure(
        ["x"], [], to / "site", python="3.13", machine="x86_64", run=run
    ),
}


@pytest.mark.parametrize("what", ASK)
def test_absent_network_is_not_taken_for_an_absent_file(
    what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An index that does not answer is said so; it has not said that it lacks the file."""
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")  # the discard port: closed
    monkeypatch.setenv("PIP_RETRIES", "1")

    with pytest.raises(ToolError, match="the package index cannot be reached"):
        ASK[what](tmp_path)
