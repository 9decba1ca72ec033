"""Writing a lock: its hash is that of the very file a build uses."""

import hashlib
import io
import tarfile
import zipfile
from pathlib import Path

import pytest

from onebin import pipeline
from onebin.effects.process import run
from onebin.inputs.directory import Directory

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
