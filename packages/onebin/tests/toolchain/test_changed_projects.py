"""A project changed step by step: nothing of an earlier build shows in the next."""

import os
import random
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import msgspec
import pytest

from onebin import inputs, pipeline
from onebin.effects.owned import default_root
from onebin.errors import ProjectError
from onebin.freezing import Frozen
from onebin.tools import Tools

pytestmark = pytest.mark.toolchain

STEPS: Final = 8
SEEDS: Final = (1, 2)

LAYOUTS: Final = {
    "flat": ("", ""),
    "flat, pruned": ("", 'prune = "reachable"\n'),
    "src": ("src", ""),
    "src, pruned": ("src", 'prune = "reachable"\n'),
}
"""Each with the folder of its code and the settings of tool.onebin."""

Edit = Callable[[Path, str], None]
"""A change of the package in a folder, with a text that is new."""


def append(file: str, line: str) -> Edit:
    def edit(folder: Path, text: str) -> None:
        with (folder / file).open("a") as to:
            to.write(line.format(text) + "\n")

    return edit


def replaced(file: str, line: str) -> Edit:
    def edit(folder: Path, text: str) -> None:
        (folder / file).write_text(line.format(text) + "\n")

    return edit


def gone(file: str) -> Edit:
    return lambda folder, _: (folder / file).unlink(missing_ok=True)


SHARED: Final = ("compiler", "toolchain", "zig", "runtime", "interpreter")
"""Kinds of results that belong to no project."""

EDITS: Final[dict[str, Edit]] = {
    "another text in a function": replaced("part.py", "def part():\n    return '{}'"),
    "a line more": append("__init__.py", "# {}"),
    "an import of the standard library": append("part.py", "import {0} as _  # noqa"),
    "the same in a function": append("part.py", "def f_{0}():\n    import {0}"),
    "an import that may fail": append("part.py", "try:\n    import {0}\nexcept ImportError: pass"),
    "a name in a text": append("part.py", "T = '{0}.handlers'"),
    "a computed import": append("part.py", "def c(x='{0}'):\n    __import__(x)"),
    "no computed import any more": replaced("part.py", "part = lambda: '{}'"),
    "an import of another own module": append("__init__.py", "def g(): from app import more"),
    "another own module": replaced("more.py", "import {0}\nVALUE = '{0}'"),
    "that one fails": replaced("more.py", "raise ImportError('{0}')"),
    "that one cannot be parsed": replaced("more.py", "def (  # {0}"),
    "that one is gone": gone("more.py"),
    "a package below": replaced("deep/__init__.py", "from app import part  # {}"),
    "a namespace below": replaced("wide/x.py", "import {}"),
    "no package below": gone("deep/__init__.py"),
    "settings that name a module": replaced("log.json", '{{"class": "{0}.handlers.X"}}'),
    "data": replaced("data.txt", "{}"),
    "no data": gone("data.txt"),
}

STDLIB: Final = ("csv", "wave", "sqlite3", "logging", "html", "xml", "bisect", "colorsys", "cmd")


@pytest.fixture(scope="module")
def roots() -> Iterator[tuple[Path, Path]]:
    """Two caches with CPython and the standard library: one keeps its results, one forgets."""
    usual = default_root(os.environ)
    with tempfile.TemporaryDirectory(prefix="onebin-changed-", dir=usual.parent) as folder:
        base, keeps, forgets = (Path(folder, name) for name in ("project", "keeps", "forgets"))
        write(base, "", "")
        pipeline.frozen_of(inputs.find(base).project(), Tools.for_this_machine())
        keeps.mkdir(mode=0o700)
        for kind in SHARED:
            if (usual / kind).is_dir():
                shutil.copytree(usual / kind, keeps / kind, symlinks=True, copy_function=os.link)
        frozen(base, keeps)
        shutil.copytree(keeps, forgets, symlinks=True, copy_function=os.link)
        yield keeps, forgets


def write(root: Path, code: str, settings: str) -> Path:
    package = root / code / "app"
    for name in ("deep", "wide"):
        (package / name).mkdir(parents=True)
    (root / "pyproject.toml").write_text(
        '[project]\nname = "app"\nversion = "1"\nscripts = { app = "app:main" }\n'
        f"[tool.onebin]\n{settings}"
    )
    (package / "__init__.py").write_text(
        "from app.part import part\ndef main():\n    print(part())\n"
    )
    (package / "part.py").write_text("def part():\n    return 'first'\n")
    return package


def frozen(root: Path, cache: Path) -> str:
    """The Python part of the project in *root* as text, whichever its cache is; or the error."""
    tools = Tools.for_this_machine(environ={**os.environ, "ONEBIN_CACHE": str(cache)})
    try:
        made = pipeline.frozen_of(inputs.find(root).project(), tools)
    except ProjectError as error:
        return f"{error}; {error.hint}"
    return text_of(made).replace(str(cache), "CACHE")


def text_of(made: Frozen) -> str:
    selection = msgspec.structs.replace(
        made.selection, startup=frozenset[str](), modules={**made.selection.modules}
    )
    ordered = msgspec.structs.replace(made, selection=selection)
    text = msgspec.json.encode(ordered, enc_hook=str).decode()
    return f"{sorted(made.selection.startup)} {text}"


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_changed_project_is_selected_as_a_new_one(
    layout: str, seed: int, roots: tuple[Path, Path], tmp_path: Path
) -> None:
    keeps, forgets = roots
    root, chance = tmp_path / "project", random.Random(seed)
    package = write(root, *LAYOUTS[layout])

    for _ in range(STEPS):
        names = chance.sample(sorted(EDITS), chance.choice((1, 1, 2)))
        for name in names:
            EDITS[name](package, chance.choice(STDLIB))
        for kind in ("frozen", "selected"):
            shutil.rmtree(forgets / kind, ignore_errors=True)

        made = frozen(root, keeps)
        assert frozen(root, forgets) == made, names
        assert made == frozen(root, keeps), "as the cache has it"


def test_most_changes_take_the_selection_there_is(roots: tuple[Path, Path], tmp_path: Path) -> None:
    keeps, _ = roots
    package = write(tmp_path / "project", "src", "")
    found = {frozen(tmp_path / "project", keeps)}
    before = len([*(keeps / "selected").iterdir()])

    for number, name in enumerate(("another text in a function", "a line more")):
        EDITS[name](package, f"new {number}")
        found.add(frozen(tmp_path / "project", keeps))

    assert len(found) == 3
    assert before == len([*(keeps / "selected").iterdir()])
