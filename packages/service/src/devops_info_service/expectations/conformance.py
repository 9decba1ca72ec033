"""Expectations, read from a setting or a file, evaluated against a snapshot."""

from typing import Final, Literal

import msgspec

from devops_info_service.errors import ConfigError
from devops_info_service.facts.fact import Evidence, Unknown
from devops_info_service.facts.system_files import SystemFiles
from devops_info_service.snapshot import PlatformSnapshot

from .condition import Expectation, expectation, format_value, is_met
from .entry import DocumentError

SETTING: Final = "EXPECTATIONS"

State = Literal["met", "not met", "unknown"]


class Result(msgspec.Struct, frozen=True):
    """One expectation, and the value found."""

    name: str
    state: State
    """``unknown`` counts as not met: a grant needs proof."""
    expected: str
    """As it was written."""
    found: str | None
    """As it would be written; ``None``: unknown."""
    reason: str | None
    """The reason why it is unknown."""
    evidence: tuple[Evidence, ...]


class Conformance(msgspec.Struct, frozen=True):
    """All expectations against one snapshot."""

    conforms: bool
    """Whether every one is met."""
    taken_at: str
    """The time of the snapshot: RFC 3339, UTC."""
    expectations: tuple[Result, ...]
    """In the order in which they were written."""


def load_expectations(given: str) -> tuple[Expectation, ...]:
    """Return the expectations that the setting holds or names.

    A text that begins with ``/`` or ``./`` is the path of a file, any other is the text itself.

    Raises:
        ConfigError: with the file, the line, and the reason.
    """
    # Local: the types of this module are named where nothing is expected, and PyYAML takes 27 ms.
    from .document import read  # noqa: PLC0415

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


def evaluate(expectations: tuple[Expectation, ...], snapshot: PlatformSnapshot) -> Conformance:
    """Evaluate *expectations* against *snapshot*."""
    results = tuple([_result(each, snapshot) for each in expectations])
    return Conformance(
        conforms=all(result.state == "met" for result in results),
        taken_at=snapshot.taken_at,
        expectations=results,
    )


def _result(expected: Expectation, snapshot: PlatformSnapshot) -> Result:
    name = expected.of.expect.name
    fact = expected.of.read(snapshot)
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
