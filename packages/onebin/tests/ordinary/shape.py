"""What an ordinary project is like: a value, drawn at random."""

import random
from typing import Final

import msgspec

BACK_ENDS: Final = (
    "setuptools", "setup.cfg", "setup.py", "hatchling", "flit", "poetry", "pdm", "uv",
)  # fmt: skip
LAYOUTS: Final = ("src", "flat", "namespace", "module", "several")
VERSIONS: Final = ("static", "attribute", "file", "scm")
STARTS: Final = ("script", "scripts", "gui", "function", "module")
DATA: Final = ("none", "package", "include", "outside")
LOCKS: Final = ("none", "requirements.txt", "pylock.toml", "uv.lock", "poetry.lock")
DEPENDENCIES: Final = ("index", "extra", "marker", "optional", "folder", "git", "wheel")

NO_LAYOUT: Final = {"flit": {"several"}, "uv": {"module"}}
NO_VERSION: Final = {
    "setup.cfg": {"scm"}, "setup.py": {"scm"}, "flit": {"file", "scm"},
    "poetry": {"attribute", "file", "scm"}, "uv": {"attribute", "file", "scm"}, "pdm": {"file"},
}  # fmt: skip
NO_DATA: Final = {"flit": {"include"}, "poetry": {"outside"}, "uv": {"include"}}
"""What a back end does not have."""


class Shape(msgspec.Struct, frozen=True, kw_only=True):
    """One project."""

    back_end: str
    layout: str = "src"
    version: str = "static"
    start: str = "script"
    data: str = "none"
    lock: str = "none"
    dependencies: frozenset[str] = frozenset()

    @property
    def name(self) -> str:
        """Its name, as its author spells it."""
        return "Odd_Tool" if self.layout == "flat" else "odd-tool"

    @property
    def package(self) -> str:
        """Its import package, dotted, or its module."""
        return "acme.odd_tool" if self.layout == "namespace" else "odd_tool"

    @property
    def source(self) -> str:
        """The folder its packages are in; ends with a slash, or is empty."""
        return "" if self.layout in {"flat", "module"} else "src/"


def draw(seed: int, back_ends: tuple[str, ...] = BACK_ENDS) -> Shape:
    """Return the project of *seed*."""
    chance = random.Random(seed)
    back_end = back_ends[seed % len(back_ends)]

    def one(choices: tuple[str, ...], without: set[str]) -> str:
        return chance.choice([choice for choice in choices if choice not in without])

    layout = one(LAYOUTS, NO_LAYOUT.get(back_end, set()))
    version = one(VERSIONS, NO_VERSION.get(back_end, set()))
    no_data = NO_DATA.get(back_end, set()) | (
        {"package", "include"} if layout == "module" else set()
    )
    is_old = back_end in {"setup.cfg", "setup.py"}  # no pyproject.toml for a tool to lock
    lock = one(LOCKS, {"pylock.toml", "uv.lock", "poetry.lock"} if is_old else set())
    located = {"folder", "git", "wheel"} if lock == "none" or is_old else set[str]()
    known = [item for item in DEPENDENCIES if item not in located]
    return Shape(
        back_end=back_end, layout=layout, version=version, start=one(STARTS, set()),
        data=one(DATA, no_data), lock=lock,
        dependencies=frozenset(chance.sample(known, chance.randint(0, 4))),
    )  # fmt: skip
