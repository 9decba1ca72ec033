"""Replace pkg-config(1), which knows the libraries of the machine, by a table.

    pkg_config.py TABLE ARGUMENT…

TABLE is JSON: ``{package: {"version": str, "include": [folder], "folders": [folder],
"libraries": [name]}}``. Any other package is not installed.

Runs as a separate program with the interpreter that runs onebin: standard library only.
"""

import json
import operator
import re
import sys
from collections.abc import Iterable
from typing import Any

VERSION = "1.8.1"
"""Of pkg-config whose options these are."""

COMPARISONS = {
    "=": operator.eq, "==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le,
    ">": operator.gt, ">=": operator.ge,
}  # fmt: skip

WORD = re.compile(r"([^\s,<>=!]+)(?:\s*(==|!=|<=|>=|[=<>])\s*([^\s,]+))?")
"""A package, and what its version must be: ``zlib >= 1.2``."""

TAKES_VALUE = {
    "--atleast-version", "--exact-version", "--max-version", "--variable",
    "--atleast-pkgconfig-version",
}  # fmt: skip

LIMITS = {"--atleast-version": ">=", "--exact-version": "=", "--max-version": "<="}


def parts(version: str) -> list[tuple[int, str]]:
    """Return *version* as something that compares: numbers as such."""
    return [(int(word), "") if word.isdigit() else (-1, word) for word in
            re.findall(r"\d+|[A-Za-z]+", version)]  # fmt: skip


def main() -> int:
    """Print the values that the options name; 1 if a package is missing or of another version."""
    with open(sys.argv[1], encoding="utf-8") as file:
        table = json.load(file)
    options, texts = read(sys.argv[2:])
    lines = [VERSION] if "--version" in options else []
    if "--list-all" in options:
        lines += [f"{name} {name} {found['version']}" for name, found in sorted(table.items())]
    wanted = WORD.findall(" ".join(texts))
    of_options = [(LIMITS[name], options[name]) for name in LIMITS if name in options]
    for name, sign, version in wanted:
        limits = [(sign, version), *of_options] if sign else of_options
        if not _is_there(table, name, limits):
            if "--exists" not in options or "--print-errors" in options:
                sys.stderr.write(f"Package {name} was not found: onebin has no such library\n")
            return 1
    lines.append(" ".join(_answers([table[name] for name, _, _ in wanted], options)))
    sys.stdout.writelines(f"{line}\n" for line in lines if line)
    return 0


def read(arguments: Iterable[str]) -> tuple[dict[str, str], list[str]]:
    """Return the options, each with its value, and the words that name packages."""
    options: dict[str, str] = {}
    texts = []
    words = iter(arguments)
    for word in words:
        name, mark, value = word.partition("=")
        if not word.startswith("--"):
            texts.append(word)
        elif name in TAKES_VALUE and not mark:
            options[name] = next(words, "")
        else:
            options[name] = value
    return options, texts


def _is_there(table: dict[str, Any], name: str, limits: list[tuple[str, str]]) -> bool:
    return name in table and all(
        COMPARISONS[sign](parts(table[name]["version"]), parts(version)) for sign, version in limits
    )


def _answers(found: list[dict[str, Any]], options: dict[str, str]) -> list[str]:
    words = []
    for package in found:
        if "--modversion" in options:
            words.append(package["version"])
        if options.keys() & {"--cflags", "--cflags-only-I"}:
            words += [f"-I{folder}" for folder in package["include"]]
        if options.keys() & {"--libs", "--libs-only-L"}:
            words += [f"-L{folder}" for folder in package["folders"]]
        if options.keys() & {"--libs", "--libs-only-l"}:
            words += [f"-l{name}" for name in package["libraries"]]
        if variable := options.get("--variable"):
            places = {
                "includedir": package["include"][:1], "libdir": package["folders"][:1],
                "prefix": [folder.rpartition("/")[0] for folder in package["folders"][:1]],
            }  # fmt: skip
            words += places.get(variable, [])
    return list(dict.fromkeys(words))


if __name__ == "__main__":
    sys.exit(main())
