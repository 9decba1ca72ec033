"""Time onebin's own builds of a pure project with 20 dependencies: cold, changed, unchanged.

usage, in the repository: python3 -m bench.rebuild.waits [--rounds N]

Cold is a cache that has CPython, the C libraries and the standard library, as another project's
build leaves it, and nothing of this one; its lock is there, its files come from the index.
"""

import argparse
import os
import secrets
import shutil
import statistics
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from typing import Final

from bench.lib.harness import (
    MeasureError,
    log,
    machine,
    markdown_table,
    run,
    write_results,
)
from onebin.effects.owned import default_root

_RESULTS: Final = Path(__file__).with_name("waits.json")
_ROUNDS: Final = 5
_KEPT: Final = ("compiler", "toolchain", "zig", "runtime", "interpreter", "library", "cmodule")
"""Kinds of results in the cache that belong to no project."""

_DEPENDENCIES: Final = (
    "click", "rich", "httpx", "tomlkit", "platformdirs", "more-itertools", "tabulate", "humanize",
    "packaging", "itsdangerous",
)  # fmt: skip
"""Of pure Python, with all that they need: 20 and a few."""

_TARGETS: Final = {"cold": 12.0, "changed": 1.0, "unchanged": 0.3}
"""Seconds that each may take on a machine that does nothing else."""


def measure(rounds: int, folder: Path) -> dict[str, list[float]]:
    """Return the seconds of each build; *folder* is on the file system of the cache.

    Raises:
        MeasureError: a build failed.
    """
    cache = folder / "cache"
    cache.mkdir(mode=0o700)
    env = {"ONEBIN_CACHE": str(cache)}
    first, project = folder / "first", folder / "project"
    _write(first, ())
    _write(project, _DEPENDENCIES)
    _onebin("build", first, {})  # the usual cache, from which CPython is taken
    for kind in _KEPT:
        source = default_root(os.environ) / kind
        if source.is_dir():
            shutil.copytree(source, cache / kind, symlinks=True, copy_function=os.link)
    _onebin("build", first, env)
    _onebin("lock", project, {})
    found = {"cold": [_onebin("build", project, env)], "changed": [], "unchanged": []}
    for number in range(1, rounds + 1):
        (project / "app.py").write_text(_code(secrets.token_hex(4)))
        found["changed"].append(_onebin("build", project, env))
        time.sleep(0.1)
        _onebin("build", project, env)  # a file that has just changed is read once more
        found["unchanged"].append(_onebin("build", project, env))
        log(f"round {number} of {rounds}: {found['changed'][-1]:.2f} s changed, "
            f"{found['unchanged'][-1]:.2f} s unchanged")  # fmt: skip
    return found


def _write(folder: Path, dependencies: tuple[str, ...]) -> None:
    folder.mkdir()
    (folder / "app.py").write_text(_code("first"))
    (folder / "pyproject.toml").write_text(
        f'[project]\nname = "app"\nscripts = {{ app = "app:main" }}\n'
        f"dependencies = {[*dependencies]}\n"
    )


def _code(text: str) -> str:
    return f"def main():\n    print({text!r})\n"


def _onebin(command: str, project: Path, env: dict[str, str]) -> float:
    began = time.monotonic()
    run((sys.executable, "-m", "onebin", command, "-q", str(project)), env=env)
    return time.monotonic() - began


def table(found: dict[str, list[float]]) -> str:
    """Render the seconds, beside those that each may take."""
    return markdown_table(
        ("a pure project with 20 dependencies", "median", "lowest to highest", "at most"),
        [
            (name, f"{statistics.median(took):.2f} s", f"{min(took):.2f} to {max(took):.2f} s",
             f"{_TARGETS[name]:g} s")
            for name, took in found.items()
        ],
    )  # fmt: skip


def main() -> int:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(prog="waits", description=__doc__)
    parser.add_argument("--rounds", type=int, default=_ROUNDS, help="default: %(default)s")
    options, on = parser.parse_args(), machine()
    near = default_root(os.environ).parent
    try:
        with tempfile.TemporaryDirectory(prefix="onebin-waits-", dir=near) as folder:
            found = measure(options.rounds, Path(folder))
    except MeasureError as error:
        log(f"waits: {error}")
        return 2
    print(f"{on}\n\n{table(found)}")
    write_results(_RESULTS, {"machine": asdict(on), "seconds": found})
    return 0


if __name__ == "__main__":
    sys.exit(main())
