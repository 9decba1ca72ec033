"""The source that a program starts with: its ``__main__``, its console script."""

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


def main_text(entry: EntryPoint, first: Collection[str] = ()) -> str:
    """Return the source of ``__main__``, which begins with importing *first*."""
    template = MAIN_TEMPLATE if entry.function else RUN_MAIN_TEMPLATE
    return _filled(template, entry, first)


def script_text(entry: EntryPoint, first: Collection[str] = ()) -> str:
    """Return the console script of a program with files inside."""
    template = SCRIPT_TEMPLATE if entry.function else RUN_SCRIPT_TEMPLATE
    return _filled(template, entry, first)


def _filled(template: str, entry: EntryPoint, first: Collection[str]) -> str:
    top = entry.function.partition(".")[0]
    imports = f"import {', '.join(sorted(first))}\n" if first else ""
    return template.format(first=imports, module=entry.module, top=top, function=entry.function)
