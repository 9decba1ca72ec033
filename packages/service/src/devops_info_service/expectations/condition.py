"""Conditions on the value of one name: their syntax, and whether a value meets them."""

from typing import Final, Literal

import msgspec

from devops_info_service.catalog.property import Expect, Kind
from devops_info_service.suggestion import nearest

from . import quantity
from .entry import Entry, short
from .extract import EXTRACTORS, UNLIMITED, Extractor, Value, failing_checks

Operator = Literal["<=", ">=", "<", ">", "==", "!="]

OPERATORS: Final[tuple[Operator, ...]] = ("<=", ">=", "<", ">", "==", "!=")
NO_LIMIT: Final = "none"
"""Also an empty set."""
MAX_LISTED: Final = 12
"""Members of a set that ``found`` spells out; the evidence and /platform have all."""

_NUMBERS: Final[frozenset[Kind]] = frozenset({"bytes", "CPUs", "count"})
_EQUAL: Final[tuple[Operator, ...]] = ("==", "!=")
_SETS: Final[tuple[Operator, ...]] = ("<=", ">=", "==", "!=")
_TRUTHS: Final = {
    **dict.fromkeys(("true", "yes", "on"), True),
    **dict.fromkeys(("false", "no", "off"), False),
}


class Condition(msgspec.Struct, frozen=True):
    """One comparison."""

    operator: Operator
    operand: float | bool | str | frozenset[str]
    """Billionths, a boolean, a string, or strings."""


class Expectation(msgspec.Struct, frozen=True):
    """The expectation of one name."""

    of: Extractor
    text: str
    """As it was written; the members of a list, joined."""
    any_of: tuple[tuple[Condition, ...], ...]
    """Met where all conditions of one of these hold."""


def expectation(entry: Entry) -> Expectation:
    """Understand one entry.

    Raises:
        ValueError: with the reason, for the author of the text.
    """
    found = EXTRACTORS.get(entry.name)
    if found is None:
        near = nearest(entry.name, EXTRACTORS)
        raise ValueError(f"{short(entry.name)} is not a known name; the nearest is {near}")
    name = found.expect
    if name.kind == "set":
        return Expectation(found, _joined(entry, ", "), (_parse_set(name, entry),))
    if not entry.values:
        raise ValueError(f"{entry.name} has an empty list, which nothing meets")
    if name.kind == "profile":
        return _profile(found, entry)
    any_of = tuple([_conditions(name, value) for value in entry.values])
    return Expectation(found, _joined(entry, " or "), any_of)


def _joined(entry: Entry, between: str) -> str:
    return between.join(entry.values) or NO_LIMIT


def _profile(found: Extractor, entry: Entry) -> Expectation:
    """Return the expectation that no check of the profile fails."""
    name = found.expect
    if entry.is_list:
        raise ValueError(f"{name.name} is one of {', '.join(name.allowed)}, not a list")
    profile = entry.values[0]
    _check(name, profile)
    found = msgspec.structs.replace(found, read=failing_checks(profile))
    return Expectation(found, profile, ((Condition("==", frozenset()),),))


def _check(name: Expect, word: str) -> None:
    if not name.allowed or word in name.allowed:
        return
    if len(name.allowed) > MAX_LISTED:
        near = nearest(word, name.allowed)
        raise ValueError(f"{name.name} knows no {word!r}; the nearest is {near}")
    raise ValueError(f"{name.name} is one of {', '.join(name.allowed)}, not {word!r}")


def _conditions(name: Expect, text: str) -> tuple[Condition, ...]:
    if name.kind in _NUMBERS:
        # Several limits of one value are joined by commas: >= 1, <= 2.
        return tuple([_parse_number(name, part.strip()) for part in text.split(",")])
    operator, word = _split(name, text, _EQUAL)
    if name.kind == "boolean":
        if word.lower() not in _TRUTHS:
            raise ValueError(f"{name.name} is true or false, not {word!r}")
        return (Condition(operator, _TRUTHS[word.lower()]),)
    if not word:
        raise ValueError(f"{name.name} is compared with nothing")
    _check(name, word)
    return (Condition(operator, word),)


