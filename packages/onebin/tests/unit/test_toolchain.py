"""The compiler is the one that was pinned: its files, not its name and version."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from onebin import planning
from onebin.effects.store import Store
from onebin.errors import ToolError
from onebin.inputs import directory as projects
from onebin.runtime import toolchain

PROJECTS = Path(__file__).parent.parent / "projects"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    root = tmp_path / "compiler"
    (root / "lib" / "musl").mkdir(parents=True)
    (root / "zig").write_text("program")
    (root / "lib" / "musl" / "malloc.c").write_text("source")
    return root


CHANGES: dict[str, Callable[[Path], Any]] = {
    "other bytes": lambda root: (root / "zig").write_text("programs"),
    "one more file": lambda root: (root / "lib" / "musl" / "more.h").write_text(""),
    "one less": lambda root: (root / "lib" / "musl" / "malloc.c").unlink(),
    "another name": lambda root: (root / "zig").rename(root / "zag"),
    "another place": lambda root: (root / "lib/musl/malloc.c").rename(root / "lib" / "malloc.c"),
    "a link": lambda root: (root / "lib" / "l").symlink_to("../zig"),
}


@pytest.mark.parametrize("what", CHANGES)
def test_every_change_of_the_compiler_shows(tree: Path, what: str) -> None:
    """Its libraries' sources are compiled into executables: they count as its program does."""
    before = toolchain.contents(tree)
    CHANGES[what](tree)

    assert before != toolchain.contents(tree)


def test_what_python_leaves_there_does_not_show(tree: Path) -> None:
    """An import of the package writes compiled files; nobody here reads them."""
    before = toolchain.contents(tree)
    (tree / "__pycache__").mkdir()
    (tree / "__pycache__" / "__main__.cpython-311.pyc").write_bytes(b"x")

    assert before == toolchain.contents(tree)


@pytest.mark.toolchain
def test_installed_compiler_is_the_pinned_one_or_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The real one passes and is read once; with one byte of the pin changed it does not."""
    plan = planning.plan(projects.read(PROJECTS / "facts"), machine="x86_64", lock="")
    store = Store(tmp_path / "cache")
    told: list[str] = []

    def tell(text: str, **_: Any) -> None:
        told.append(text)

    zig = toolchain._zig(plan, store=store, tell=tell)
    assert zig == toolchain._zig(plan, store=store, tell=tell)
    assert ["checking the compiler's files"] == told

    pinned = toolchain.PINNED["ziglang 0.17.1", "x86_64"]
    monkeypatch.setitem(toolchain.PINNED, ("ziglang 0.17.1", "x86_64"), pinned[:-1] + "x")
    with pytest.raises(ToolError, match=r"ziglang 0\.17\.1 have the hash .*, pinned is") as no:
        toolchain._zig(plan, store=store, tell=tell)
    assert "install it anew from an index you trust" in no.value.hint
    assert not any((tmp_path / "cache" / "tmp").iterdir())
