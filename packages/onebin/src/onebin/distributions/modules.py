"""Whether a distribution may bring a module, as far as a plan can know.

A wheel of pure Python is unpacked for that, as the build would; of a source the names of all its
files and folders count; of a distribution that cannot be built its name alone is known.
"""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from packaging.utils import canonicalize_name

from onebin.effects import files, path_files
from onebin.effects.context import Context
from onebin.errors import OnebinError
from onebin.model import Obstacle, Offer

from .pure import Pure, PureWheel

MAX_DEPTH: Final = 6
"""Of a source tree: deeper files are tests' data."""

BUILD_FILES: Final = ("setup.py", "pyproject.toml", "meson.build", "CMakeLists.txt")

MADE: Final = re.compile(
    r"(?:\b(?:\w*Extension|extension_module|\w*add_(?:module|library))\s*\(\s*(?:name\s*=\s*)?|"
    r"\bname\s*[=:]\s*|[\"']name[\"']\s*:\s*)[\"']?([A-Za-z_]\w*)"
)
"""The name of an extension, where a build's own files make it: its source may have another."""


class Modules:
    """The modules of the first level that *offers* may bring."""

    def __init__(self, offers: Iterable[Offer | Obstacle], python: str, ctx: Context) -> None:
        self._offers = tuple(offers)
        self._python, self._ctx = python, ctx

    def may_have(self, module: str) -> bool:
        """Whether one of them may bring *module*."""
        return any(self._may_bring(item, module) for item in self._offers)

    def _may_bring(self, item: Offer | Obstacle, module: str) -> bool:
        if is_like(item.pin.name, module):
            return True
        if isinstance(item, Obstacle):
            return False
        if item.provider == Pure.name:
            try:
                code = self._ctx.build(PureWheel(item.pin, self._python)).code
            except OnebinError:
                return True  # the build has the words for it
            places = [code, *(code / name for name in path_files.folders(code))]
            return module in path_files.aliases(code) or any(
                (place / name).exists() for place in places for name in (module, f"{module}.py")
            )
        return not item.names or module in item.names


def is_like(distribution: str, module: str) -> bool:
    """Whether *module* may be that of *distribution*, by name: its letters are among the other's.

    ``bs4`` is beautifulsoup4's, ``yaml`` pyyaml's.
    """
    letters = iter(canonicalize_name(distribution).replace("-", ""))
    return all(letter in letters for letter in canonicalize_name(module).replace("-", ""))


def names_in(tree: Path) -> tuple[str, ...]:
    """Return the names that modules of the source *tree* may have."""
    found = set[str]()
    for path in tree.rglob("*"):
        if path.name == "src" and not (path / "__init__.py").exists():
            continue  # a folder of modules, and none itself
        if len(path.relative_to(tree).parts) <= MAX_DEPTH and ".git" not in path.parts:
            found.add(path.name.partition(".")[0])
            if path.name in BUILD_FILES:
                found.update(_made_by(path))
    return tuple(sorted(name for name in found if name.isidentifier()))


def _made_by(file: Path) -> list[str]:
    try:
        return MADE.findall(files.read_text(file))
    except (OSError, ValueError):
        return []
