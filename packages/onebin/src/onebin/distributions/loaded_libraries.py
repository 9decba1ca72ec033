"""C libraries that Python code loads when it is imported, by ctypes or cffi: there is no loader.

Only libraries without which the distributions that load them cannot be imported at all are known:
of most others a program can do without.
"""

import re
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from onebin.effects import files
from onebin.effects.context import Context
from onebin.model import Obstacle, Pin

from . import missing_libraries
from .pure import PureWheel

CACHE_VERSION: Final = 1
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
    """Return the first library of the table that a module below *code* loads."""
    for file in sorted(code.rglob("*.py")):
        path = file.relative_to(code)
        if missing_libraries.is_aside(path):
            continue
        try:
            text = files.read_text(file)
        except (OSError, ValueError):
            continue
        for name in LOADS.findall(text):
            if name in LIBRARIES:
                return Loaded(name, str(path))
    return None


def obstacle(pin: Pin, found: Loaded) -> Obstacle:
    """Return *found* as the reason why *pin* cannot be imported."""
    name, instead = LIBRARIES[found.library]
    return Obstacle(
        pin,
        f"{pin}: {found.file} loads {name} as a shared library, without which it cannot be "
        "imported",
        hint=f"a static executable has no loader: {instead}",
    )
