"""Modules compiled through the cache by a real interpreter, and the linker input they give."""

import marshal
import re
from collections.abc import Mapping
from pathlib import Path
from types import CodeType

import lz4.block
import pytest

from onebin.embed import frozen, program
from onebin.embed.code_packing import HEADER, MARK
from onebin.embed.compile import CompiledModule, CompileOptions, Compiler, compile_modules
from onebin.errors import ToolError
from onebin.model import (
    FrozenModule,
    Import,
    Interpreter,
    LinkInput,
    ModuleImports,
    ModuleOrigin,
)

from .fakes import Programs, context, own_python


def loaded(module: FrozenModule) -> CodeType:
    data = module.code.read_bytes()
    if data[0] == MARK:
        size = HEADER.unpack_from(data)[1]
        data = lz4.block.decompress(data[HEADER.size :], uncompressed_size=size)
    code: CodeType = marshal.loads(data)
    return code


@pytest.fixture
def options() -> CompileOptions:
    interpreter = Interpreter(
        Path("/python"), Path("/home"), Path("/stdlib"), "x86_64", "3.13", "k"
    )
    return CompileOptions(
        interpreter, asserts=True, docstrings=False, columns=False, names_of_interest=("x",)
    )


def origins(tmp_path: Path, texts: Mapping[str, str]) -> dict[str, ModuleOrigin]:
    found = {}
    for name, text in texts.items():
        (tmp_path / f"{name}.py").write_text(text)
        found[name] = ModuleOrigin("source", tmp_path / f"{name}.py", f"{name}.py")
    return found


def test_modules_are_compiled_in_one_process_and_once(
    tmp_path: Path, options: CompileOptions
) -> None:
    """The compiler first; then new and changed modules alone, all at once. A text needs no file."""
    programs = Programs(own_python)
    ctx = context(tmp_path / "cache", programs)
    files = origins(tmp_path, {"a": "import b", "b": "x = 1", "broken": "def"})
    files["__main__"] = ModuleOrigin("source", label="<main>", text="import a")

    first = compile_modules(files, options, ctx)
    files |= origins(tmp_path, {"b": "x = 2"})
    second = compile_modules(files, options, ctx)

    compiler = "onebin.target.compile_modules"
    assert ["compileall", compiler, compiler] == [
        words[words.index("-m") + 1] for words in programs.calls
    ]
    assert ["a", "b", "broken", "__main__"] == list(first)
    assert first["a"] == second["a"]
    assert first["b"].key != second["b"].key
    assert (Import("b"),) == first["a"].imports.imports
    assert (("x",), "") == (first["b"].imports.mentions, first["b"].imports.error)
    assert first["broken"].imports.error
    assert "<main>" == loaded(first["__main__"]).co_filename
    assert first["a"].size == first["a"].code.stat().st_size


def test_one_module_is_a_step_like_any_other(tmp_path: Path, options: CompileOptions) -> None:
    """Compiled alone, a module equals the same module of a batch."""
    files = origins(tmp_path, {"a": "import b"})
    alone = context(tmp_path / "alone", Programs(own_python)).build(
        CompiledModule("a", files["a"], options)
    )
    batch = compile_modules(files, options, context(tmp_path / "batch", Programs(own_python)))

    assert alone.key == batch["a"].key
    assert alone.code.read_bytes() == batch["a"].code.read_bytes()
    assert alone.imports == batch["a"].imports


@pytest.mark.parametrize("keep", [0, 20, 500])
@pytest.mark.parametrize("suffix", [".py", ".pyc"])
def test_compiling_program_that_was_cut(
    tmp_path: Path, options: CompileOptions, suffix: str, keep: int
) -> None:
    """By a crash of the machine: its entry in the cache is named, and nothing is compiled."""
    ctx = context(tmp_path / "cache", Programs(own_python))
    folder = ctx.build(Compiler(options.interpreter, options.scripts))
    for file in sorted(folder.rglob(f"*{suffix}")):
        whole = file.read_bytes()
        file.write_bytes(whole[:keep])
        with pytest.raises(ToolError, match=f"{folder}: damaged"):
            compile_modules(origins(tmp_path, {"a": "import b"}), options, ctx)
        file.write_bytes(whole)

    assert ["a"] == [*compile_modules(origins(tmp_path, {"a": "import b"}), options, ctx)]


