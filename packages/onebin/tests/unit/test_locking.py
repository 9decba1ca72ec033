"""Writing a lock: its hash is that of the very file a build uses."""

import hashlib
import io
import tarfile
import zipfile
from pathlib import Path

import pytest

from onebin import pipeline
from onebin.effects.process import run
from onebin.errors import ProjectError
from onebin.inputs.directory import Directory

from .conftest import Put
from .fakes import tools

METADATA = "Metadata-Version: 2.1\nName: picked\nVersion: 1\n"


@pytest.fixture
def shelf(shelf: Path) -> Path:
    """Put one distribution on the index, as a pure wheel and as source."""
    folder = shelf
    with zipfile.ZipFile(folder / "picked-1-py3-none-any.whl", "w") as archive:
        archive.writestr("picked-1.dist-info/METADATA", METADATA)
        archive.writestr("picked-1.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
    with tarfile.open(folder / "picked-1.tar.gz", "w:gz") as tar:
        info = tarfile.TarInfo("picked-1/PKG-INFO")
        info.size = len(METADATA)
        tar.addfile(info, io.BytesIO(METADATA.encode()))
    return folder


@pytest.mark.parametrize(
    ("setting", "used"), [("[]", "picked-1-py3-none-any.whl"), ('["Picked"]', "picked-1.tar.gz")]
)
def test_lock_has_the_file_that_is_used(
    shelf: Path, tmp_path: Path, setting: str, used: str
) -> None:
    """A pure wheel, or the source if the project requires it: the build then finds that file."""
    (tmp_path / "pyproject.toml").write_text(
        '[project]\nname = "app"\ndependencies = ["picked"]\nscripts = { app = "app:main" }\n'
        f"[tool.onebin]\nfrom-source = {setting}\n"
    )
    project = Directory(tmp_path).project(with_code=False)

    lock = pipeline.write_lock(project, tools(tmp_path / "cache", run))

    sha256 = hashlib.sha256((shelf / used).read_bytes()).hexdigest()
    assert f"picked==1 --hash=sha256:{sha256}" == lock.read_text().splitlines()[-1]


@pytest.mark.parametrize("order", [("everywhere", "older"), ("older", "everywhere")])
def test_versions_for_an_older_series(
    put_wheel: Put, tmp_path: Path, order: tuple[str, str]
) -> None:
    """A dependency that the newest Python cannot have decides the series; that is printed."""
    put_wheel("everywhere")
    metadata = "Metadata-Version: 2.1\nName: older\nVersion: 1\nRequires-Python: <3.14\n"
    put_wheel("older", more={"older-1.dist-info/METADATA": metadata})
    (tmp_path / "pyproject.toml").write_text(
        f'[project]\nname = "app"\ndependencies = {list(order)}\nscripts = {{ app = "app:main" }}\n'
    )
    project = Directory(tmp_path).project(with_code=False)

    printed = io.StringIO()
    lock = pipeline.write_lock(project, tools(tmp_path / "cache", run, printed))

    assert "older==1" in lock.read_text()
    assert "Python 3.13: versions are for it, since older" in printed.getvalue()


def test_a_version_for_no_series(shelf: Path, tmp_path: Path) -> None:
    """The error is that of the newest Python."""
    (tmp_path / "pyproject.toml").write_text(
        '[project]\nname = "app"\ndependencies = ["absent"]\nscripts = { app = "app:main" }\n'
    )
    project = Directory(tmp_path).project(with_code=False)

    with pytest.raises(ProjectError, match=r"absent: no version of it is for Python 3\.14"):
        pipeline.write_lock(project, tools(tmp_path / "cache", run))
