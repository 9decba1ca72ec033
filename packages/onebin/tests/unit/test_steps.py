"""Cache keys: any change of a step's input changes its key.

Inputs are found by walking the fields of each step, and of the values in them. A new field is
an input unless ``NOT_IN_KEY`` gives the reason that it is not.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest

from onebin.assemble import LayerStep
from onebin.distributions import ExaminedSource, OfferStep
from onebin.distributions.captured import CapturedBuild
from onebin.distributions.located import Fetched
from onebin.distributions.pure import PureWheel
from onebin.distributions.source_facts import ReadSource
from onebin.effects.context import Step
from onebin.effects.store import key_of
from onebin.embed.compile import Batched, CompiledModule, CompileOptions, Compiler
from onebin.embed.files import FilesBlob
from onebin.freezing import FrozenProgram, SelectedProgram
from onebin.inputs.back_end import BuildSystem, OwnWheel
from onebin.inputs.build_site import BuildRequirements
from onebin.link.interpreter import BuildInterpreter, CompilingInterpreter
from onebin.link.linker import CompiledSource, LinkedProgram
from onebin.link.probe import Probe
from onebin.model import (
    Binary,
    BuildTool,
    BuiltLibrary,
    ComputedImport,
    CPython,
    CSource,
    Distribution,
    EntryPoint,
    Extension,
    Function,
    ImageSettings,
    Import,
    InsideFile,
    Interpreter,
    LinkInput,
    ModuleImports,
    ModuleOrigin,
    Options,
    Origin,
    Pin,
    Profile,
    Project,
    Runtime,
    Source,
    Toolchain,
    Trace,
    Use,
)
from onebin.pgo.training import IndexedProfile
from onebin.runtime.build import BuildCPython
from onebin.runtime.library import BuildLibrary, Command, Compile, Library, Text
from onebin.runtime.modules import CompileModule, LibraryModule
from onebin.runtime.recipe import recipe
from onebin.runtime.toolchain import CheckedCompiler, CxxLibraries, LaidOutToolchain
from onebin.selection.installed_files import InstalledFiles
from onebin.selection.named import SettingsWords

NOT_IN_KEY: Mapping[str, str] = {
    # The key of one of these names the rest: the step's own part is compared.
    "Toolchain.bin": "named by Toolchain.key",
    "Toolchain.crt_start": "named by Toolchain.key",
    "Toolchain.libraries": "named by Toolchain.key",
    "Toolchain.instrumented": "named by Toolchain.key",
    "Interpreter.python": "named by Interpreter.key",
    "Interpreter.home": "named by Interpreter.key",
    "Interpreter.stdlib": "named by Interpreter.key",
    "Interpreter.runs_on": "named by Interpreter.key",
    "Interpreter.version": "named by Interpreter.key",
    "Runtime.target": "named by Runtime.key",
    "Runtime.archives": "named by Runtime.key",
    "Runtime.include": "named by Runtime.key",
    "Runtime.builtins": "named by Runtime.key",
    "Runtime.sources": "named by Runtime.key",
    "Runtime.library_modules": "named by Runtime.key",
    "LinkInput.owners": "for errors",
    "Extension.distribution": "for errors",
    "Library.license": "for the bill of materials",
    "Library.programs": "for messages",
    "Library.only_generates": "where its commands run; the files are the same",
    "Library.needs": "by the keys of the libraries that it names",
    "BuiltLibrary.name": "named by BuiltLibrary.key",
    "BuiltLibrary.license": "named by BuiltLibrary.key",
    "BuiltLibrary.include": "named by BuiltLibrary.key",
    "BuiltLibrary.archives": "named by BuiltLibrary.key",
    "BuiltLibrary.changed_files": "by the recipe, which is in BuiltLibrary.key",
    "BuiltLibrary.packages": "names for other builds",
    "Library.packages": "names for other builds",
    "BuildTool.code": "named by BuildTool.key",
    "LinkInput.include": "named by LinkInput.key, and by what sources include",
    "Probe.code": "named by code_keys",
    "LinkedProgram.machine": "named by Toolchain.key",
    "Profile.path": "for messages",
    "Profile.made_by": "part of the text that sha256 names",
    "Profile.functions": "part of the text that sha256 names",
    "CheckedCompiler.release": "for messages; pinned names its files",
    "Source.name": "for messages",
    "Source.version": "for messages; sha256 names the contents",
    "Source.origin": "where from; sha256 names the contents",
    "Source.folder": "where from; sha256 names the contents",
    "Source.url": "where from; sha256 names the contents",
    "Source.debian_file": "where from; sha256 names the contents",
    "Source.debian_sha256": "the same files, packed again",
    "Source.files_sha256": "CPython has no such hash; those of libraries are in the key",
    "ModuleOrigin.kind": "only modules with source are compiled",
    "ModuleOrigin.origin": "no part of the code",
    "InsideFile.path": "part of the table, a source of LinkInput",
    "InsideFile.kind": "part of the table, a source of LinkInput",
    "InsideFile.module": "part of the table, a source of LinkInput",
    "Batched.code": "made by what step names",
    "Batched.imports": "made by what step names",
    "LaidOutToolchain.flags_key": "the scripts have the flags themselves",
    "LaidOutToolchain.instrumented": "the scripts have the flags themselves",
    "BuildRequirements.name": "for messages",
    "OwnWheel.source": "digest names the contents",
    "OwnWheel.parts": "digest names the contents",
    "Project.results": "they are left out, and so change nothing inside",
    "Project.build_requires": "they made its code, which is named by its contents",
    "SelectedProgram.code": "named by contents and facts",
    "InstalledFiles.code": "named by contents",
    "SettingsWords.code": "named by contents",
    "ReadSource.archive": "sha256 names the contents",
    "Binary.path": "sha256 names the contents",
    "Binary.size": "sha256 names the contents",
    "Binary.machine": "sha256 names the contents",
}

FILES_SHA256 = ("BuildCPython.zlib.files_sha256", "BuildLibrary.library.source.files_sha256")


@pytest.fixture
def steps(tmp_path: Path) -> list[Step[Any]]:
    """One step of each kind, with every field filled.

    Paths outside *tmp_path* are none that a machine has: copies are made beside those that exist.
    """

    def file(name: str) -> Path:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(name)
        return path

    toolchain = Toolchain(Path("/tools"), Path("/start.o"), (Path("/libc.a"),), "toolchain")
    interpreter = Interpreter(
        Path("/python"), Path("/python-home"), Path("/stdlib"), "x86_64", "3.13", "interpreter"
    )
    runtime = Runtime(
        "x86_64", (Path("/a.a"),), Path("/include"), {"sys": "NULL"}, "runtime",
        Path("/modules"), {"_ssl": ("_ssl.c",)},
    )  # fmt: skip
    pin = Pin("name", "1", ("sha256:0",), Origin("git", "https://h.invalid", "1", "in", "2"))
    source = Source(
        name="CPython", version="3", sha256="0", folder="f", url="u", debian_file="p",
        debian_sha256="d", files_sha256="c",
    )  # fmt: skip
    library = Library(
        name="L", source=source, license="MIT", headers=(("*.h", "below"),), archives=("l.a",),
        programs=("make",), needs=("M",),
        steps=(
            Command(("make",), "folder"), Compile("l.a", ("l.c",), ("-O2",)),
            Text("file", "text", "template", {"@A@": "b"}),
        ),
    )  # fmt: skip
    made_of = Source(name="M", version="1", sha256="0")
    built = BuiltLibrary("M", made_of, "MIT", Path("/include"), (Path("/m.a"),), "built")
    parts = LinkInput(
        sources=(CSource("a.c", "int a;"),),
        include=(Path("/include"),),
        objects=(file("a.o"),),
        archives=(file("a.a"),),
        wraps=("f",),
        options=("-z",),
        inittab={"m": "PyInit_m"},
        stack_bytes=1,
        key=("key",),
    )
    options = CompileOptions(
        interpreter, asserts=True, docstrings=False, columns=False, names_of_interest=("name",),
        scripts=(("compile.py", "text"),),
    )  # fmt: skip
    module = CompiledModule("m", ModuleOrigin("source", file("m.py"), "m.py"), options)
    profile = Profile("p", "sha256", "made", (Function("f", 1, (1,)),))
    compiler = file("compiler/zig").parent
    binary = Binary("app", file("app"), 3, "sha256", "x86_64")
    project = Project(
        root=Path("/project"), name="app", version="1", starts=("a",), not_starts=("b",),
        entry=EntryPoint("m", "f"),
        code=Path("/code"), dependencies=("a",), data=Path("/data"),
        trace=Trace(modules=("m",), files=("f",)),
        options=Options(
            extras=("e",), groups=("g",), from_source=("a",), pure=("a",), include=("i",),
            exclude=("x",), docstrings=True, hold_signals=("SIGTERM",),
            environment=("PYTHONDEVMODE",),
            image=ImageSettings(ports=(1,), healthcheck=("health",)),
        ),
        origin=Origin("git", "https://h.invalid", "1", "in", "2"),
    )  # fmt: skip
    distribution = Distribution(
        pin, Path("/code"), "key", (Extension("m", Path("/m.o"), "PyInit_m", ("z",), (built,)),),
        (pin,), Path("/data"), ("lost",), (pin,),
    )  # fmt: skip
    return [
        CheckedCompiler(compiler, "zig 1", "pinned"),
        LaidOutToolchain(
            Path("/zig"), "zig 1", "x86_64", ("-O2",), ("-O2",), Path("/cache"),
            python=Path("/python"), capture=Path("/capture.py"),
        ),
        CxxLibraries(toolchain),
        IndexedProfile(profile),
        BuildLibrary(library, (built,), toolchain, "x86_64"),
        CompileModule(LibraryModule("_m", ("L",), ("D",)), (built,), runtime, "-O2", toolchain),
        BuildCPython(source, source, recipe("balanced"), toolchain, "x86_64", interpreter),
        OfferStep(pin, form="pure", python="3.13", machine="x86_64"),
        ExaminedSource(pin, "3.13", "x86_64", (pin,), may_be_unpinned=False),
        ReadSource(pin, Path("/a.tar.gz"), "0"),
        PureWheel(pin, "3.13"),
        Fetched(pin, "3.13"),
        BuildRequirements(
            requires=("a",), name="app", build_lock=file("build.lock"), build_pins=(pin,)
        ),
        OwnWheel(
            source=Path("/project"), place="in", digest="0", name="app",
            system=BuildSystem(("a",), "b", ("c",)),
            build_lock=file("build.lock"), build_pins=(pin,), hooks=(file("hook.py"),),
            parts=(Path("/project/in"),),
        ),
        SettingsWords(Path("/code"), "contents"),
        InstalledFiles(Path("/code"), "contents"),
        CapturedBuild(
            pin=pin, build_pins=(pin,), may_be_unpinned=False, level="-O2",
            interpreter=interpreter, runtime=runtime, toolchain=toolchain, machine="x86_64",
            libraries=(built,), tools=(BuildTool(pin, Path("/tool"), "tool"),),
            environment={"A": "1"}, hook=file("hook.py"),
        ),
        BuildInterpreter(
            interpreter=interpreter, parts=parts, hidden=("/usr/include",), toolchain=toolchain
        ),
        CompilingInterpreter(interpreter=interpreter, parts=parts, toolchain=toolchain),
        Probe(
            modules=("m",), parts=parts, code=(Path("/code"),), code_keys=("code",),
            interpreter=interpreter, toolchain=toolchain, runner=("qemu",),
        ),
        module,
        Compiler(interpreter, (("a.py", "text"),)),
        Batched(module, b"code", {}),
        CompiledSource(
            CSource("a.c", "text"), (CSource("a.h", "text"),), (Path("/include"),), toolchain,
            ("-O2",),
        ),
        LinkedProgram("app", parts, toolchain, "x86_64"),
        LayerStep(binary, 0),
        FilesBlob((InsideFile("a", "data", file("data")),)),
        FrozenProgram(
            project=project, contents="contents", python=CPython(interpreter, runtime, interpreter),
            distributions=(distribution,), native_imports={"m": ("n",)},
        ),
        SelectedProgram(
            project=project, code=Path("/code"), contents="contents",
            facts={"m": ModuleImports(
                imports=(Import("a", ("b",)),), binds=("b",), codecs=("c",), mentions=("d",),
                names={"e": 0}, computed=(ComputedImport(0, "f"),), uses=(Use(0, "files", "g"),),
            )},
            python=CPython(interpreter, runtime, interpreter), distributions=(distribution,),
            native_imports={"m": ("n",)},
        ),
    ]  # fmt: skip


def changes(value: Any, name: str, where: str) -> Iterator[tuple[str, str, Any]]:  # noqa: C901, PLR0912  (a case a type)
    """Yield (field, place, another value) for each value inside *value*, at any depth."""
    if isinstance(value, msgspec.Struct):
        for field in msgspec.structs.fields(value):
            inner = f"{type(value).__name__}.{field.name}"
            for found, place, other in changes(
                getattr(value, field.name), inner, f"{where}.{field.name}"
            ):
                yield found, place, msgspec.structs.replace(value, **{field.name: other})
    elif isinstance(value, tuple):
        yield name, f"{where}[+]", (*value, *value[:1])
        for n, item in enumerate(value[:2]):
            for found, place, other in changes(item, name, f"{where}[{n}]"):
                yield found, place, (*value[:n], other, *value[n + 1 :])
    elif isinstance(value, Mapping):
        yield name, f"{where}[+]", {**value, "another": next(iter(value.values()), "x")}
    elif isinstance(value, Path):
        yield name, where, _another(value)
    elif isinstance(value, bool):
        yield name, where, not value
    elif isinstance(value, int):
        yield name, where, value + 1
    elif isinstance(value, bytes):
        yield name, where, value + b"another"
    elif isinstance(value, str):
        yield name, where, "aarch64" if value == "x86_64" else f"{value}, another"
    elif value is not None:
        pytest.fail(f"{where}: cannot change {value!r}")


def _another(path: Path) -> Path:
    """A path elsewhere; an existing file becomes a copy with other contents."""
    other = path.parent / f"another-{path.name}"
    if path.is_dir():
        other.mkdir(exist_ok=True)
        for file in path.iterdir():
            (other / file.name).write_text("another")
    elif path.is_file():
        other.write_text("another")
    return other


def test_every_input_is_in_the_key(steps: list[Step[Any]]) -> None:
    """Each step, each field, each field of the values in it."""
    seen = set()
    wrong = []
    for step in steps:
        before = key_of(*step.key())
        for field, place, other in changes(step, "", type(step).__name__):
            seen.add(field)
            if field in NOT_IN_KEY and place not in FILES_SHA256:
                continue
            if before == key_of(*other.key()):
                wrong.append(place)
    assert [] == wrong
    assert set() == NOT_IN_KEY.keys() - seen


def test_every_exception_is_one(steps: list[Step[Any]]) -> None:
    """A field listed in NOT_IN_KEY never changes a key."""
    wrong = set()
    for step in steps:
        before = key_of(*step.key())
        for field, place, other in changes(step, "", type(step).__name__):
            if field in NOT_IN_KEY and place not in FILES_SHA256 and before != key_of(*other.key()):
                wrong.add(place)
    assert set() == wrong


def test_keys_are_different_and_stable(steps: list[Step[Any]]) -> None:
    """Only a module and its batched form share a key; equal steps have equal keys."""
    keys = [f"{step.kind} {key_of(*step.key())}" for step in steps]

    assert len(steps) - 1 == len(set(keys))
    assert keys == [f"{step.kind} {key_of(*step.key())}" for step in steps]


def test_module_without_a_file_counts_by_its_text(steps: list[Step[Any]]) -> None:
    """A module that onebin generates, such as ``__main__``, has no file."""
    (step,) = (step for step in steps if isinstance(step, CompiledModule))
    keys = [
        key_of(*msgspec.structs.replace(step, origin=ModuleOrigin("source", text=text)).key())
        for text in ("x = 1", "x = 2")
    ]

    assert keys[0] != keys[1]


def test_unchecked_source_counts_by_where_it_is(steps: list[Step[Any]], tmp_path: Path) -> None:
    """A directory by its newest change; apt by its name."""
    (step,) = (step for step in steps if isinstance(step, BuildCPython))
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "a.c").write_text("a")
    keys = []
    for origin in (str(tree), "apt"):
        python = msgspec.structs.replace(step.python, sha256="", origin=origin)
        keys.append(key_of(*msgspec.structs.replace(step, python=python).key()))
    (tree / "b.c").write_text("b")
    python = msgspec.structs.replace(step.python, sha256="", origin=str(tree))
    keys.append(key_of(*msgspec.structs.replace(step, python=python).key()))

    assert 3 == len(set(keys))
