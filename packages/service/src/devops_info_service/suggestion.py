"""The nearest of the known words, for the message about an unknown one."""

from collections.abc import Iterable


def nearest(word: str, known: Iterable[str]) -> str:
    """Return the known word that begins with *word*, else the one with the fewest changes."""
    return min(known, key=lambda each: (not each.startswith(word), _distance(word[:80], each)))


def _distance(one: str, other: str) -> int:
    """Count the letters to add, drop or change (Levenshtein)."""
    row = list(range(len(other) + 1))
    for index, letter in enumerate(one, start=1):
        before, row[0] = row[0], index
        for column, wanted in enumerate(other, start=1):
            cheapest = min(before + (letter != wanted), row[column] + 1, row[column - 1] + 1)
            before, row[column] = row[column], cheapest
    return row[-1]