def _parse_number(name: Expect, text: str) -> Condition:
    operator, word = _split(name, text, OPERATORS)
    if word == NO_LIMIT:
        if operator not in _EQUAL:
            raise ValueError(f"{name.name}: {operator} compares with a quantity, not with none")
        return Condition(operator, UNLIMITED)
    try:
        billionths = quantity.parse(word)
    except ValueError as exc:
        raise ValueError(f"{name.name}: {exc}") from None
    if name.kind != "CPUs" and billionths % quantity.ONE:
        unit = "byte" if name.kind == "bytes" else "whole one"
        raise ValueError(f"{name.name}: {word!r} is a fraction of a {unit}; m is a thousandth")
    return Condition(operator, billionths)


def _parse_set(name: Expect, entry: Entry) -> tuple[Condition, ...]:
    """Take members between blanks or commas, each group behind its operator; a list is all."""
    groups: list[tuple[Operator, list[str]]] = []
    if entry.is_list:
        groups.append(("==", list(entry.values)))
    for word in () if entry.is_list else entry.values[0].replace(",", " ").split():
        operator, member = _split(name, word, _SETS)
        if not groups or member != word:
            groups.append((operator, []))
        if member:
            groups[-1][1].append(member)
    is_empty = not groups or not all(members for _, members in groups)
    if is_empty and not entry.is_list:
        raise ValueError(f"{name.name} is compared with nothing; {NO_LIMIT} is the empty set")
    found = []
    for operator, members in groups:
        only = frozenset(members) - ({NO_LIMIT} if len(members) == 1 else frozenset())
        for member in sorted(only):
            _check(name, member)
        found.append(Condition(operator, only))
    return tuple(found)


def _split(name: Expect, text: str, allowed: tuple[Operator, ...]) -> tuple[Operator, str]:
    """Return the operator, ``==`` where there is none, and the text behind it."""
    word = text.lstrip("<>=!~")
    written = text[: len(text) - len(word)]
    for operator in allowed:
        if written in {operator, ""}:
            return operator if written else "==", word.strip()
    raise ValueError(
        f"{name.name}: {written} is not an operator here; expected one of {' '.join(allowed)}"
    )


def matches(condition: Condition, value: Value) -> bool:
    """Return whether *value* meets *condition*.

    A number known as a range meets a condition that any number in it meets: nothing is more exact.
    """
    operator, operand = condition.operator, condition.operand
    if isinstance(value, tuple):
        return any(_within(operator, operand, low, high) for low, high in value)
    if isinstance(value, frozenset) and isinstance(operand, frozenset) and operator == "<=":
        return value <= operand
    if isinstance(value, frozenset) and isinstance(operand, frozenset) and operator == ">=":
        return value >= operand
    return (value == operand) is (operator == "==")


def _within(operator: Operator, operand: object, low: float, high: float) -> bool:
    number = operand if isinstance(operand, int | float) else 0
    match operator:
        case "<=":
            return low <= number
        case "<":
            return low < number
        case ">=":
            return high >= number
        case ">":
            return high > number
        case "==":
            return low <= number <= high
        case "!=":
            return not low == number == high


def is_met(expected: Expectation, value: Value) -> bool:
    """Return whether *value* is as expected."""
    return any(all(matches(each, value) for each in every) for every in expected.any_of)


def format_value(kind: Kind, value: Value) -> str:
    """Format *value* as an expectation would be written."""
    if isinstance(value, tuple):
        return " or ".join([_span(kind, low, high) for low, high in value])
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value
    members = sorted(value)
    listed = ", ".join(members[:MAX_LISTED])
    if len(members) > MAX_LISTED:
        listed += f" and {len(members) - MAX_LISTED} more"
    if kind == "profile":
        return f"fails {listed}" if members else "holds"
    return listed or NO_LIMIT


def _span(kind: Kind, low: float, high: float) -> str:
    return _one(kind, low) if low == high else f"{_one(kind, low)} to {_one(kind, high)}"


def _one(kind: Kind, number: float) -> str:
    if number == UNLIMITED:
        return NO_LIMIT
    billionths = int(number)
    return str(billionths // quantity.ONE) if kind == "count" else quantity.write(billionths)
