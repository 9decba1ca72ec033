"""A limit of this process: its own group's, and the smallest above it that can be seen."""

from collections.abc import Callable
from typing import Final, Generic, TypeVar

import msgspec

from devops_info_service.facts.fact import Fact, File, Known, Unknown
from devops_info_service.facts.system_files import Tree

from .cgroup import Group

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


def read_limit(
    tree: Tree,
    group: Group | Unknown,
    name: str,
    parse: Callable[[File], Fact[N | None]],
) -> Limit[N]:
    """Read the file *name* of each level of *group*."""
    if isinstance(group, Unknown):
        return Limit(group, group, group, complete=False)
    last = len(group.levels) - 1
    facts: list[Fact[N | None]] = []
    for index, level in enumerate(group.levels):
        file = tree.read(f"{level}/{name}")
        if index == 0 and group.disabled:
            facts.append(Known(None, (group.disabled,)))
        elif index == last and group.top_visible and isinstance(file.content, Unknown):
            # The root of all groups has no such file: nothing limits the machine.
            facts.append(Known(None, (file.evidence("", "the root of all groups"),)))
        else:
            facts.append(parse(file))
    top: Fact[N | None] = Known(None) if group.top_visible else HIDDEN
    above = _smallest(facts[1:]) or top
    return Limit(
        own=facts[0],
        above=above,
        effective=_smallest(facts) or facts[0],
        complete=group.top_visible and all(isinstance(fact, Known) for fact in facts),
    )


def _smallest(facts: list[Fact[N | None]]) -> Known[N | None] | None:
    known = [fact for fact in facts if isinstance(fact, Known)]
    limited = [(fact.value, index) for index, fact in enumerate(known) if fact.value is not None]
    if limited:
        return known[min(limited)[1]]
    return known[0] if known else None


def group_file(tree: Tree, group: Group | Unknown, name: str) -> File:
    """Read *name* of the process's own group."""
    return File(name, group) if isinstance(group, Unknown) else tree.read(f"{group.own}/{name}")
