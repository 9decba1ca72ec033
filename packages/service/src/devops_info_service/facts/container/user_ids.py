"""User ids in a user namespace, and their ids outside.

Source: user_namespaces(7): a line of uid_map is first id inside, first id outside, length; the
initial namespace has the identity map of all ids.
"""

from typing import Final

import msgspec

from devops_info_service.facts import parse
from devops_info_service.facts.fact import Fact, File, Known, Unknown
from devops_info_service.facts.lines import lines, words


class IdMap(msgspec.Struct, frozen=True):
    """One range of a user namespace."""

    inside: int
    outside: int
    length: int


def id_map(text: str) -> tuple[IdMap, ...]:
    """Parse the lines of ``uid_map``."""
    found = []
    for line in lines(text):
        inside, outside, length = (parse.count(word) for word in words(line))
        found.append(IdMap(inside, outside, length))
    return tuple(found)


def outside(ranges: tuple[IdMap, ...], user: int) -> int | None:
    """Return the id of *user* in the namespace outside; ``None``: none is mapped to it."""
    for each in ranges:
        if each.inside <= user < each.inside + each.length:
            return each.outside + user - each.inside
    return None


_INITIAL: Final = (IdMap(0, 0, 2**32 - 1),)
"""Of the initial namespace: every id is itself, and none is left for another to map so."""


def is_root_outside(shared: Fact[bool], uid_map: File, user: int) -> Fact[bool]:
    """Return whether *user* is the machine's root.

    *shared* is whether the user namespace is the machine's own.
    """
    ranges = uid_map.parse(id_map)
    if isinstance(shared, Known) and shared.value:
        return Known(user == 0, shared.evidence)
    if isinstance(shared, Unknown) and isinstance(ranges, Known) and ranges.value == _INITIAL:
        return Known(user == 0, ranges.evidence)
    if isinstance(shared, Unknown):
        return shared
    if isinstance(ranges, Unknown):
        return ranges
    found = outside(ranges.value, user)
    if found == 0:
        return Unknown(
            f"user {user} is 0 outside its user namespace: root, unless that is mapped as well"
        )
    return Known(value=False, evidence=(*shared.evidence, *ranges.evidence))
