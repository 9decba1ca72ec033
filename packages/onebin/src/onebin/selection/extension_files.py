"""The files of C extensions, which are linked in: the names that their modules have as files."""

import csv
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path, PurePosixPath

from onebin.model import Distribution, Extension, InsideFile


def files(
    distributions: Iterable[Distribution], selected: Collection[Extension], site: str, version: str
) -> Iterator[InsideFile]:
    """Yield an empty file for each extension that is *selected*, named as it is installed.

    Args:
        distributions: Those that the extensions are of.
        selected: The extensions that are inside.
        site: The folder of distributions, below the prefix.
        version: ``3.14``.
    """
    suffix = f".cpython-{version.replace('.', '')}.so"
    chosen = {item.module for item in selected}
    for distribution in distributions:
        modules = [item.module for item in distribution.extensions if item.module in chosen]
        if not modules:
            continue
        recorded = _recorded(distribution.code)
        for module in modules:
            file = recorded.get(module, f"{module.replace('.', '/')}{suffix}")
            yield InsideFile(f"{site}{file}", "extension", text="", module=module)


def _recorded(code: Path) -> dict[str, str]:
    """Return the files of the extensions in *code*, by module, as the RECORD names them."""
    found: dict[str, str] = {}
    for record in sorted(code.glob("*.dist-info/RECORD")):
        lines = record.read_text("utf-8", "replace").splitlines()
        for row in csv.reader(lines):
            if not row or not row[0].endswith(".so"):
                continue
            path = PurePosixPath(row[0])
            # <name>.data/platlib/ of the wheel is the folder of distributions.
            is_data = len(path.parts) > 2 and path.parts[0].endswith(".data")  # noqa: PLR2004
            path = PurePosixPath(*path.parts[2:]) if is_data else path
            found[".".join([*path.parent.parts, path.name.partition(".")[0]])] = str(path)
    return found
