"""The path from what a project names to a distribution that it may not name.

A fault names the distribution that has it, which another brought.
"""

from collections.abc import Collection, Iterable, Mapping

Needs = Mapping[str, Collection[str]]
"""What distributions need, all by normalized names."""


def path(name: str, direct: Iterable[str], needs: Needs) -> tuple[str, ...]:
    """Return the shortest path from one of *direct* to what needs *name*, each needing the next.

    Empty if *name* is direct itself, or if none is known.
    """
    paths: dict[str, tuple[str, ...]] = {first: (first,) for first in sorted(direct)}
    if name in paths:
        return ()
    waiting = list(paths)
    for one in waiting:  # grows
        for needed in sorted(needs.get(one, ())):
            if needed == name:
                return paths[one]
            if needed not in paths:
                paths[needed] = (*paths[one], needed)
                waiting.append(needed)
    return ()


def hint(text: str, found: tuple[str, ...]) -> str:
    """Return *text*, the hint of a fault, and the path *found* to what needs the faulty one."""
    if not found:
        return text
    through = f" through {', '.join(found[1:])}" if found[1:] else ""
    return f"{text}{'; ' if text else ''}{found[0]} needs it{through}"
