"""The public API: its names, its import cost, its errors."""

import subprocess
import sys
from pathlib import Path

import pytest

import onebin
from onebin import pipeline
from onebin.effects.process import run
from onebin.image.image import Image
from onebin.publish import Archive, Layout

from .conftest import Put
from .fakes import tools

PROJECTS = Path(__file__).parent.parent / "projects"


def test_public_names() -> None:
    """Functions stay callable although subpackages share their names."""
    assert all(hasattr(onebin, name) for name in onebin.__all__)
    assert all(map(callable, (onebin.build, onebin.image, onebin.publish, onebin.inspect)))


def test_profiles_are_imported_on_demand() -> None:
    """Only a project with a profile needs LLVM's format."""
    code = "import onebin.cli, sys; sys.exit('onebin.pgo' in sys.modules)"

    assert 0 == subprocess.run([sys.executable, "-c", code], check=False).returncode


def test_plan_of_a_project(tmp_path: Path) -> None:
    """The plan is a value; the project stays unchanged."""
    before = sorted((PROJECTS / "facts").rglob("*"))

    made = onebin.plan(PROJECTS / "facts", tools=tools(tmp_path, run))

    assert ("facts", True, ()) == (made.project.name, made.is_locked, made.offers)
    assert before == sorted((PROJECTS / "facts").rglob("*"))


def project(root: Path, *dependencies: str, settings: str = "") -> Path:
    root.mkdir()
    (root / "app.py").write_text("def main(): ...")
    names = ", ".join(f'"{name}"' for name in dependencies)
    (root / "pyproject.toml").write_text(
        f'[project]\nname = "app"\nscripts = {{ app = "app:main" }}\ndependencies = [{names}]\n'
        f"[tool.onebin]\n{settings}"
    )
    return root


def test_plan_without_a_lock_writes_none(put_wheel: Put, tmp_path: Path) -> None:
    """The plan reports the missing lock; a configured lock that is missing is an error."""
    put_wheel("thing")
    root = project(tmp_path / "app", "thing")

    made = onebin.plan(root, tools=tools(tmp_path / "cache", run))

    assert not made.is_locked
    assert not (root / "onebin.lock").exists()
    pipeline.ensure_lock(made.project, tools(tmp_path / "cache", run))
    assert onebin.plan(root, tools=tools(tmp_path / "cache", run)).is_locked
    other = project(tmp_path / "other", "thing", settings='lock = "other.lock"')
    with pytest.raises(onebin.OnebinError, match=r"other\.lock: missing") as caught:
        onebin.plan(other, tools=tools(tmp_path / "cache", run))
    assert "onebin lock" in caught.value.hint


def test_build_stops_at_an_obstacle(put_wheel: Put, tmp_path: Path) -> None:
    """The build fails before the compiler is needed."""
    put_wheel("thing", tag="cp313-cp313-manylinux_2_28_x86_64")
    pin = put_wheel("thing", tag="cp313-cp313-manylinux_2_28_x86_64")
    root = project(tmp_path / "app", "thing")
    (root / "onebin.lock").write_text(f"thing==1 --hash={pin.hashes[0]}\n")

    with pytest.raises(onebin.OnebinError, match="thing 1: expected a pure-Python wheel"):
        onebin.build(root, tools=tools(tmp_path / "cache", run))
    assert not (tmp_path / "cache" / "toolchain").exists()


def test_publish_and_inspect(image: Image, tmp_path: Path) -> None:
    """The image reaches every destination, and reads back unchanged."""
    places = Archive(str(tmp_path / "a.tar")), Layout(str(tmp_path / "a.oci"))

    assert image.descriptor == onebin.publish(image, "app:1", *places)

    for path in (tmp_path / "a.tar", str(tmp_path / "a.oci")):
        report = onebin.inspect(path)
        assert report.image is not None
        assert image.digest == report.image.digest


def test_tools_for_this_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cache and source come from the given environment; an unknown machine is rejected."""
    environ = {"ONEBIN_CACHE": str(tmp_path), "ONEBIN_PYTHON_SOURCE": "x.tar#sha256=0"}
    made = onebin.Tools.for_this_machine(environ=environ)
    assert (tmp_path, f"{Path.cwd()}/x.tar#sha256=0") == (
        made.context.store.root, made.python_source
    )  # fmt: skip
    name = type("Uname", (), {"machine": "riscv64"})()
    monkeypatch.setattr("os.uname", lambda: name)
    with pytest.raises(onebin.OnebinError, match="riscv64: onebin does not build for"):
        onebin.Tools.for_this_machine(environ=environ)
