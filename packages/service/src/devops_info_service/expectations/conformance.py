"""Expectations as a contract: written by somebody, held against what the platform gives."""

from typing import Final, Literal

import msgspec

from devops_info_service.errors import ConfigError
from devops_info_service.facts.fact import Evidence, Unknown
from devops_info_service.facts.system_files import SystemFiles
from devops_info_service.snapshot import PlatformSnapshot

from .condition import Expectation, expectation, format_value, is_met
from .document import DocumentError, read

SETTING: Final = "EXPECTATIONS"

State = Literal["met", "not met", "unknown"]


class Result(msgspec.Struct, frozen=True):
    """One expectation, and what was found."""

    name: str
    state: State
    """``unknown`` counts as not met: what nobody can tell, nobody has granted."""
    expected: str
    """As it was written."""
    found: str | None
    """As it would be written; ``None``: nobody can tell."""
    reason: str | None
    """Why nobody can tell."""
    evidence: tuple[Evidence, ...]


class Conformance(msgspec.Struct, frozen=True):
    """All expectations against one look."""

    conforms: bool
    """Whether every one is met."""
    taken_at: str
    """When the platform was looked at: RFC 3339, UTC."""
    expectations: tuple[Result, ...]
    """In the order in which they were written."""


def load_expectations(given: str) -> tuple[Expectation, ...]:
    """Return the expectations that the setting holds or names.

    What begins with ``/`` or ``./`` is the path of a file, all else is the text itself.

    Raises:
        ConfigError: with the file, the line, and why it cannot be taken.
    """
    is_path = given.startswith(("/", "./", "../"))
    where = f"{SETTING}: {given}" if is_path else SETTING
    text = _content(given) if is_path else given
    line = 1
    found = []
    try:
        for entry in read(text):
            line = entry.line
            found.append(expectation(entry))
    except DocumentError as exc:
        hint = "" if is_path or ":" in text else "; a path begins with / or ./"
        raise ConfigError(f"{where}, line {exc.line}: {exc.reason}{hint}") from None
    except ValueError as exc:
        raise ConfigError(f"{where}, line {line}: {exc}") from None
    return tuple(found)


def _content(path: str) -> str:
    content = SystemFiles().read(path).content
    if isinstance(content, Unknown):
        raise ConfigError(f"{SETTING}: {content.reason}")
    return content


def evaluate(contract: tuple[Expectation, ...], look: PlatformSnapshot) -> Conformance:
    """Hold *look* against *contract*."""
    results = tuple(_result(each, look) for each in contract)
    return Conformance(
        conforms=all(result.state == "met" for result in results),
        taken_at=look.taken_at,
        expectations=results,
    )


def _result(expected: Expectation, look: PlatformSnapshot) -> Result:
    name = expected.of.expect.name
    fact = expected.of.read(look)
    if isinstance(fact, Unknown):
        return Result(name, "unknown", expected.text, None, fact.reason, ())
    return Result(
        name,
        "met" if is_met(expected, fact.value) else "not met",
        expected.text,
        format_value(expected.of.expect.kind, fact.value),
        None,
        fact.evidence,
    )
