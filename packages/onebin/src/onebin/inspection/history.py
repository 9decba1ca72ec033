"""The variables that a step of an image's history sets, read as a shell reads its line.

Source: the Dockerfile reference (``ENV``, ``ARG``; build arguments follow ``|N``); POSIX's
shell grammar (XCU 2.10.2, rule 7: assignments come before the name of a command).
"""

import re
from collections.abc import Iterator
from typing import Final

MAX_CHARACTERS: Final = 1 << 20
"""Read of a step: half of the longest command line of Linux."""
_MAX_DEPTH: Final = 4
"""Of shells that are given a line by ``-c``."""

_TOKEN: Final = re.compile(
    r"""(?P<end>[;&|()\n]+)
    |(?P<word>(?:\\.|[^\s;&|()'"\\]|'[^']*'|"(?:[^"\\]|\\.)*")+)
    |.""",
    re.VERBOSE | re.DOTALL,
)
_ASSIGNED: Final = re.compile(r"-{0,2}([A-Za-z_][A-Za-z0-9_-]*)=(.*)", re.DOTALL)
_BEGINS: Final = re.compile(
    r"RUN|ENV|ARG|export|declare|typeset|local|readonly|env|set|\#\(nop\)|sudo|then|do|else|!|\d+"
)
"""Words after which assignments may still follow."""
_LITERAL: Final = re.compile(r"ENV|ARG|\d+")
"""What follows them has its values as they are in the image, a dollar sign too."""
_REFERENCE: Final = re.compile(
    r""""?(?:[$](?:\(.*)?|`.*|[$]\{?[A-Za-z_][A-Za-z0-9_]*\}?)"?""", re.DOTALL
)
"""A shell takes the value from another variable or a command, such as of a mounted secret."""
_MANAGERS: Final = re.compile(
    r"(?:.*/)?(?:apt|apt-get|apk|yum|dnf5?|microdnf|tdnf|zypper|pacman|opkg|pip[0-9.]*|pipx|uv"
    r"|conda|mamba|micromamba|npm|yarn|pnpm|gem|brew|install_packages)"
)
"""They take NAME=VERSION for a package and its version."""


def history_variables(step: str, depth: int = _MAX_DEPTH) -> Iterator[tuple[str, str]]:
    """Yield the names that *step* gives a value, of variables and of options, each with it."""
    program, before = "", ""
    is_start, is_literal = True, False
    for token in _TOKEN.finditer(step[:MAX_CHARACTERS]):
        word = token["word"]
        if token["end"]:
            program, is_start, is_literal = "", True, False
        if not word:
            continue
        if before == "-c" and word[0] in "'\"" and depth:
            yield from history_variables(word.strip("'\""), depth - 1)
        elif (found := _ASSIGNED.fullmatch(word.strip("'\""))) is not None:
            is_package = _MANAGERS.fullmatch(program) and not word.startswith("-")
            # NAME==VERSION is pip's; a value that begins so is none of a variable.
            is_known = is_literal or not _REFERENCE.fullmatch(found[2])
            if not is_package and is_known and found[2] and not found[2].startswith("="):
                yield found[1].replace("-", "_"), found[2].strip("'\"")
        elif word == "-c":
            program, is_start = "", True
        elif is_start and not _BEGINS.fullmatch(word):
            program, is_start, is_literal = word, False, False
        else:
            is_literal = is_start and _LITERAL.fullmatch(word) is not None
        before = word
