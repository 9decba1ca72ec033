"""Text of the kernel and of the C library cut into lines and words, at the bytes they cut at.

A name in such a text may hold any character but those that its writer escapes or refuses: a
carriage return, U+0085, U+2028, a no-break space. ``str.splitlines()`` and ``str.split()`` cut at
all of these, so a name could forge a line or hide one. ``.ci/line-reading`` refuses both, and
``str.strip()``, in every module that reads.

Source: Linux, lib/seq_file.c (mangle_path) and fs/proc/; getline(3).
"""

from typing import Final

BLANKS: Final = " \t"
"""What separates words: the kernel writes both, and the C library reads both."""


def lines(text: str) -> list[str]:
    """Cut *text* at line feeds; the last line may lack its own."""
    found = text.split("\n")
    if not found[-1]:
        del found[-1]
    return found


def words(text: str) -> list[str]:
    """Cut *text* at runs of blanks and tabs."""
    return [word for word in text.replace("\t", " ").split(" ") if word]


def joined(text: str) -> str:
    """Return *text* on one line: single blanks instead of its blanks, tabs and line feeds."""
    return " ".join(words(text.replace("\n", " ")))
