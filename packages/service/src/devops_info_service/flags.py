"""How a command reads its flags: one refusal, one width of help.

argparse costs 6 ms of start, and a container has no flags as a rule: it is imported here, when
somebody has given one.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final, NoReturn

from .errors import ConfigError
from .output import write_result

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

NO_TERMINAL_COLUMNS: Final = 80
MARGIN: Final = 2
"""Columns argparse leaves free at the right of its help."""


def parser(
    prog: str,
    *,
    description: str,
    epilog: str = "",
    refuse: Callable[[str], Exception] = ConfigError,
) -> argparse.ArgumentParser:
    """Return a parser that raises *refuse* with one line where argparse would exit."""
    import argparse  # noqa: PLC0415

    class Parser(argparse.ArgumentParser):
        def error(self, message: str) -> NoReturn:
            raise refuse(message)

        def _print_message(self, message: str, file: object = None) -> None:  # noqa: ARG002
            # Help is on stdout. Whether it is read does not change the exit status.
            write_result(1, message.encode("utf-8", "backslashreplace"))

    # Left to itself argparse imports shutil for the width, 60 kB of code the image does without.
    width = _columns() - MARGIN
    return Parser(
        prog=prog,
        description=description,
        epilog=epilog,
        allow_abbrev=False,
        formatter_class=lambda prog: argparse.HelpFormatter(prog, width=width),
    )


def _columns() -> int:
    try:
        return os.get_terminal_size(1).columns or NO_TERMINAL_COLUMNS
    except OSError:  # not a terminal
        return NO_TERMINAL_COLUMNS
