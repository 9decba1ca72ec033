"""The source that a program starts with: its ``__main__``, its console script."""

import ast
from collections.abc import Collection
from typing import Final

from onebin.model import EntryPoint

MAIN_TEMPLATE: Final = """\
import gc
import sys

# Objects made by imports live as long as the program: collecting them is wasted time.
gc.disable()
{first}from {module} import {top}
gc.freeze()
gc.enable()

# A container's log should have each line when it is written.
if sys.stdout is not None:
    sys.stdout.reconfigure(line_buffering=True)
sys.exit({function}())
"""

SCRIPT_TEMPLATE: Final = """\
import gc
import sys

# Objects made by imports live as long as the program: collecting them is wasted time.
{first}from {module} import {top}
gc.freeze()
gc.enable()

if __name__ == "__main__":
    # A container's log should have each line when it is written.
    if sys.stdout is not None:
        sys.stdout.reconfigure(line_buffering=True)
    sys.exit({function}())
"""
"""The console script of a program with files inside; its main has disabled the collector."""

RUN_MAIN_TEMPLATE: Final = """\
import runpy
import sys
{first}
if sys.stdout is not None:
    sys.stdout.reconfigure(line_buffering=True)
runpy.run_module("{module}", run_name="__main__", alter_sys=True)
"""
"""The same for a start without a function, which runs as with ``python -m``."""

RUN_SCRIPT_TEMPLATE: Final = """\
import gc
import sys
{first}
gc.enable()

if __name__ == "__main__":
    import runpy

    if sys.stdout is not None:
        sys.stdout.reconfigure(line_buffering=True)
    runpy.run_module("{module}", run_name="__main__", alter_sys=True)
"""


def with_first(text: str, first: Collection[str]) -> str:
    """Return the script *text* with line-buffered output, and *first* imported first.

    No line gets another number: the addition follows the docstring and ``from __future__``, or
    takes the place of the first line, which names an interpreter.
    """
    names = ", ".join(["sys as _sys", *sorted(first)])
    more = f"import {names}; _sys.stdout and _sys.stdout.reconfigure(line_buffering=True); del _sys"
    try:
        body = ast.parse(text).body
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return text  # in words of a later Python; if not, its compilation names the fault
    last = None
    for place, statement in enumerate(body):
        is_text = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
        is_future = isinstance(statement, ast.ImportFrom) and statement.module == "__future__"
        if not is_future and not (is_text and place == 0):
            break
        last = statement
    lines = text.split("\n")
    if last is None:
        return "\n".join([more, *lines[1:]])
    assert last.end_lineno is not None  # noqa: S101  (a parsed one has its place)
    line = lines[last.end_lineno - 1].encode()
    end = line[: last.end_col_offset], line[last.end_col_offset :]
    lines[last.end_lineno - 1] = f"{end[0].decode()}; {more}{end[1].decode()}"
    return "\n".join(lines)


def main_text(entry: EntryPoint, first: Collection[str] = ()) -> str:
    """Return the source of ``__main__``, which begins with importing *first*."""
    if entry.file:
        return with_first(entry.text, first)
    template = MAIN_TEMPLATE if entry.function else RUN_MAIN_TEMPLATE
    return _filled(template, entry, first)


def script_text(entry: EntryPoint, first: Collection[str] = ()) -> str:
    """Return the console script of a program with files inside."""
    if entry.file:
        return with_first(entry.text, first)
    template = SCRIPT_TEMPLATE if entry.function else RUN_SCRIPT_TEMPLATE
    return _filled(template, entry, first)


def _filled(template: str, entry: EntryPoint, first: Collection[str]) -> str:
    top = entry.function.partition(".")[0]
    imports = f"import {', '.join(sorted(first))}\n" if first else ""
    return template.format(first=imports, module=entry.module, top=top, function=entry.function)
