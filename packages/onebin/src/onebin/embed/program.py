"""The parts of every executable besides CPython and modules: main, allocator, inherited state."""

from collections.abc import Container, Iterable

from onebin.effects import csrc
from onebin.model import CSource, LinkInput


def main() -> LinkInput:
    """Return ``main``: an isolated CPython that runs the frozen ``__main__``."""
    sources = ("start.h", "main.c", "relro.c")
    return LinkInput(sources=tuple(csrc.source(name) for name in sources))


def allocator() -> LinkInput:
    """Return the raw allocator, which keeps a few large blocks."""
    return LinkInput(sources=(csrc.source("block_cache.h"), csrc.source("block_cache.c")))


def no_interpreter(builtins: Container[str]) -> LinkInput:
    """Return what lets a start of the empty ``sys.executable`` name the cause and the remedy.

    Of a program without an interpreter; nothing if it has no ``_posixsubprocess`` in *builtins*.
    """
    if "_posixsubprocess" not in builtins:
        return LinkInput()
    return LinkInput(
        sources=(csrc.source("no_interpreter.c"),),
        inittab={"_posixsubprocess": "PyInit__posixsubprocess_checked"},
    )


def held_signals(names: Iterable[str]) -> LinkInput:
    """Return the table of signals that ``main`` blocks before anything else."""
    numbers = ", ".join([*names, "0"])
    text = f"#include <signal.h>\nconst int held_signals[] = {{{numbers}}};\n"
    return LinkInput(sources=(CSource("held_signals.c", text),))


def environment(names: Iterable[str], *, has_zones: bool = False) -> LinkInput:
    """Return the table of ``PYTHON*`` variables that CPython reads; without one it reads none.

    *has_zones* is of a program with files inside: it finds time zones there, by ``TZ``.
    """
    names = tuple(names)
    header = CSource("environment.h", f"#define USES_ENVIRONMENT {int(bool(names))}\n")
    if not names and not has_zones:
        return LinkInput(sources=(header,))
    texts = ", ".join([*(f'"{name}"' for name in names), "NULL"])
    table = f"#include <stddef.h>\nconst char *const allowed_variables[] = {{{texts}}};\n"
    return LinkInput(
        sources=(header, csrc.source("environment.c"), CSource("allowed_variables.c", table)),
        wraps=("getenv",),
    )
