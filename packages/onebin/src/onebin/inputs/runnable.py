"""Starts to suggest where a project names none: what of its code and its dependencies runs.

Nothing is decided by it: a text is searched for the line by which a module runs as a program.
"""

import itertools
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from packaging.utils import canonicalize_name

from onebin.effects import files

RUNS: Final = re.compile(rb"""^if[ \t(]+__name__[ \t]*==[ \t]*(['"])__main__\1""", re.MULTILINE)

NOT_PROGRAMS: Final = frozenset(
    {
        "build",
        "conftest",
        "dist",
        "docs",
        "env",
        "noxfile",
        "runtests",
        "setup",
        "src",
        "test",
        "tests",
        "venv",
    }
)
"""Modules and folders that are about the project, and no part of it."""

COMMANDS: Final = {
    "celery": "celery.__main__:main",
    "flask": "flask.cli:main",
    "gunicorn": "gunicorn.app.wsgiapp:run",
    "hypercorn": "hypercorn.__main__:main",
    "scrapy": "scrapy.cmdline:execute",
    "streamlit": "streamlit.web.cli:main",
    "uvicorn": "uvicorn.main:main",
    "waitress": "waitress.runner:run",
}
"""Distributions whose command runs an application of another, each with its start."""

SHOWN: Final = 4
"""Starts of one kind in a hint."""

SEARCHED: Final = 400
"""Files: a folder may hold far more than a program."""

NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def starts(code: Path) -> list[str]:
    """Return settings that start what runs in the folder *code* and below; whole packages first.

    A file of a folder without ``__init__.py`` runs from its own folder, ``python bot/main.py``,
    where its imports are.
    """
    return [
        f'-m {module} with tool.onebin.source = "{folder}"' if folder else f"-m {module}"
        for module, folder in _programs(code)
    ]


def _programs(code: Path) -> list[tuple[str, str]]:
    """Return each module that runs, and the folder it runs from if that is below *code*."""
    packages, found = [], []
    for module, file in itertools.islice(_files(code), SEARCHED):
        name, _, last = module.rpartition(".")
        if last == "__main__" and name:
            packages.append((name, ""))
        elif RUNS.search(_text(file)):
            is_apart = bool(name) and not (file.parent / "__init__.py").is_file()
            found.append((last, name) if is_apart else (module, ""))
    return packages + found


def commands(dependencies: Iterable[str]) -> list[str]:
    """Return the commands that *dependencies*, requirements as written, have for applications."""
    names = {canonicalize_name(match[0]) for text in dependencies if (match := NAME.match(text))}
    return [start for name, start in COMMANDS.items() if name in names]


def suggestion(code: Iterable[Path], dependencies: Iterable[str]) -> str:
    """Return the end of a hint, which may be empty: what could be the start of these."""
    own = list(dict.fromkeys(start for place in code for start in starts(place)))
    of_others = commands(dependencies)
    parts = []
    if own:
        parts.append(f"this code has {', '.join(own[:SHOWN])}")
    if of_others:
        parts.append(f"its dependencies have {', '.join(of_others[:SHOWN])}")
    return "".join(f"; {part}" for part in parts)


def _files(code: Path) -> Iterator[tuple[str, Path]]:
    """Yield each module of the first two levels: those of the first one first."""
    levels: list[tuple[str, Path]] = [("", code)]
    for depth in (1, 2):
        below: list[tuple[str, Path]] = []
        for above, folder in levels:
            for path in _inside(folder):
                name = path.stem
                if name in NOT_PROGRAMS or name.startswith("test_") or not name.isidentifier():
                    continue
                if path.suffix == ".py" and path.is_file():
                    yield f"{above}{path.stem}", path
                elif not path.suffix and path.is_dir():
                    below.append((f"{above}{path.name}.", path))
        levels = below if depth == 1 else []


def _inside(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError:
        return []


def _text(file: Path) -> bytes:
    try:
        return files.read_bytes(file)
    except (OSError, ValueError):
        return b""
