"""C libraries that Python code loads when it is imported, by ctypes or cffi: there is no loader.

Only libraries without which the distributions that load them cannot be imported at all are known:
of most others a program can do without.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from onebin.effects import files
from onebin.effects.context import Context
from onebin.model import Obstacle, Pin

from . import missing_libraries
from .pure import PureWheel

CACHE_VERSION: Final = 2
"""Raised when this module finds something else in the same files: part of the key."""

ANOTHER: Final = "choose another package"

POSTGRES: Final = "use pg8000 or asyncpg, which need no libpq"

LIBRARIES: Final = {
    "archive": ("libarchive", "use zipfile and tarfile of the standard library"),
    "cairo": ("cairo", ANOTHER),
    "cairo-2": ("cairo", ANOTHER),
    "enchant": ("Enchant", "use pyspellchecker, which is pure Python"),
    "enchant-2": ("Enchant", "use pyspellchecker, which is pure Python"),
    "gobject-2.0": ("GLib", ANOTHER),
    "gobject-2.0-0": ("GLib", ANOTHER),
    "magic": ("libmagic", "use puremagic or filetype, which are pure Python"),
    "openslide": ("OpenSlide", ANOTHER),
    "pango-1.0": ("Pango", ANOTHER),
    "portaudio": ("PortAudio", ANOTHER),
    "pq": ("PostgreSQL's libpq", POSTGRES),
    "zbar": ("ZBar", ANOTHER),
}
"""Each by the name that ``find_library`` gets, with its own and what to do instead."""

LOADS: Final = re.compile(
    r"\b(?:find_library|CDLL|LoadLibrary|dlopen)\(\s*(?:ffi\s*,\s*)?"
    r"[\"'](?:lib)?([\w.+-]+?)(?:\.so[\d.]*)?[\"']"
)
"""A library by its name, or by its file's on Linux."""


class Loaded(NamedTuple):
    """A library, and the file that loads it."""

    library: str
    file: str


class LoadedStep(msgspec.Struct, frozen=True):
    """Step: the first library of the table that the code of a pure-Python wheel loads."""

    pin: Pin
    python: str
    """``3.13``: which of several wheels fits."""
    kind = "loaded"

    def key(self) -> tuple[object, ...]:
        """Return the pin, whose hashes name the wheel, and the table."""
        return CACHE_VERSION, self.pin, self.python, sorted(LIBRARIES)

    def make(self, folder: Path, ctx: Context) -> None:
        """Read its code.

        Raises:
            ProjectError: it has a shared object, or is not the index's.
            ToolError: it cannot be fetched.
        """
        code = ctx.build(PureWheel(self.pin, self.python)).code
        (folder / "loaded.json").write_bytes(msgspec.json.encode(first(code)))

    def load(self, folder: Path) -> Loaded | None:
        """Return it."""
        return msgspec.json.decode((folder / "loaded.json").read_bytes(), type=Loaded | None)


def first(code: Path) -> Loaded | None:
    """Return the first library of the table that an import of a package in *code* loads.

    Only modules count that the package imports at its first level, outside ``try`` and ``if``.
    """
    found: dict[Path, str] = {}
    for file in sorted(code.rglob("*.py")):
        name = next((name for name in LOADS.findall(_text(file)) if name in LIBRARIES), "")
        if name and not missing_libraries.is_aside(file.relative_to(code)):
            found[file] = name
    if not found:
        return None
    reached = _imported(code)
    loads = ((file, name) for file, name in found.items() if file in reached)
    return next((Loaded(name, str(file.relative_to(code))) for file, name in loads), None)


def _imported(code: Path) -> set[Path]:
    """Return the modules that run when each module of the first level below *code* is imported."""
    waiting = [*code.glob("*.py"), *code.glob("*/__init__.py")]
    reached: set[Path] = set()
    while waiting:
        file = waiting.pop()
        if file in reached:
            continue
        reached.add(file)
        try:
            body = ast.parse(_text(file)).body
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            continue
        for node in body:
            waiting += [place for place in _places(code, file, node) if place.is_file()]
    return reached


def _places(code: Path, file: Path, node: ast.stmt) -> Iterator[Path]:
    """Yield the files that may be the modules which *node* of the module *file* imports."""
    names: list[tuple[Path, str]] = []
    if isinstance(node, ast.Import):
        names = [(code, alias.name) for alias in node.names]
    elif isinstance(node, ast.ImportFrom):
        base = code
        if node.level:
            base = file.parents[node.level - 1] if node.level <= len(file.parents) else code
        module = node.module or ""
        names = [(base, ".".join(filter(None, (module, alias.name)))) for alias in node.names]
    for base, name in names:
        place = base
        for part in name.split("."):
            place = place / part
            yield place.with_name(f"{part}.py")
            yield place / "__init__.py"


def _text(file: Path) -> str:
    try:
        return files.read_text(file)
    except (OSError, ValueError):
        return ""


def obstacle(pin: Pin, found: Loaded) -> Obstacle:
    """Return *found* as the reason why *pin* cannot be imported."""
    name, instead = LIBRARIES[found.library]
    return Obstacle(
        pin,
        f"{pin}: {found.file} loads {name} as a shared library, without which it cannot be "
        "imported",
        hint=f"a static executable has no loader: {instead}",
    )
