"""A shape as a project's files, each as its back end's documentation writes them."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from .shape import Shape

VERSION: Final = "4.2.1"

PROGRAM: Final = '''
"""Prints what a program finds out about itself."""

import json
import os
import sys
from importlib import metadata, resources


def facts():
    found = {{"version": metadata.version({name!r}), "module": __name__}}
    points = metadata.entry_points()
    own = [p for g in ("console_scripts", "gui_scripts") for p in points.select(group=g)
           if p.value.startswith({package!r})]
    found["scripts"] = sorted(f"{{p.name}}={{p.value}}" for p in own)
    found["requires"] = sorted(metadata.requires({name!r}) or [])
    found["summary"] = metadata.metadata({name!r})["Summary"]
    if {is_package}:
        files = resources.files({package!r})
        found["files"] = sorted(f.name for f in files.iterdir() if f.name != "__pycache__")
    for place in {data}:
        found[place] = resources.files({package!r}).joinpath(place).read_text()
    if {outside}:
        with open(os.path.join(sys.prefix, "share/odd-tool/words.txt")) as file:
            found["outside"] = file.read()
    for module in {modules}:
        found[module] = __import__(module, fromlist=["x"]).__name__
    for module in {optional}:
        try:
            found[module] = __import__(module).__name__
        except ImportError:
            found[module] = "absent"
    return found


def main(start="main"):
    print(json.dumps({{**facts(), "start": start, "arguments": sys.argv[1:]}}, sort_keys=True))


def other():
    main("other")
'''

RUN: Final = 'if __name__ == "__main__":\n    main("run")\n'

MODULES: Final = {
    "index": "iniconfig", "extra": "markdown_it", "folder": "near", "git": "far", "wheel": "built",
}  # fmt: skip
"""The modules that each kind of dependency brings."""

REQUIREMENTS: Final = {
    "index": "iniconfig>=2", "extra": "markdown-it-py[plugins]<4", "folder": "near", "git": "far",
    "wheel": "built", "marker": "colorama; sys_platform == 'win32'",
}  # fmt: skip


def write(shape: Shape, root: Path) -> None:
    """Write the project of *shape* into the new folder *root*."""
    for name, text in {**_code(shape), **_settings(shape)}.items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")


def entry_point(shape: Shape) -> list[str]:
    """Return the options of onebin that choose the start of *shape*."""
    package = shape.package
    start = package if shape.layout == "module" else f"{package}.cli"
    return {
        "script": [], "gui": [], "scripts": ["--entry-point", "second"],
        "function": ["--entry-point", f"{start}:other"], "module": ["-m", package],
    }[shape.start]  # fmt: skip


def _code(shape: Shape) -> dict[str, str]:
    package = shape.package
    is_module = shape.layout == "module"
    folder = shape.source + package.replace(".", "/")
    words = {"package": ["words.txt", "deep/more.txt"], "include": ["words.txt"]}
    modules = [MODULES[kind] for kind in sorted(shape.dependencies) if kind in MODULES]
    if shape.layout == "several":
        modules.append("second_package")
    text = PROGRAM.format(
        name=shape.name, package=package, is_package=not is_module,
        data=words.get(shape.data, []), outside=shape.data == "outside", modules=modules,
        optional=["surely_absent", "colorama"] if "optional" in shape.dependencies else [],
    )  # fmt: skip
    version = f'"""An odd tool."""\n\n__version__ = "{VERSION}"\n'
    found = {"README.md": "odd\n"}
    if shape.data in {"include", "outside"}:
        found["extra/words.txt"] = "outside\n"
    if shape.version == "file":
        found["VERSION"] = f"{VERSION}\n"
    if is_module:
        return found | {f"{package}.py": version + text + RUN}
    found |= {
        f"{folder}/__init__.py": version,
        f"{folder}/cli.py": text,
        f"{folder}/__main__.py": f'from {package}.cli import main\n\nmain("run")\n',
        f"{folder}/py.typed": "",
    }
    if shape.data == "package":
        found[f"{folder}/words.txt"] = "words\n"
        found[f"{folder}/deep/more.txt"] = "more\n"
    if shape.data == "include" and shape.back_end in {"setuptools", "setup.cfg", "setup.py"}:
        found["MANIFEST.in"] = f"include {folder}/words.txt\n"
    if shape.data == "include" and shape.back_end != "hatchling":
        found[f"{folder}/words.txt"] = "words\n"
    if shape.layout == "several":
        found[f"{shape.source}second_package/__init__.py"] = "X = 1\n"
    # Tests are beside a program, not in it.
    return found | {"tests/test_odd.py": "import nothing_of_the_kind\n"}


def scripts(shape: Shape) -> dict[str, str]:
    """Return the scripts of *shape*; those of a gui have another group."""
    place = shape.package if shape.layout == "module" else f"{shape.package}.cli"
    found = {"odd-tool": f"{place}:main"}
    if shape.start == "scripts":
        found = {"first": f"{place}:main", "second": f"{place}:other"}
    return {} if shape.start in {"function", "module"} else found


def requirements(shape: Shape) -> list[str]:
    """Return what *shape* needs, sorted."""
    return sorted(REQUIREMENTS[kind] for kind in shape.dependencies if kind in REQUIREMENTS)


def _settings(shape: Shape) -> dict[str, str]:
    from . import back_ends  # noqa: PLC0415  (each imports the other's tables)

    return back_ends.WRITERS[shape.back_end](shape)


def table(name: str, values: Mapping[str, object]) -> str:
    """Return a table of TOML; a value is a text, a list, a flat table, or raw between ``<>``."""
    lines = [f"[{name}]"]
    lines += [f"{json.dumps(key)} = {_value(value)}" for key, value in values.items()]
    return "\n".join([*lines, "", ""])


def _value(value: object) -> str:
    if isinstance(value, Mapping):
        inner = ", ".join(f"{json.dumps(key)} = {_value(item)}" for key, item in value.items())
        return f"{{ {inner} }}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_value, value))}]"
    return json.dumps(value)


def installed(shape: Shape) -> set[str]:
    """Return the files that pip would install of *shape*, but for metadata."""
    place = shape.package.replace(".", "/")
    own = {name.removeprefix(shape.source) for name in _code(shape)
           if name.startswith(f"{shape.source}{place}")}  # fmt: skip
    if shape.layout == "several":
        own.add("second_package/__init__.py")
    if shape.data == "include":
        own.add(f"{place}/words.txt")
    return own
