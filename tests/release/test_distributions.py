"""The built distributions: everything a user needs is inside, and onebin's wheel works alone."""

import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from email.message import Message
from email.parser import Parser
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[2]
PACKAGES: Final = {"onebin": "onebin", "service": "devops_info_service"}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with wheel and source distribution of both packages."""
    target = tmp_path_factory.mktemp("dist")
    for package in PACKAGES:
        subprocess.run(
            [sys.executable, "-m", "hatchling", "build", "--directory", target],
            cwd=ROOT / "packages" / package,
            check=True,
            capture_output=True,
        )
    return target


def wheel(built: Path, module: str) -> Path:
    [found] = built.glob(f"{module}-*.whl")
    return found


def metadata(file: Path) -> Message:
    with zipfile.ZipFile(file) as archive:
        [name] = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        return Parser().parsestr(archive.read(name).decode())


@pytest.mark.parametrize("package", PACKAGES)
def test_license_is_the_repository_s(package: str) -> None:
    """PEP 639 takes no file from outside of a project, so each has a copy."""
    copy = ROOT / "packages" / package / "LICENSE"
    assert copy.read_bytes() == (ROOT / "LICENSE").read_bytes()


@pytest.mark.parametrize(("package", "module"), PACKAGES.items())
def test_wheel_has_every_file_of_the_package(built: Path, package: str, module: str) -> None:
    """Modules, C files, the type marker and the license."""
    source = ROOT / "packages" / package / "src"
    wanted = {
        str(file.relative_to(source))
        for file in (source / module).rglob("*")
        if file.is_file() and file.suffix != ".pyc"
    }
    with zipfile.ZipFile(wheel(built, module)) as archive:
        found = set(archive.namelist())
    assert found >= wanted
    assert f"{module}/py.typed" in found
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in found)


@pytest.mark.parametrize(("package", "module"), PACKAGES.items())
def test_source_distribution_is_small_and_complete(built: Path, package: str, module: str) -> None:
    """All that a wheel is built from; no tests, no saved trees."""
    [file] = built.glob(f"{module}-*.tar.gz")
    with tarfile.open(file) as archive:
        top = {name.split("/")[1] for name in archive.getnames() if "/" in name}
    assert top == {"LICENSE", "PKG-INFO", "README.md", "pyproject.toml", "src", ".gitignore"}


@pytest.mark.parametrize("module", PACKAGES.values())
def test_metadata(built: Path, module: str) -> None:
    found = metadata(wheel(built, module))
    assert found["License-Expression"] == "MIT"
    assert found["License-File"] == "LICENSE"
    assert found["Description-Content-Type"] == "text/markdown"
    assert found["Keywords"]
    assert "Typing :: Typed" in (found.get_all("Classifier") or [])


def test_changelog_has_both_versions(built: Path) -> None:
    """A release needs its entry in the changelog."""
    text = (ROOT / "CHANGELOG.md").read_text("utf-8")
    for module in PACKAGES.values():
        found = metadata(wheel(built, module))
        assert f"{found['Name']} {found['Version']}" in text


def test_release_names_the_repository_as_the_source(tmp_path: Path) -> None:
    """Only the forge knows the address; the images' label and both distributions have it."""
    script = tmp_path / ".ci/name-source"
    script.parent.mkdir()
    shutil.copy(ROOT / ".ci/name-source", script)
    for package in PACKAGES:
        (tmp_path / "packages" / package).mkdir(parents=True)
        project = Path("packages", package, "pyproject.toml")
        shutil.copy(ROOT / project, tmp_path / project)

    run(script, "https://forge.example/owner/name")

    for package in PACKAGES:
        text = (tmp_path / "packages" / package / "pyproject.toml").read_text("utf-8")
        assert tomllib.loads(text)["project"]["urls"] == {
            "source": "https://forge.example/owner/name"
        }


@pytest.mark.toolchain
def test_wheel_of_onebin_works_in_a_clean_environment(built: Path, tmp_path: Path) -> None:
    """With only its pins installed, it builds a project, and the executable runs."""
    python = tmp_path / "venv/bin/python"
    project = tmp_path / "project"
    project.mkdir()
    (project / "pyproject.toml").write_text(
        '[project]\nname = "hello"\nversion = "1"\n[project.scripts]\nhello = "hello:main"\n'
    )
    (project / "hello.py").write_text('def main():\n    print("hello")\n')

    run(sys.executable, "-m", "venv", tmp_path / "venv")
    pip = (python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    run(*pip, "--require-hashes", "-r", ROOT / "requirements/onebin.txt")
    run(*pip, "--no-deps", "--no-index", wheel(built, "onebin"))
    run(tmp_path / "venv/bin/onebin", "build", project)

    assert run(project / "dist/hello") == "hello\n"


def run(*argv: str | Path) -> str:
    """Run *argv* outside of the repository and return its output."""
    done = subprocess.run(
        list(map(str, argv)), cwd="/", capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
