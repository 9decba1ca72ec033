"""Flags of a command: parsing with one kind of error, and help of one width.

argparse costs 6 ms of start, and most containers have no flags: it is imported with the first one.
"""

from __future__ import annotations

import os
import sys
import types
from typing import TYPE_CHECKING, Any, Final, NoReturn

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
    make_error: Callable[[str], Exception] = ConfigError,
) -> argparse.ArgumentParser:
    """Return a parser that raises *make_error* with one line where argparse would exit."""
    _leave_out_locale()
    import argparse  # noqa: PLC0415

    class Parser(argparse.ArgumentParser):
        def error(self, message: str) -> NoReturn:
            raise make_error(message)

        def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:  # noqa: ANN401  as argparse has it
            found, unknown = super().parse_known_args(args, namespace)
            if unknown:
                raise make_error(_unknown(unknown[0], list(self._option_string_actions)))
            return found, unknown

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


def _unknown(argument: str, known: list[str]) -> str:
    name = argument.partition("=")[0]
    if not name.startswith("--"):
        return f"unexpected argument {argument!r}; expected a flag such as --help"
    from .suggestion import nearest  # noqa: PLC0415

    return f"unknown flag {name!r}; the nearest is {nearest(name, known)}"


def _columns() -> int:
    try:
        return os.get_terminal_size(1).columns or NO_TERMINAL_COLUMNS
    except OSError:  # not a terminal
        return NO_TERMINAL_COLUMNS


def _leave_out_locale() -> None:
    # argparse calls gettext for a translation, and gettext locale for the name of the language:
    # 27 kB of names, which the executable leaves out (``exclude`` in pyproject.toml).
    try:
        import locale  # noqa: F401, PLC0415
    except ModuleNotFoundError:
        made = types.ModuleType("locale")
        vars(made)["normalize"] = str
        sys.modules["locale"] = made
