"""A limit of this process: its own group's, and the smallest above it that can be seen."""

from typing import Final, Generic, TypeVar

import msgspec

from devops_info_service.facts.fact import Fact, Known, Unknown

N = TypeVar("N", int, float)

HIDDEN: Final = Unknown("nothing above the process's own group can be seen from here")


class Limit(msgspec.Struct, Generic[N], frozen=True):
    """``None`` inside a known fact is: no limit."""

    own: Fact[N | None]
    """Of the group the process is in: in a container, the container's."""
    above: Fact[N | None]
    """The smallest of the groups above, such as the pod's, as far as they can be seen."""
    effective: Fact[N | None]
    """The smaller of the two; a hidden limit above may be smaller still."""
    complete: bool
    """Whether all groups up to the machine's root were seen."""


def join_levels(facts: list[Fact[N | None]], *, top_visible: bool) -> Limit[N]:
    """Join the limits of each level, the own group's first."""
    top: Fact[N | None] = Known(None) if top_visible else HIDDEN
    return Limit(
        own=facts[0],
        above=_smallest(facts[1:]) or top,
        effective=_smallest(facts) or facts[0],
        complete=top_visible and all(isinstance(fact, Known) for fact in facts),
    )


def _smallest(facts: list[Fact[N | None]]) -> Known[N | None] | None:
    known = [fact for fact in facts if isinstance(fact, Known)]
    limited = [(fact.value, index) for index, fact in enumerate(known) if fact.value is not None]
    if limited:
        return known[min(limited)[1]]
    return known[0] if known else None
