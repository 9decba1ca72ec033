"""The tiny project of a package: one dependency, one function that uses it for a real thing."""

import textwrap
from pathlib import Path
from typing import Final

from bench.compat.catalog import Package

MODULES: Final = "C modules: "
"""Begins the last line that a program writes on stderr: its built-in modules, by spaces."""

PYPROJECT: Final = """\
[project]
name = "use-{name}"
version = "1"
requires-python = ">=3.13"
dependencies = {dependencies}

[tool.onebin]
entry-point = "use_it:main"
"""

PROGRAM: Final = '''\
"""Uses {name}."""

import sys


def main():
{code}
    sys.stdout.flush()
    names = " ".join(sorted(sys.builtin_module_names))
    print(f"\\n{modules}{{names}}", file=sys.stderr)


if __name__ == "__main__":
    main()
'''


def write(package: Package, folder: Path) -> Path:
    """Write the project of *package* into *folder* and return its program."""
    folder.mkdir(parents=True, exist_ok=True)
    dependencies = [package.name, *package.requires]
    # A list of strings is the same in TOML as in JSON; repr differs in its quotes only.
    text = str(dependencies).replace("'", '"')
    pyproject = PYPROJECT.format(name=package.name, dependencies=text)
    (folder / "pyproject.toml").write_text(pyproject, "utf-8")
    program = folder / "use_it.py"
    code = textwrap.indent(package.code.strip(), "    ")
    program.write_text(PROGRAM.format(name=package.name, code=code, modules=MODULES), "utf-8")
    return program
