"""A limit of this process: that of its group, and the smallest of those above it.

A group above that cannot be seen may limit more than any that can, so "no limit" needs all of
them: up to the root of all groups.
"""

from typing import Final, Generic, TypeVar

import msgspec

from devops_info_service.facts.fact import Fact, Known, Unknown

N = TypeVar("N", int, float)

HIDDEN: Final = Unknown("the groups above the process's own cannot all be seen from here")
NONE_SEEN: Final = Unknown(
    "no limit in the groups that can be seen, and those above cannot all be seen from here"
)


class Limit(msgspec.Struct, Generic[N], frozen=True):
    """``None`` inside a known fact is: no limit."""

    own: Fact[N | None]
    """Of the group the process is in: in a container, the container's."""
    above: Fact[N | None]
    """The smallest of the groups above, such as the pod's, as far as they can be seen."""
    effective: Fact[N | None]
    """The smallest of all; a hidden one may be smaller still, unless ``complete``. Without a limit
    it is known only if ``complete``."""
    complete: bool
    """Whether all groups up to the machine's root were seen."""

    @property
    def seen(self) -> Fact[N | None]:
        """The smallest that can be seen, if only that there is none in the own group."""
        return self.own if isinstance(self.effective, Unknown) else self.effective


def join_levels(facts: list[Fact[N | None]], *, top_visible: bool) -> Limit[N]:
    """Join the limits of each level, the own group's first."""
    own, above = facts[0], facts[1:]
    complete = top_visible and all(isinstance(fact, Known) for fact in facts)
    return Limit(
        own=own,
        above=_smallest(above, top_visible, HIDDEN),
        effective=_smallest(facts, top_visible, NONE_SEEN),
        complete=complete,
    )


def _smallest(facts: list[Fact[N | None]], top_visible: bool, hidden: Unknown) -> Fact[N | None]:  # noqa: FBT001
    known = [fact for fact in facts if isinstance(fact, Known)]
    limited = [(fact.value, index) for index, fact in enumerate(known) if fact.value is not None]
    if limited:
        return known[min(limited)[1]]
    if len(known) < len(facts):
        return next(fact for fact in facts if isinstance(fact, Unknown))
    if not top_visible:
        return hidden
    return known[0] if known else Known(None)
