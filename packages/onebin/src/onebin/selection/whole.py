"""A whole program: every module of the project and of its dependencies."""

from collections.abc import Iterable, Mapping

from onebin.model import Distribution, Project

from .finder import modules_in


def roots(project: Project, distributions: Iterable[Distribution]) -> list[str]:
    """Return the modules that are in although no import of them may be seen."""
    found = [] if _is_flat(project) else modules_in(project.code)
    for distribution in distributions:
        found += modules_in(distribution.code)
        found += [extension.module for extension in distribution.extensions]
    return found


def with_packages(
    native: Mapping[str, tuple[str, ...]], project: Project
) -> dict[str, tuple[str, ...]]:
    """Return *native* with an edge from each package of a flat *project* to all below it.

    Its folder holds other things beside its code: only imported packages belong to the program.
    """
    found = dict(native)
    for init in sorted(project.code.glob("*/__init__.py")) if _is_flat(project) else ():
        package = init.parent.name
        found[package] = (*found.get(package, ()), *modules_in(project.code, package))
    return found


def _is_flat(project: Project) -> bool:
    """Whether modules are in the project's own folder, beside its tests and its tools."""
    return project.code == project.root
