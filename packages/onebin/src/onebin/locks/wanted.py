"""What of a lock is wanted, and how markers of locks are read.

Sources: PEP 508 (markers), PEP 751 (``extras`` and ``dependency_groups`` in markers).
"""

from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import Final, TypeVar

import msgspec
from packaging.markers import Marker

from onebin.errors import ProjectError
from onebin.requirement import MAX_LENGTH, decide_extras, shown

N = TypeVar("N", bound=Hashable)

MAX_MARKER: Final = 20 * MAX_LENGTH
"""Characters of a marker: tools that lock forks join dozens of conditions."""


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """The part of a lock that a project needs."""

    project: str = ""
    """The project's name, normalized: some locks hold several projects."""
    requirements: tuple[str, ...] = ()
    """Its requirements, those of its extras and groups included (PEP 508)."""
    extras: frozenset[str] = frozenset()
    """Its extras that are wanted, normalized."""
    groups: frozenset[str] = frozenset()
    """Its dependency groups that are wanted (PEP 735), normalized."""


def holds(
    marker: str,
    environment: Mapping[str, str],
    *,
    where: str,
    extras: Iterable[str] = (),
    groups: Iterable[str] = (),
) -> bool:
    """Whether *marker* of a lock holds; an empty one does.

    Args:
        marker: Its text.
        environment: The variables of markers.
        where: The entry, for messages.
        extras: Those that are wanted: ``extra == 'a'`` holds if a is among them.
        groups: The dependency groups that are wanted.

    Raises:
        ProjectError: it is malformed.
    """
    if not marker:
        return True
    wanted = frozenset(extras)
    try:
        if len(marker) > MAX_MARKER:
            raise ValueError(f"more than {MAX_MARKER} characters")  # noqa: TRY301
        variables: dict[str, str | frozenset[str]] = {
            **environment,
            "extras": wanted,
            "dependency_groups": frozenset(groups),
        }
        variables.pop("extra", None)
        return Marker(decide_extras(marker, wanted)).evaluate(variables, context="lock_file")
    except (ValueError, LookupError, TypeError, ArithmeticError, RecursionError) as exc:
        raise ProjectError(
            f"{where}: the marker {shown(marker)} cannot be evaluated: {shown(str(exc))}",
            hint="correct it where the dependency is stated, and write the lock again",
        ) from exc


def reachable(
    roots: Iterable[tuple[N, frozenset[str]]],
    needs: Callable[[N, frozenset[str]], Iterable[tuple[N, frozenset[str]]]],
) -> list[N]:
    """Return the nodes that *roots* reach, in the order they are found.

    A node is visited again when more of its extras are wanted: they may need more.

    Args:
        roots: Nodes, each with its extras.
        needs: What a node needs under a set of its extras.
    """
    found: dict[N, frozenset[str]] = {}
    waiting = list(roots)
    while waiting:
        node, extras = waiting.pop()
        known = found.get(node)
        if known is not None and extras <= known:
            continue
        found[node] = extras | (known or frozenset())
        waiting += needs(node, found[node])
    return list(found)
