"""What pruning risks: each place where a program may need more than visible imports reach."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, Literal

import msgspec

from onebin.model import Distribution, InsideFile, ModuleImports, ModuleOrigin, Project, UseKind

from .finder import Finder
from .named import Named, named
from .selector import Selection

RiskKind = Literal["module", "computed", "text", "entry point", "data"] | UseKind

TITLES: Final[dict[RiskKind, str]] = {
    "module": "modules that no visible import reaches",
    "computed": "imports whose name is made at run time",
    "text": "texts and settings that name a module",
    "entry point": "entry points, found by metadata",
    "data": "data files of the project",
    "files": "code that reads files beside modules",
    "metadata": "code that reads metadata of distributions",
    "modules": "code that lists the modules of a package",
    "sources": "code that reads source",
    "docstrings": "code that reads docstrings, which prune leaves out unless docstrings = true",
    "interpreter": "code that starts a Python: a pruned program is none, and can only fork",
}
"""Kinds in the order they are shown."""

SCRIPTS: Final = frozenset({"console_scripts", "gui_scripts"})
"""Groups of entry points that no program reads."""


class Risk(msgspec.Struct, frozen=True, order=True):
    """One place."""

    kind: RiskKind
    owner: str
    """``project``, or the name of a distribution."""
    path: str
    """Relative to the project, or to where the distribution is installed."""
    line: int
    """0 for a whole file."""
    text: str

    @property
    def place(self) -> str:
        """The path with the line, as editors and compilers write it."""
        return f"{self.path}:{self.line}" if self.line else self.path


class Sides(msgspec.Struct, frozen=True):
    """One program, whole and pruned."""

    whole: Selection
    pruned: Selection
    facts: Mapping[str, ModuleImports]
    """Of the pruned program's modules: only code that is there can miss anything."""
    files: Sequence[InsideFile]
    """Of the whole program."""


def risks(
    sides: Sides, project: Project, distributions: Sequence[Distribution], finder: Finder
) -> tuple[Risk, ...]:
    """Return each risk once, those of the project first."""
    owners = _Owners(project, distributions)
    found = {
        *_modules(sides, owners),
        *_lines(sides, owners),
        *_texts(sides, owners, named(sides.facts, finder, project, distributions)),
        *_entry_points(sides, project, distributions, finder),
        *_data(sides, owners),
    }
    order = tuple(TITLES)
    return tuple(
        sorted(found, key=lambda risk: (order.index(risk.kind), risk.owner != "project", risk))
    )


class _Owners:
    """To whom files belong, and how they are shown."""

    def __init__(self, project: Project, distributions: Sequence[Distribution]) -> None:
        self.project, self.distributions = project, distributions

    def of(self, path: Path) -> tuple[str, str]:
        """Return the owner of *path*, and the path within it."""
        for item in self.distributions:
            if path.is_relative_to(item.code):
                return item.pin.name, str(path.relative_to(item.code))
        root = self.project.root
        if not path.is_relative_to(root):
            root = self.project.code
        return "project", str(path.relative_to(root) if path.is_relative_to(root) else path)

    def is_theirs(self, origin: ModuleOrigin) -> bool:
        """Whether it is a module of the project or of a distribution, with a file.

        onebin's importer has a file that is not of the project.
        """
        is_file = origin.kind == "source" and origin.text is None
        return is_file and origin.origin != "stdlib" and not origin.label.startswith("<")


def _modules(sides: Sides, owners: _Owners) -> Iterator[Risk]:
    reached = set[str]()
    missing = []
    for name, origin in sides.whole.modules.items():
        if not owners.is_theirs(origin):
            continue
        owner, path = owners.of(origin.path)
        if name in sides.pruned.modules:
            reached.add(owner)
        else:
            missing.append(Risk("module", owner, path, 0, name))
    # Of a distribution in use much is not needed; of an unreached one all may be.
    yield from (risk for risk in missing if risk.owner == "project" or risk.owner not in reached)


def _lines(sides: Sides, owners: _Owners) -> Iterator[Risk]:
    for name, imports in sides.facts.items():
        origin = sides.pruned.modules.get(name)
        if origin is None or not owners.is_theirs(origin):
            continue
        owner, path = owners.of(origin.path)
        for item in imports.computed:
            yield Risk("computed", owner, path, item.line, item.text)
        for use in imports.uses:
            yield Risk(use.kind, owner, path, use.line, use.text)


def _texts(sides: Sides, owners: _Owners, found: Iterable[Named]) -> Iterator[Risk]:
    for item in found:
        if item.module in sides.pruned.modules or item.module not in sides.whole.modules:
            continue
        origin = sides.pruned.modules.get(item.importer)
        owner, path = owners.of(origin.path if origin else item.file)
        yield Risk("text", owner, path, item.line, item.text.rstrip(":"))


def _entry_points(
    sides: Sides, project: Project, distributions: Sequence[Distribution], finder: Finder
) -> Iterator[Risk]:
    texts = [("project", "entry_points.txt", project.entry_points)]
    for item in distributions:
        for file in sorted(item.code.glob("*.dist-info/entry_points.txt")):
            path = str(file.relative_to(item.code))
            texts.append((item.pin.name, path, file.read_text("utf-8", "replace")))
    for owner, path, text in texts:
        group = ""
        for number, line in enumerate(text.split("\n"), 1):
            stripped = line.strip()
            if stripped.startswith("["):
                group = stripped.strip("[]")
            elif "=" in stripped and group not in SCRIPTS:
                module = stripped.partition("=")[2].partition(":")[0].strip()
                gone = "" if module in sides.pruned.modules else ", which is left out"
                if finder.locate(module) is not None:
                    yield Risk("entry point", owner, path, number, f"{group}: {stripped}{gone}")


def _data(sides: Sides, owners: _Owners) -> Iterator[Risk]:
    for file in sides.files:
        if file.kind == "data" and not file.module and file.text is None:
            owner, path = owners.of(file.source)
            if owner == "project" and file.source.suffix != ".py":
                yield Risk("data", owner, path, 0, "")
