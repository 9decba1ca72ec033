"""The packages of the survey, as ``packages.toml`` has them: a name, its kind, a real use."""

import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from bench.lib.harness import MeasureError

CATALOG: Final = Path(__file__).with_name("packages.toml")

_KEYS: Final = {"name", "kind", "code", "requires"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """One package, and code that uses it for a real thing."""

    name: str
    """As the index has it."""
    kind: str
    """``pure``, or the language of its compiled part."""
    code: str
    """Statements that print a result which is the same in each run."""
    requires: tuple[str, ...] = field(default=())
    """What the code needs beside the package: an extra's distributions, a plugin."""


def read(file: Path = CATALOG) -> tuple[Package, ...]:
    """Return the packages of *file*, in its order.

    Raises:
        MeasureError: an entry has an unknown key, lacks one, or a name is there twice.
    """
    found: dict[str, Package] = {}
    for entry in tomllib.loads(file.read_text("utf-8"))["package"]:
        name = entry.get("name", "an entry without a name")
        missing = {"name", "kind", "code"} - set(entry)
        if missing or set(entry) - _KEYS or name in found:
            raise MeasureError(f"{file.name}: {name}: expected one entry with {sorted(_KEYS)}")
        found[name] = Package(**{**entry, "requires": tuple(entry.get("requires", ()))})
    return tuple(found.values())
