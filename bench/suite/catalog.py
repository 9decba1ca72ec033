"""What people decide about the suite: its order, the modules left out, the reason of each fault."""

import fnmatch
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from bench.lib.harness import MeasureError

CATALOG: Final = Path(__file__).with_name("modules.toml")


@dataclass(frozen=True, slots=True)
class Reason:
    """Why some tests fail."""

    tests: str
    """A pattern of names, as ``fnmatch`` has it: ``test.test_math.*.testLog2*``."""
    because: str
    series: str = ""
    """Of this series alone; of all if empty."""


@dataclass(frozen=True, slots=True)
class Catalog:
    """The decisions."""

    first: tuple[str, ...]
    """Modules that are run before others, by their value for programs."""
    left_out: dict[str, str]
    """Modules that are not run, each with the reason; a pattern as ``fnmatch`` has it."""
    reasons: tuple[Reason, ...]

    def reason_to_leave_out(self, module: str) -> str:
        """Return why *module* is not run; nothing if it is."""
        found = (text for name, text in self.left_out.items() if fnmatch.fnmatchcase(module, name))
        return next(found, "")

    def reason_of(self, test: str, series: str) -> str:
        """Return why *test*, a test or a module, fails in *series*; nothing if that is unknown."""
        for reason in self.reasons:
            if reason.series in {"", series} and fnmatch.fnmatchcase(test, reason.tests):
                return reason.because
        return ""

    def in_order(self, modules: Iterable[str]) -> tuple[str, ...]:
        """Return those of *modules* that are run, the first ones first."""
        run = [module for module in modules if not self.reason_to_leave_out(module)]
        places = {name: number for number, name in enumerate(self.first)}

        def place(module: str) -> tuple[int, str]:
            words = module.removeprefix("test.").split(".")
            return places.get(words[0], len(places)), module

        return tuple(sorted(run, key=place))


def read(file: Path = CATALOG) -> Catalog:
    """Return the decisions in *file*.

    Raises:
        MeasureError: a key is unknown, or an entry is not of text.
    """
    document: dict[str, Any] = tomllib.loads(file.read_text("utf-8"))
    expected = "expected first, left-out, and reason with tests, because and maybe series"
    if set(document) - {"first", "left-out", "reason"}:
        raise MeasureError(f"{file.name}: {', '.join(document)}; {expected}")
    try:
        reasons = tuple(Reason(**entry) for entry in document.get("reason", ()))
    except TypeError as exc:
        raise MeasureError(f"{file.name}: {exc}; {expected}") from exc
    return Catalog(tuple(document.get("first", ())), document.get("left-out", {}), reasons)
