"""The program ``onebin``: a build of nothing new ends before all the rest is imported."""

import gc
import os
import sys
import time
from collections.abc import Sequence

from onebin.effects import unchanged
from onebin.effects.progress import Progress
from onebin.effects.streams import prepare, write_notice, write_result
from onebin.errors import OnebinError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command *arguments* (the process's own if absent) and return its exit status."""
    began = time.monotonic()
    args = list(sys.argv[1:] if arguments is None else arguments)
    if args[:1] == ["build"] and (found := unchanged.result(args, os.environ)):
        prepare()
        return _again(found, args, began)
    from onebin import cli  # noqa: PLC0415  (takes a tenth of a second)

    status = cli.main(args)
    if arguments is None:
        # The end of the process would search all objects for cycles, half a tenth of a second.
        gc.freeze()
    return status


def _again(found: unchanged.Result, args: Sequence[str], began: float) -> int:
    color = sys.stderr.isatty() and not os.environ.get("NO_COLOR")
    if not {"-q", "--quiet"} & set(args):
        progress = Progress(sys.stderr, terminal=sys.stderr.isatty(), color=color)
        for text in found.warnings:
            progress.warn(text)
        progress.ended("unchanged", time.monotonic() - began, found.summary)
    try:
        write_result((found.printed, "\n"))
    except OnebinError as exc:
        from onebin import render  # noqa: PLC0415  (takes as long as the rest)

        write_notice(sys.stderr, render.error(exc, color=color))
        return exc.exit_status
    return 0


if __name__ == "__main__":
    sys.exit(main())
