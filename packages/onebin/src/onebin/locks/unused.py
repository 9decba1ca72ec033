"""What a project states about versions for other tools, and onebin leaves out when it chooses.

Such a rule is obeyed by its tool's lock. Sources: settings of uv (resolution) and PDM.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from onebin.effects import files

RULES: Final[Mapping[str, tuple[str, ...]]] = {
    "uv": (
        "constraint-dependencies", "exclude-dependencies", "exclude-newer",
        "exclude-newer-package", "override-dependencies", "prerelease", "resolution",
    ),
    "pdm": ("resolution",),
}  # fmt: skip
"""Tables of ``[tool]``, and the keys in each that decide versions."""

REQUIREMENTS: Final = "requirements.txt"

LOCKS: Final[Mapping[str, str]] = {
    REQUIREMENTS: "pip-compile --generate-hashes makes it a lock",
    "pdm.lock": "pdm export --prod -o requirements.txt makes a lock of it",
    "Pipfile.lock": "pipenv requirements --hash > requirements.txt makes a lock of it",
}
"""Files of versions that are no lock here, and how they become one."""


def rules(table: Mapping[str, Any], where: str) -> str:
    """Return a line about such settings in *table*, a document; empty if it has none."""
    tools = table.get("tool")
    found = [
        f"tool.{name}.{key}"
        for name, keys in RULES.items()
        for key in keys
        if isinstance(tools, dict) and isinstance(tools.get(name), dict) and tools[name].get(key)
    ]
    if not found:
        return ""
    command = f"{found[0].split('.')[1]} lock"
    if where.endswith(".py"):
        command += f" --script {where}"
    return (
        f"{where}: {', '.join(found)}: without effect on the versions that onebin chooses; "
        f"{command} writes a lock that obeys"
    )


def versions(root: Path, is_lock: Callable[[str, str], bool]) -> str:
    """Return a line about such files in *root*; empty if there are none.

    *is_lock* decides by a file's name and text.
    """
    found = [name for name in LOCKS if _is_other(root / name, is_lock)]
    return f"{found[-1]}: not read for versions; {LOCKS[found[-1]]}" if found else ""


def _is_other(file: Path, is_lock: Callable[[str, str], bool]) -> bool:
    if file.name != REQUIREMENTS:
        return file.is_file()
    try:
        return not is_lock(file.name, files.read_text(file))
    except (OSError, ValueError):
        return False
