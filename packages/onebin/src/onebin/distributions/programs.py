"""Programs that build requirements bring: back ends call ``cython``, ``meson``, ``ninja`` by name.

Sources: the entry points specification (``console_scripts``), the binary distribution format
(scripts that begin with ``#!python``).
"""

import configparser
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from .install import MODULE

NAME: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*", re.ASCII)

FUNCTION: Final = re.compile(
    rf"(?P<module>{MODULE.pattern})\s*:\s*(?P<function>{MODULE.pattern})", re.ASCII
)

SCRIPT: Final = """\
#!{python} -PS
import sys
sys.argv[0] = {name!r}
import {module}
sys.exit({module}.{function}())
"""


def write(site: Path, folder: Path, python: Path) -> None:
    """Put the console scripts of the distributions in *site* into *folder*; *python* runs them.

    Scripts already there get *python* as their interpreter. They find *site* by ``PYTHONPATH``.
    """
    folder.mkdir(exist_ok=True)
    for name in ("python", "python3"):
        (folder / name).unlink(missing_ok=True)
        (folder / name).symlink_to(python)
    for script in folder.iterdir():
        if script.is_symlink():
            continue
        data = script.read_bytes()
        if data.startswith(b"#!python"):
            rest = data.partition(b"\n")[2]
            script.write_bytes(f"#!{python} -PS\n".encode() + rest)
    for name, module, function in _console_scripts(site):
        script = folder / name
        if script.exists():
            continue
        text = SCRIPT.format(python=python, name=name, module=module, function=function)
        script.write_text(text, "utf-8")
        script.chmod(0o755)


def _console_scripts(site: Path) -> Iterator[tuple[str, str, str]]:
    for file in sorted(site.glob("*.dist-info/entry_points.txt")):
        parser = configparser.RawConfigParser(delimiters=("=",), strict=False)
        parser.optionxform = str  # type: ignore[assignment,method-assign]  # names keep their case
        try:
            parser.read_string(file.read_text("utf-8"))
        except (configparser.Error, ValueError):
            continue  # a plugin's own table, perhaps: not one of programs
        if not parser.has_section("console_scripts"):
            continue
        for name, value in parser.items("console_scripts"):
            found = FUNCTION.match(value.strip())
            if NAME.fullmatch(name) and found:
                yield name, found["module"], found["function"]
