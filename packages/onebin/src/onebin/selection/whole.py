"""A whole program: every module of the project and of its dependencies."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from onebin.effects import path_files
from onebin.model import Distribution, Project

from . import own_files
from .finder import PART, modules_in

NOT_CODE: Final = frozenset(
    {
        "ci", "bin", "debian", "doc", "docs", "documentation", "manpages", "news", "newsfragments",
        "changelog", "test", "tests", "unit_test", "unit_tests", "example", "examples", "scripts",
        "tools", "build", "dist", "benchmark", "benchmarks", "exercise", "exercises", "htmlcov",
        "node_modules", "site_scons", "venv", "env", "setup", "conftest", "noxfile", "toxfile",
    }
)  # fmt: skip
"""Names in a project's own folder that are no part of its program unless it imports them.

Those that setuptools leaves out of a flat layout (``FlatLayoutPackageFinder.DEFAULT_EXCLUDE``),
but for names that are usual in programs (``utils``, ``tasks``); and folders of tools.
"""


def tops(folder: Path) -> list[str]:
    """Return the names of the packages and modules in a flat project's *folder*."""
    found = []
    for path in sorted(folder.iterdir()):
        name = path.name.removesuffix(".py")
        if name in NOT_CODE or not PART.fullmatch(name) or name.startswith("test_"):
            continue
        if own_files.is_environment(path):
            continue
        if path.suffix == ".py" if path.is_file() else any(path.rglob("*.py")):
            found.append(name)
    return found


def roots(project: Project, distributions: Iterable[Distribution]) -> list[str]:
    """Return the modules that are in although no import of them may be seen."""
    found = modules_in(project.code) if not _is_flat(project) else _in_flat(project.code)
    for distribution in distributions:
        apart = path_files.folders(distribution.code)
        starts = tuple(f"{name.replace('/', '.')}." for name in apart)
        found += [name for name in modules_in(distribution.code) if not name.startswith(starts)]
        for name in apart:
            found += modules_in(distribution.code / name)
        found += [extension.module for extension in distribution.extensions]
    return found


def with_packages(
    native: Mapping[str, tuple[str, ...]], project: Project
) -> dict[str, tuple[str, ...]]:
    """Return *native* with an edge from each package of a flat *project* to all below it.

    Its folder holds other things beside its code, which belong to the program if imported.
    """
    found = dict(native)
    for folder in own_files.packages(project.code) if _is_flat(project) else ():
        package = folder.name
        found[package] = (*found.get(package, ()), *modules_in(project.code, package))
    return found


def _in_flat(folder: Path) -> list[str]:
    found = []
    for top in tops(folder):
        found += modules_in(folder, top) if (folder / top).is_dir() else [top]
    return found


def _is_flat(project: Project) -> bool:
    """Whether modules are in the project's own folder, beside its tests and its tools."""
    return project.code == project.root
