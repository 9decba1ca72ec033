"""Modules that a whole program names, in texts and in files."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from onebin.model import (
    ComputedImport,
    Distribution,
    EntryPoint,
    ModuleImports,
    Options,
    Pin,
    Project,
)
from onebin.selection import named
from onebin.selection.finder import Finder

STDLIB = (
    "json/__init__.py", "json/tool.py", "csv.py", "logging/__init__.py", "logging/handlers.py",
    "xml/__init__.py", "xml/sax/__init__.py", "argparse.py", "getopt.py", "this.py", "ssl.py",
)  # fmt: skip
COMPUTED = (ComputedImport(3, "import_module(name)"),)


def touch(folder: Path, *names: str, text: str = "") -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


class World:
    """A project with the package app, a dependency, a standard library."""

    def __init__(self, root: Path) -> None:
        self.code = touch(root / "src", "app/__init__.py", "app/table.py")
        self.dependency = Distribution(Pin("dep", "1", ()), touch(root / "dep", "dep.py"), "k")
        stdlib = touch(root / "stdlib", *STDLIB)
        self.project = Project(
            root=root, name="app", version="1", entry=EntryPoint("app", "main"), code=self.code,
            dependencies=(), options=Options(),
        )  # fmt: skip
        self.finder = Finder(self.code, (self.dependency,), stdlib, ())

    def named(self, facts: Mapping[str, ModuleImports]) -> set[str]:
        def words_of(distribution: Distribution) -> frozenset[str]:
            return frozenset(named.words_in(distribution.code))

        return named.modules(facts, self.finder, self.project, (self.dependency,), words_of)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


@pytest.mark.parametrize(
    ("names", "without", "computed"),
    [
        ("csv", "", "csv"),
        ("json", "", "json json.tool"),
        ("json.tool", "json.tool", "json.tool"),
        ("json.loads", "", "json json.tool"),
        ("logging.handlers.X", "logging.handlers", "logging.handlers"),
        ("csv:", "csv", "csv"),
        ("xml.", "", "xml xml.sax"),
        ("this", "", ""),
        ("cmd app", "", ""),
    ],
)
def test_texts(world: World, names: str, without: str, computed: str) -> None:
    """A word counts where an import is computed, in a dependency's module or in the project."""
    texts = dict.fromkeys(names.split(), 1)

    for module in ("app", "dep"):
        assert set(without.split()) == world.named({module: ModuleImports(names=texts)})
        found = world.named({module: ModuleImports(names=texts, computed=COMPUTED)})
        assert set(computed.split()) == found


def test_a_table_is_in_another_module_than_its_import(world: World) -> None:
    """That holds within the project; of a dependency only the module itself counts."""
    table = ModuleImports(names={"csv": 1})
    loader = ModuleImports(computed=COMPUTED)

    assert {"csv"} == world.named({"app": loader, "app.table": table})
    assert set() == world.named({"app": loader, "dep": table})
    assert set() == world.named({"app": table, "dep": loader})


def test_texts_of_the_standard_library_do_not_count(world: World) -> None:
    assert set() == world.named({"json": ModuleImports(names={"ssl": 1}, computed=COMPUTED)})


def test_a_module_that_is_run_reads_its_command_line(world: World) -> None:
    found = world.named({"app": ModuleImports(computed=(ComputedImport(1, "-m"),))})

    assert {"argparse", "getopt", "optparse"} == found


@pytest.mark.parametrize(
    ("file", "text", "without", "computed"),
    [
        ("a.ini", "class=logging.handlers.X\nargs=()", "logging.handlers", "logging.handlers"),
        ("a.json", '{"a": "csv", "b": "xml.sax"}', "xml.sax", "csv xml.sax"),
        ("a.toml", 'a = "./csv"\nb = "csv-x" # json/x', "", ""),
        ("a.yaml", "class: json.tool", "json.tool", "json.tool"),
        ("a.txt", "class: json.tool", "", ""),
        ("a.json", "x" * named.MAX_FILE + "json.tool", "", ""),
    ],
)
def test_settings(world: World, file: str, text: str, without: str, computed: str) -> None:
    touch(world.code, f"app/{file}", text=text)

    assert set(without.split()) == world.named({"app": ModuleImports()})
    assert set(computed.split()) == world.named({"app": ModuleImports(computed=COMPUTED)})


def test_each_name_has_its_place(world: World) -> None:
    """The module and the line of a text; the file and the line of a setting."""
    touch(world.code, "app/a.ini", text="[x]\nclass = json.tool\n")
    facts = {"app": ModuleImports(names={"logging.handlers.X": 7})}

    found = named.named(facts, world.finder, world.project, (world.dependency,))

    assert [
        ("logging.handlers", "logging.handlers.X", 7, "app", ""),
        ("json.tool", "json.tool", 2, "", "a.ini"),
    ] == [(one.module, one.text, one.line, one.importer, one.file.name) for one in found]


def test_settings_of_a_dependency(world: World) -> None:
    """A dotted name counts, a word does not."""
    touch(world.dependency.code, "dep/a.json", text='["csv", "json.tool"]')

    assert {"json.tool"} == world.named({"app": ModuleImports(computed=COMPUTED)})


def test_settings_of_a_namespace_package(world: World) -> None:
    """A folder of src is a package, with a module or without."""
    touch(world.code, "tools/settings.json", text='["json.tool"]')

    assert {"json.tool"} == world.named({})
