"""Extensions are loaded once, and again with modules over C libraries if one needs them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from onebin import native
from onebin.errors import ToolError
from onebin.model import BuiltModule, Distribution, Extension, Pin

from .fakes import PYTHON, TOOLCHAIN, Programs, context, project_plan

RUNTIME = msgspec.structs.replace(PYTHON.runtime, library_modules={"_ssl": ("_ssl.c",)})
CPYTHON = msgspec.structs.replace(PYTHON, runtime=RUNTIME)


@pytest.fixture
def made(tmp_path: Path) -> tuple[Distribution, ...]:
    """One distribution with one extension."""
    (tmp_path / "thing._c.o").write_bytes(b"object")
    extension = Extension("thing._c", tmp_path / "thing._c.o", "PyInit_thing___c")
    return (Distribution(Pin("thing", "1", ()), tmp_path / "code", "key", (extension,)),)


@pytest.fixture
def over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Sequence[str]]:
    """The modules over C libraries that were wanted; each has one object."""
    asked: list[Sequence[str]] = []
    (tmp_path / "_ssl.o").write_bytes(b"object")

    def build(_: object, __: object, names: Sequence[str], ___: object) -> tuple[BuiltModule, ...]:
        asked.append(names)
        return tuple(
            BuiltModule(name, f"PyInit_{name}", (tmp_path / f"{name}.o",), ()) for name in names
        )

    monkeypatch.setattr(native, "library_modules", build)
    return asked


def loading(*errors: str) -> Programs:
    """Compilers that write their output, and a probe that fails with *errors* in turn."""
    waiting = list(errors)

    def act(words: list[str], _: dict[str, Any]) -> bytes:
        if Path(words[0]).name != "probe":
            Path(words[words.index("-o") + 1]).write_text("made")
            return b""
        if waiting:
            raise ToolError("probe ended with status 1", detail=waiting.pop(0))
        return b"json ssl\n"

    return Programs(act)


def absent(module: str) -> str:
    return f"thing._c cannot be loaded: ModuleNotFoundError: No module named '{module}'"


def linked(programs: Programs) -> list[bool]:
    """Whether each linked probe had the module over a library."""
    return [
        any(word.endswith("_ssl.o") for word in words)
        for words in programs.calls
        if Path(words[0]).name == "ld"
    ]


@pytest.mark.parametrize(("errors", "probes"), [((), [False]), ((absent("_ssl"),), [False, True])])
def test_libraries_are_made_only_for_an_extension_that_asks(
    made: tuple[Distribution, ...], over: list[Sequence[str]], tmp_path: Path,
    errors: Sequence[str], probes: Sequence[bool],
) -> None:  # fmt: skip
    """Most need none, and libraries take minutes."""
    programs, plan = loading(*errors), project_plan(tmp_path / "p", [])
    ctx = context(tmp_path / "cache", programs)

    assert {"thing._c": ("json", "ssl")} == native.probe(plan, CPYTHON, made, TOOLCHAIN, ctx)

    assert probes == linked(programs)
    assert [("_ssl",)] * len(errors) == over


@pytest.mark.parametrize(
    ("errors", "message", "probes"),
    [
        ((absent("_tkinter"),), "thing._c: its C code cannot be loaded: .*'_tkinter'", 1),
        ((absent("_ssl"), absent("_tkinter")), "thing._c: its C code .*'_tkinter'", 2),
        ((absent("_ssl"), absent("_ssl")), "thing._c: its C code .*'_ssl'", 2),
        (("thing._c cannot be loaded: ImportError: x",), "cannot be loaded: ImportError: x", 1),
        (("Segmentation fault",), "probe ended with status 1", 1),
    ],
)
def test_extension_that_cannot_be_loaded(
    made: tuple[Distribution, ...], over: list[Sequence[str]], tmp_path: Path,
    errors: Sequence[str], message: str, probes: int,
) -> None:  # fmt: skip
    """The error names module and reason, also where a library was tried; there is no third try."""
    programs, plan = loading(*errors), project_plan(tmp_path / "p", [])

    with pytest.raises(ToolError, match=message) as no:
        native.probe(plan, CPYTHON, made, TOOLCHAIN, context(tmp_path / "cache", programs))

    assert ('pure = ["thing"]' in no.value.hint) == ("status" not in message)
    assert probes == len(linked(programs)) == 1 + len(over)


def test_nothing_is_linked_without_extensions(tmp_path: Path) -> None:
    """A pure project has no probe."""
    programs, plan = Programs(), project_plan(tmp_path / "p", [])
    pure = Distribution(Pin("thing", "1", ()), tmp_path, "key")

    ctx = context(tmp_path / "cache", programs)
    assert {} == native.probe(plan, CPYTHON, (pure,), TOOLCHAIN, ctx)

    assert [] == programs.calls
