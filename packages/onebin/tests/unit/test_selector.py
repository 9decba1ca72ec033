"""Module selection, on trees of small files with imports read from them."""

from collections.abc import Mapping
from pathlib import Path

import msgspec
import pytest

from onebin.errors import ProjectError
from onebin.model import (
    CPython,
    Distribution,
    EntryPoint,
    Extension,
    Import,
    Interpreter,
    ModuleImports,
    ModuleOrigin,
    Options,
    Pin,
    Project,
    Runtime,
)
from onebin.selection.finder import Finder
from onebin.selection.selector import NAMES_OF_INTEREST, Selection, select
from onebin.selection.start import main_text

from .analyzed import facts_of

BUILTINS = dict.fromkeys(("sys", "_io", "marshal", "_json", "time"), "NULL")


def files(folder: Path, texts: Mapping[str, str]) -> Path:
    for name, text in texts.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return folder


def analyze(origins: Mapping[str, ModuleOrigin]) -> Mapping[str, ModuleImports]:
    return {
        name: facts_of(
            name,
            origin.path.read_text() if origin.text is None else origin.text,
            is_package=origin.is_package,
            names_of_interest=NAMES_OF_INTEREST,
        )
        for name, origin in origins.items()
    }


STDLIB = {
    "importlib/__init__.py": "import sys",
    "importlib/_bootstrap.py": "",
    "importlib/_bootstrap_external.py": "",
    "gc.py": "",
    "encodings/__init__.py": "",
    "encodings/utf_8.py": "",
    "io.py": "import _io",
    "json/__init__.py": "import _json",
    "json/decoder.py": "",
    "ssl.py": "import _ssl",
    "tool.py": "def main(): import argparse, shutil",
    "argparse.py": "",
    "shutil.py": "try: import zlib\nexcept ImportError: pass\ndef make_archive(): ...",
    "zlib.py": "",
    "tarfile.py": "",
}


class World:
    """A standard library, a project and dependencies, as files."""

    def __init__(self, root: Path) -> None:
        self.root = root
        stdlib = files(root / "stdlib", STDLIB)
        interpreter = Interpreter(Path("/python"), root, stdlib, "x86_64", "3.13", "k")
        self.python = CPython(interpreter, Runtime("x86_64", (), Path("/include"), BUILTINS, "k"))
        self.distributions: list[Distribution] = []

    def add(self, name: str, texts: Mapping[str, str], *extensions: str) -> None:
        code = files(self.root / name, texts)
        made = tuple(Extension(module, Path("/x.o"), "PyInit") for module in extensions)
        self.distributions.append(Distribution(Pin(name, "1", ()), code, "k", made))

    def select(
        self,
        texts: Mapping[str, str],
        options: Options | None = None,
        native: Mapping[str, tuple[str, ...]] = {},
    ) -> Selection:
        if (main := texts.get("app.py")) is not None and "# no main" not in main:
            texts = {**texts, "app.py": f"{main}\ndef main(): ..."}
        project = Project(
            root=self.root, name="app", version="1", entry=EntryPoint("app", "main"),
            code=files(self.root / "code", texts), dependencies=(),
            options=msgspec.structs.replace(options or Options(), prune="reachable"),
        )  # fmt: skip
        made = tuple(self.distributions)
        return select(project, self.python, made, native, analyze, lambda _: frozenset())


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_modules_reached_from_the_entry_point(world: World) -> None:
    """Its modules, the required ones that exist, C modules; nothing else."""
    found = world.select({"app.py": "import json, helper", "helper.py": "", "other.py": ""})

    names = set(found.modules)
    assert {"app", "helper", "json", "json.decoder", "__main__", "_frozen_importlib"} <= names
    assert not {"other", "argparse", "ssl"} & names
    assert ("_io", "_json", "marshal", "sys", "time") == found.builtins
    assert list(found.modules) == sorted(names)
    assert "from app import main" in str(found.modules["__main__"].text)
    assert "sys.exit(main())" in main_text(EntryPoint("app", "main"))
    assert "from m import C\n" in main_text(EntryPoint("m", "C.run"))


def test_package_comes_before_module_and_project_before_all(world: World) -> None:
    """As on a search path; an extension is found by its name."""
    world.add("dep", {"json/__init__.py": "", "both.py": "", "both/__init__.py": ""}, "pkg._c")
    finder = Finder(
        files(world.root / "code", {"app.py": ""}), world.distributions,
        world.python.interpreter.stdlib, BUILTINS,
    )  # fmt: skip

    assert str(world.root / "dep") in str(getattr(finder.locate("json"), "path", ""))
    assert getattr(finder.locate("both"), "is_package", False)
    assert ModuleOrigin("extension", origin="dependency") == finder.locate("pkg._c")
    assert ModuleOrigin("builtin") == finder.locate("sys")
    assert ModuleOrigin("alias") == finder.locate("os.path")
    assert finder.locate("no-name") is None
    assert ("project", "dependency", "stdlib", "") == tuple(
        map(finder.owner, ("app", "json", "io", "nowhere"))
    )


