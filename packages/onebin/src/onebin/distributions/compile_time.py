"""How long the C code of a source distribution is compiled, as a rough estimate by its files.

Measured with the pinned compiler at ``-O2`` on one core of a 2024 server: 150 kB of C a second, 3 s
for each C++ file, whose headers are the most of it; a line of Cython becomes twenty of C.
"""

import re
from pathlib import Path
from typing import Final

C: Final = frozenset({".c"})
CXX: Final = frozenset({".cc", ".cpp", ".cxx"})
CYTHON: Final = frozenset({".pyx"})

ASIDE: Final = re.compile(
    r".*tests?|testing|.*examples?|samples?|demos?|docs?|.*bench.*|fuzz.*|win(dows|32)|mac(os)?",
    re.IGNORECASE,
)
"""Folders of code that no build for Linux makes. Other projects' code, as of gRPC, is compiled."""

C_BYTES_PER_SECOND: Final = 150_000
CXX_FILE_SECONDS: Final = 3
C_PER_CYTHON: Final = 20

MAX_SECONDS: Final = 600
"""Ten minutes of one core: whose code takes longer publishes wheels, for users to install."""


def seconds(tree: Path) -> int:
    """Return the estimate for the source *tree*."""
    size, files = 0, 0
    generated = set[Path]()
    every = [
        path for path in tree.rglob("*")
        if path.suffix in C | CXX | CYTHON and path.is_file() and not path.is_symlink()
        and not any(map(ASIDE.fullmatch, path.relative_to(tree).parts[:-1]))
    ]  # fmt: skip
    for path in every:
        if path.suffix in CYTHON:
            # What Cython made of it may be beside it: one of the two is compiled.
            made = [file for end in (*C, *CXX) if (file := path.with_suffix(end)).exists()]
            generated.update(made)
            size += sum(file.stat().st_size for file in made[:1]) or (
                path.stat().st_size * C_PER_CYTHON
            )
    for path in set(every) - generated:
        if path.suffix in C:
            size += path.stat().st_size
        elif path.suffix in CXX:
            files += 1
    return files * CXX_FILE_SECONDS + size // C_BYTES_PER_SECOND
