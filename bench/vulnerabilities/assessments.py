"""What people have found out about single vulnerabilities: whether our build can be reached."""

import tomllib
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from bench.lib.harness import MeasureError
from bench.vulnerabilities import versions
from bench.vulnerabilities.components import Component
from bench.vulnerabilities.records import Record, Verdict

FILE: Final = Path(__file__).with_name("assessments.toml")


class Status(StrEnum):
    """Of a vulnerability, in executables of onebin."""

    NOT_BUILT = "code not built"
    NOT_CALLED = "code not called"
    """It is linked, and nothing in CPython calls it."""
    PATCHED = "patched"
    """In the copy that comes with the compiler, without another version."""
    REACHABLE = "reachable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """One judgment."""

    id: str
    component: str
    status: Status
    because: str
    start: str = ""
    """The first version that has it; the first of all if empty."""
    fixed: str = ""
    """The first version without it; none if empty."""
    severity: str = ""
    source: str = ""
    """The authors' words on it."""

    def concerns(self, component: Component) -> bool:
        """Whether *component* has it, by the advisory that *source* names."""
        return component.name == self.component and versions.is_within(
            component.version, self.start, self.fixed
        )

    def record(self, component: Component) -> Record:
        """Return it as a record, for sources that do not know it yet."""
        return Record(
            id=self.id, component=component.name, version=component.version,
            verdict=Verdict.AFFECTED, severity=self.severity,
            fixed=(self.fixed,) if self.fixed else (), summary="", modified="",
        )  # fmt: skip


def read(file: Path = FILE) -> tuple[Assessment, ...]:
    """Return the judgments in *file*.

    Raises:
        MeasureError: an entry has another form.
    """
    entries: list[dict[str, Any]] = tomllib.loads(file.read_text("utf-8"))["assessment"]
    try:
        return tuple(
            Assessment(**{**entry, "status": Status(entry.get("status", ""))}) for entry in entries
        )
    except (TypeError, ValueError) as exc:
        expected = ", ".join(Status)
        raise MeasureError(
            f"{file.name}: {exc}; expected id, component, because, status ({expected})"
        ) from exc
