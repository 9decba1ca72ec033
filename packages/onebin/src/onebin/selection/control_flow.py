"""Which imports of a block run, and whether it ends, fails, or might do either.

An abstract run: each import succeeds, fails, or is not known to do either. A ``try`` takes its
handler if its body may fail, and its ``else`` if the body may succeed.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Literal

import msgspec

from onebin.model import Block, Branch, Deferred, Import, Node, Raise, Try

Outcome = Literal["succeeds", "fails", "unknown"]
Error = Literal["import", "other"]
"""An ``ImportError``, or an exception that its handlers do not catch."""


class Failure(msgspec.Struct, frozen=True):
    """Why a block fails."""

    cause: Import | Raise
    target: str = ""
    """The name that cannot be imported: the module, a parent, or a submodule in ``names``."""


class Run(msgspec.Struct, frozen=True):
    """The outcome of a block."""

    outcome: Outcome
    errors: frozenset[Error] = frozenset()
    """Kinds of exceptions it may raise."""
    failure: Failure | None = None
    """Of a block that fails."""


SUCCEEDS = Run("succeeds")
UNKNOWN = Run("unknown", frozenset({"import"}))


def fails(failure: Failure, error: Error) -> Run:
    """Return the outcome of a statement that raises *error*."""
    return Run("fails", frozenset({error}), failure)


OutcomeOf = Callable[[Import], Run]
OnImport = Callable[[Import], None]


def run(block: Block, outcome_of: OutcomeOf, on_import: OnImport) -> Run:
    """Run *block* abstractly.

    Args:
        block: Statements in their order; after a failing one, none runs.
        outcome_of: What becomes of an import.
        on_import: Called with each import that may run, in order.
    """
    return in_order(_run(node, outcome_of, on_import) for node in block)


def in_order(runs: Iterable[Run]) -> Run:
    """Return the outcome of *runs*, one after the other until one fails."""
    before = SUCCEEDS
    for found in runs:
        if found.outcome == "fails":
            return found
        if found.outcome == "unknown":
            before = _unknown(before, found)
    return before


def imports(block: Iterable[Node]) -> Iterable[Import]:
    """Yield every import of *block*, at any depth."""
    for node in block:
        if isinstance(node, Import):
            yield node
        elif isinstance(node, Branch):
            for inner in node.blocks:
                yield from imports(inner)
        elif isinstance(node, Deferred):
            yield from imports(node.block)
        elif isinstance(node, Try):
            for inner in (node.body, node.caught or (), node.rest, node.orelse, node.final):
                yield from imports(inner)


def _run(node: Node, outcome_of: OutcomeOf, on_import: OnImport) -> Run:
    match node:
        case Import():
            on_import(node)
            return outcome_of(node)
        case Raise():
            return fails(Failure(node), "import" if node.is_import_error else "other")
        case Branch(blocks):
            return _either([run(block, outcome_of, on_import) for block in blocks])
        case Deferred(block):
            run(block, outcome_of, on_import)
            return SUCCEEDS
        case Try():
            return _run_try(node, lambda block: run(block, outcome_of, on_import))


def _run_try(node: Try, go: Callable[[Block], Run]) -> Run:
    body = go(node.body)
    ends = [] if body.outcome == "fails" else [go(node.orelse)]
    if node.caught is None:
        if "import" in body.errors:
            ends.append(_only(body, "import"))
    elif body.errors or node.may_raise:
        handled = go(node.caught)
        if body.failure and handled.failure and isinstance(handled.failure.cause, Raise):
            # The handler only words it: the missing import is the cause.
            handled = msgspec.structs.replace(handled, failure=body.failure)
        ends.append(handled)
    if "other" in body.errors:
        ends.append(_only(body, "other"))
        if node.caught is not None or node.rest:
            ends.append(SUCCEEDS)  # its class decides whether one of them catches it
    rest = go(node.rest)
    if rest.outcome != "succeeds":
        ends.append(rest)
    end, final = _either(ends), go(node.final)
    if final.outcome == "fails":
        return final
    return end if final.outcome == "succeeds" else _unknown(end, final)


def _only(body: Run, error: Error) -> Run:
    """Return *body*, of whose errors only *error* gets out."""
    if body.errors == {error}:
        return body
    return Run("unknown", frozenset({error}))


def _either(ends: Sequence[Run]) -> Run:
    """Return the outcome where one of *ends* happens, and not known which."""
    first = ends[0]
    if all((end.outcome, end.errors) == (first.outcome, first.errors) for end in ends):
        return first
    return _unknown(*ends)


def _unknown(*runs: Run) -> Run:
    return Run("unknown", frozenset().union(*(run.errors for run in runs)))