def test_namespace_packages_are_empty_ones(world: World) -> None:
    """Of a project or a dependency, never of the standard library."""
    files(world.root / "stdlib", {"data/x.txt": ""})
    found = world.select(
        {"app.py": "import space.inner\ndef f(): import data", "space/inner.py": ""}
    )

    assert ("", "<namespace>", True) == (
        found.modules["space"].text, found.modules["space"].label, found.modules["space"].is_package
    )  # fmt: skip
    assert "data" not in found.modules


def test_hints(world: World) -> None:
    """A name, and everything below a package; a file without an identifier's name is skipped."""
    world.add("dep", {"pkg/__init__.py": "", "pkg/a.py": "", "pkg/not-one.py": ""}, "pkg._c")
    options = Options(include=("helper", "pkg.*"))

    found = world.select({"app.py": "", "helper.py": ""}, options)

    assert {"helper", "pkg", "pkg.a"} <= set(found.modules)
    assert ["pkg._c"] == [extension.module for extension in found.extensions]


def test_excluded_and_tooling_are_not_followed(world: World) -> None:
    """Excludes of a project count; the standard library's own tools stay out unless named."""
    options = Options(exclude=("json*",))
    found = world.select({"app.py": "import tool\ndef f(): import ssl, json"}, options)

    assert {"tool", "shutil"} <= set(found.modules)
    assert not {"argparse", "zlib", "ssl", "json"} & set(found.modules)
    assert "ssl" in {item.module for item in found.omitted}


def test_mention_enables_the_named_module(world: World) -> None:
    """A call of make_archive in the program brings the formats; one in the stdlib does not."""
    plain = world.select({"app.py": "import shutil"})
    found = world.select({"app.py": "import shutil; shutil.make_archive"})

    assert "zlib" not in plain.modules
    assert {"zlib", "tarfile"} <= set(found.modules)


def test_imports_made_from_c(world: World) -> None:
    """Imports observed by the probe, and the known ones of CPython."""
    world.add("dep", {"pkg/__init__.py": "", "pkg/late.py": ""}, "pkg._c")

    found = world.select({"app.py": "import pkg._c"}, native={"pkg._c": ("pkg.late",)})

    assert "pkg.late" in found.modules
    assert ["pkg._c"] == [extension.module for extension in found.extensions]


@pytest.mark.parametrize(
    ("texts", "options", "message", "hint"),
    [
        ({}, None, "app: no such module", "is it spelled right"),
        ({"app.py": "import tk", "tk.py": "import _tkinter"}, None,
         "app -> tk: imports _tkinter, which requires Tk: the static runtime does not include it",
         "without a display"),
        ({"app.py": "import winreg"}, None,
         "app: requires winreg, a module of another operating system", "behind a condition"),
        ({"app.py": "from io import nothing"}, None,
         "app: requires nothing of io, which has nothing of that name", "spelled right"),
        ({"app.py": "import json"}, Options(exclude=("json",)),
         "app: requires json, which tool.onebin.exclude leaves out", "take json out"),
        ({"app.py": "# no main"}, None,
         "entry point app:main: app has nothing of that name", "project.scripts"),
        ({"app.py": "import nowhere"}, None,
         "app: requires nowhere, which is in no dependency", "add the distribution"),
        ({"app.py": ""}, Options(include=("gone",)), "gone: no such module", "spelled"),
    ],
)  # fmt: skip
def test_program_that_cannot_start_is_rejected(
    world: World, texts: Mapping[str, str], options: Options | None, message: str, hint: str
) -> None:
    """The error has the chain of imports, and a hint."""
    with pytest.raises(ProjectError, match=message) as caught:
        world.select(texts, options)
    assert hint in caught.value.hint


def test_module_that_does_not_compile_is_named(world: World) -> None:
    """The error is the compiler's, with the chain of imports."""

    def broken(origins: Mapping[str, ModuleOrigin]) -> Mapping[str, ModuleImports]:
        return {n: ModuleImports(error="bad" if n == "helper" else "") for n in origins} | {
            n: ModuleImports((Import("helper"),)) for n in origins if n == "app"
        }

    project = Project(
        root=world.root, name="app", version="1", entry=EntryPoint("app", "main"),
        code=files(world.root / "code", {"app.py": "", "helper.py": ""}), dependencies=(),
        options=Options(),
    )  # fmt: skip
    with pytest.raises(ProjectError, match="app -> helper: bad") as caught:
        select(project, world.python, (), {}, broken, lambda _: frozenset())
    assert "correct it" in caught.value.hint
