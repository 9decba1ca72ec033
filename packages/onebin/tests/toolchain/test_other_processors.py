"""An executable and an image for another processor, run by an emulator of that."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

import onebin as api

from .conftest import PROJECTS, OnebinRun
from .test_builds import BUILD_LOCK

EMULATOR = "qemu-aarch64"
"""Of Debian's qemu-user, which ``.ci/prepare-toolchain`` installs."""

pytestmark = pytest.mark.toolchain


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with C extensions of two distributions, which prints where it runs."""
    folder = tmp_path_factory.mktemp("project")
    shutil.copytree(PROJECTS / "captured", folder, dirs_exist_ok=True)
    shutil.copy(BUILD_LOCK, folder / "build.lock")
    with (folder / "pyproject.toml").open("a") as file:
        file.write('prune = "reachable"\n')
    text = (folder / "app.py").read_text()
    (folder / "app.py").write_text(
        text + "\n\n_main = main\n\n\ndef main():\n    _main()\n    import os\n\n"
        "    print(os.uname().machine)\n"
    )
    return folder


def test_static_executable_for_another_processor(
    onebin: OnebinRun, project: Path, tmp_path: Path
) -> None:
    """CPython and the C extensions are compiled for it; nothing of it runs in the build."""
    target = tmp_path / "app"

    done = onebin("build", project, "--platform", "linux/arm64", "--output", target)

    assert 0 == done.returncode, done.stderr
    assert ", for aarch64" in done.stderr
    found = api.inspect(target).executable
    assert found is not None
    elf = found.elf
    assert ("aarch64", "static-pie", True) == (elf.machine, elf.kind, elf.relro)
    ran = subprocess.run([EMULATOR, target], capture_output=True, env={}, cwd="/", check=True)
    answer, machine = ran.stdout.decode().splitlines()
    assert "aarch64" == machine
    assert {
        "escaped": "&lt;b&gt;",
        "c": ["markupsafe._speedups", "xxhash._xxhash"],
        "hash": "d24ec4f1a98c6e5b",
    } == json.loads(answer)


def test_image_of_two_platforms(onebin: OnebinRun, project: Path, tmp_path: Path) -> None:
    """An index lists both, each the same image that is built alone."""
    both = onebin(
        "image", project, "--platform", "linux/amd64,linux/arm64", "--to", f"layout:{tmp_path}/both"
    )
    alone = onebin("image", project, "--to", f"layout:{tmp_path}/alone")

    assert (0, 0) == (both.returncode, alone.returncode), both.stderr
    (entry,) = json.loads((tmp_path / "both" / "index.json").read_text())["manifests"]
    assert both.stdout == f"captured@{entry['digest']}\n"
    blobs = tmp_path / "both" / "blobs" / "sha256"
    index = json.loads((blobs / entry["digest"].removeprefix("sha256:")).read_text())
    assert ["amd64", "arm64"] == [item["platform"]["architecture"] for item in index["manifests"]]
    assert alone.stdout == f"captured@{index['manifests'][0]['digest']}\n"