def module(tmp_path: Path, name: str, *, is_package: bool = False) -> FrozenModule:
    code = tmp_path / "module" / f"key-of-{name}" / "code"
    code.parent.mkdir(parents=True)
    code.write_bytes(b"code")
    return FrozenModule(name, is_package, code, 4, code.parent.name, ModuleImports())


def test_frozen_code_for_the_linker(tmp_path: Path) -> None:
    """Tables by name and size, the import system separate; data by keys, not by paths."""
    modules = [
        module(tmp_path, "_frozen_importlib"),
        module(tmp_path, "pkg", is_package=True),
    ]

    parts = frozen.link_input(modules)

    texts = {source.name: source.text for source in parts.sources}
    assert ["lz4_block.h", "unpack.c", "frozen.c", "code.s", "own_code.s"] == list(texts)
    assert '.incbin "key-of-pkg/code"' in texts["code.s"]
    assert str(tmp_path) not in texts["code.s"]
    assert (tmp_path / "module",) == parts.include
    bootstrap, _, rest = texts["frozen.c"].partition("modules[] = {")
    assert '{"_frozen_importlib", frozen_0, 4, false},' in bootstrap
    assert '{"pkg", frozen_1, 4, true},' in rest
    assert ("PyMarshal_ReadObjectFromString",) == parts.wraps


@pytest.mark.parametrize("own", [(), ("c",), ("b", "c"), ("a", "b", "c")])
def test_code_of_others_does_not_change_with_own_code(tmp_path: Path, own: tuple[str, ...]) -> None:
    """Its object is kept; the code of both is one run, in the order of the modules."""
    modules = [module(tmp_path, name) for name in "abc"]

    sources = {item.name: item for item in frozen.link_input(modules, (), own).sources}

    code, changing = sources["code.s"], sources["own_code.s"]
    assert (False, True) == (code.is_changing, changing.is_changing)
    named = re.findall(r"^frozen_(\w+):", code.text + changing.text, re.MULTILINE)
    assert ["code", "0", "1", "2"] == named
    included = re.findall('incbin "key-of-(.)/', changing.text)
    assert list(own) == included


def test_own_code_comes_last(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="last"):
        frozen.link_input([module(tmp_path, name) for name in "abc"], (), ("a",))


def test_parts_of_every_program() -> None:
    """main, RELRO, the allocator with its header, and the table that main reads."""
    parts = program.main() + program.allocator() + program.held_signals(["SIGTERM", "SIGINT"])

    names = [source.name for source in parts.sources]
    assert [
        "start.h",
        "main.c",
        "relro.c",
        "block_cache.h",
        "block_cache.c",
        "held_signals.c",
    ] == names
    assert "held_signals[] = {SIGTERM, SIGINT, 0};" in parts.sources[-1].text


def test_variables_that_a_program_obeys() -> None:
    """Without one no code is added but a header without functions; with one, getenv is wrapped."""
    none = program.environment(())
    some = program.environment(("PYTHONPATH", "PYTHONDEVMODE"))

    assert [("environment.h", "#define USES_ENVIRONMENT 0\n")] == [
        (source.name, source.text) for source in none.sources
    ]
    assert ((), ("getenv",)) == (none.wraps, some.wraps)
    # With files inside TZ is read otherwise: getenv is wrapped, and shows no such variable.
    zones = program.environment((), has_zones=True)
    assert {"#define USES_ENVIRONMENT 0\n"} < {source.text for source in zones.sources}
    assert ("getenv",) == zones.wraps
    texts = {source.name: source.text for source in some.sources}
    assert "#define USES_ENVIRONMENT 1\n" == texts["environment.h"]
    assert '{"PYTHONPATH", "PYTHONDEVMODE", NULL}' in texts["allowed_variables.c"]
    assert "__wrap_getenv" in texts["environment.c"]


def test_program_without_an_interpreter_checks_what_it_starts() -> None:
    """Only with the module that starts programs: the others get no code for it."""
    assert LinkInput() == program.no_interpreter({"_socket"})

    found = program.no_interpreter({"_posixsubprocess"})

    assert {"_posixsubprocess": "PyInit__posixsubprocess_checked"} == found.inittab
    assert ["no_interpreter.c"] == [source.name for source in found.sources]
