"""The results of the survey as a page of the reference."""

from collections import Counter
from collections.abc import Sequence
from typing import Final

from bench.compat.survey import Outcome, Result
from bench.lib.harness import markdown_cell, markdown_table

_INTRODUCTION: Final = """\
# Compatibility

`make compat` writes this page: the {total} most used packages, each with code that uses it.
The code, in `bench/compat/packages.toml`, first runs under an ordinary CPython {python}.
There pip has installed the versions that `onebin lock` chose.
Then onebin plans and builds a project that depends on the package.
The executable runs as the only file of an empty root: unprivileged, with an empty environment.
A package works if both print the same.

- *came in*: `pure`, from a wheel as it is; `captured`, built from source.
- *C modules*: those that pip installs on this platform, and how many of them are inside.
- *distributions*: the package and its dependencies.
- *seconds*: the build, with CPython in the cache, on a machine with other work.
- *MB*: the executable.

Measured {machine}.
Each command of onebin had {limit} s.
"""


_MIXED: Final = """\
Made with `--stale`: onebin changed during the survey, and each row has the onebin of its moment.
A run without it, at one state of onebin, is still due.
"""


def render(
    results: Sequence[Result],
    *,
    machine: str,
    python: str,
    limit_seconds: int,
    untried: Sequence[str] = (),
    is_mixed: bool = False,
) -> str:
    """Return the page: counts, what does not work with its reason, the whole table.

    *is_mixed*: results of other states of onebin were kept, so no single one made the table.
    """
    counts = Counter(result.outcome for result in results)
    introduction = _INTRODUCTION.format(
        total=len(results) + len(untried), machine=machine, python=python, limit=limit_seconds
    )
    parts = [introduction, _counts(counts)]
    if is_mixed:
        parts.append(_MIXED)
    if untried:
        parts.append(f"Not tried yet: {', '.join(untried)}.\n")
    for outcome in Outcome:
        found = [result for result in results if result.outcome is outcome]
        if not found:
            continue
        parts.append(f"## {str(outcome).capitalize()}\n")
        table = _working(found) if outcome is Outcome.WORKS else _others(found)
        parts.append(f"{table}\n")
        if outcome is Outcome.WORKS and any(result.lacks for result in found):
            parts.append(f"### Without compiled code\n\n{_lacking(found)}\n")
    return "\n".join(parts)


def _counts(counts: Counter[Outcome]) -> str:
    rows = [(str(outcome), str(counts[outcome])) for outcome in Outcome]
    return f"{markdown_table(('result', 'packages'), rows)}\n"


def _working(results: Sequence[Result]) -> str:
    head = ("package", "version", "came in", "C modules", "distributions", "seconds", "MB")
    return markdown_table(head, [_row(result) for result in results])


def _lacking(results: Sequence[Result]) -> str:
    rows = [(result.name, _cell(result.lacks)) for result in results if result.lacks]
    return markdown_table(("package", "reason, as in the plan"), rows)


def _row(result: Result) -> tuple[str, ...]:
    expected = result.compiled_expected
    return (
        result.name,
        result.version,
        result.provider,
        f"{result.compiled_found} of {expected}" if expected else "",
        str(result.distributions),
        f"{result.seconds:.1f}",
        f"{result.size_bytes / 1e6:.1f}",
    )


def _others(results: Sequence[Result]) -> str:
    rows = [(result.name, result.version, result.kind, _cell(result.reason)) for result in results]
    return markdown_table(("package", "version", "kind", "reason"), rows)


def _cell(text: str) -> str:
    """Return *text* as one cell, on one line."""
    return markdown_cell(" ".join(text.split()))
