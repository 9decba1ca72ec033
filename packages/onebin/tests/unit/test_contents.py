"""Which files go into a whole program, and its metadata, on small trees."""

import base64
import email
import hashlib
import importlib.metadata
import os
from collections.abc import Iterable
from pathlib import Path

import msgspec
import pytest

from onebin.errors import ProjectError
from onebin.inputs import core_metadata, directory
from onebin.model import Distribution, ModuleOrigin, Pin, Trace
from onebin.selection import contents, whole

SITE = "lib/python3.13/site-packages"

TABLE = {
    "project": {
        "name": "my-app",
        "version": "1.2",
        "description": "Two\nlines",
        "requires-python": ">=3.11",
        "dependencies": ["dep>=1"],
        "optional-dependencies": {"more": ["other; python_version > '3'"]},
        "authors": [{"name": "A", "email": "a@example.org"}, {"name": "B"}],
        "scripts": {"my-app": "app:main"},
        "entry-points": {"my.group": {"one": "app.one:f"}},
    }
}


def write(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(os.fsencode(name))
    return folder


def paths(
    root: Path,
    files: Iterable[str],
    *,
    sources: bool = True,
    flat: bool = False,
    text: str = "",
    trace: Trace | None = None,
) -> set[str]:
    """The paths below site-packages of a program whose modules are ``app`` and ``dep``."""
    write(root if flat else root / "src", "app/__init__.py", *files)
    table = {**TABLE, "tool": {"onebin": {"sources": sources}}}
    project = directory.parse(root, table)
    if trace is not None:
        options = msgspec.structs.replace(project.options, prune="reachable")
        project = msgspec.structs.replace(project, options=options, trace=trace)
    (project.code / "app/__init__.py").write_text(text)
    dep = write(root.parent / "dep", "dep.py", "dep.pyi", "dep-1.dist-info/METADATA", "app/x.txt")
    origins = {
        "app": ModuleOrigin(
            "source", project.code / "app/__init__.py", f"/onebin/{SITE}/app/__init__.py",
            is_package=True, origin="project",
        ),
        "dep": ModuleOrigin("source", dep / "dep.py", f"/onebin/{SITE}/dep.py"),
        "start": ModuleOrigin("source", Path("start.py"), "<start>"),
    }  # fmt: skip
    distributions = (Distribution(Pin("dep", "1", ()), dep, "key"),)
    found = contents.files(project, distributions, origins, "3.13", "script")
    programs = {"bin/my-app"} if trace else {"bin/python3", "bin/my-app"}
    assert programs == {file.path for file in found if file.path.startswith("bin/")}
    return {file.path.removeprefix(f"{SITE}/") for file in found if file.path.startswith(SITE)}


OWN = {
    f"my_app-1.2.dist-info/{name}"
    for name in ("METADATA", "entry_points.txt", "RECORD", "INSTALLER", "top_level.txt")
}
ALWAYS = {"dep-1.dist-info/METADATA", "dep.pyi", "app/x.txt", *OWN}


@pytest.mark.parametrize(
    ("files", "sources", "flat", "found"),
    [
        (["app/a.txt", "other.py"], True, False,
         {"app/__init__.py", "app/a.txt", "other.py", "dep.py"}),
        # Files of tools, compiled files. Stubs and headers are data: lazy loaders, typeshed, cffi.
        (["app/.git/x", "app/__pycache__/y.pyc", "app/c.so", "app/c.h", "app/py.typed", ".env",
          "app.egg-info/PKG-INFO", "app/.hidden"], True, False,
         {"app/__init__.py", "app/py.typed", "app/c.h", "app/.hidden", "dep.py"}),
        # A project's own folder holds other things: only packages that are reached go in.
        (["app/a.txt", "tests/test_app.py", "setup.py", "README.md"], True, True,
         {"app/__init__.py", "app/a.txt", "dep.py"}),
        # Without sources a module shows its code; files that are not frozen stay.
        (["app/template.py", "app/a.txt"], False, False,
         {"app/__init__.pyc", "app/template.py", "app/a.txt", "dep.pyc"}),
    ],
)  # fmt: skip
def test_files_of_a_whole_program(
    tmp_path: Path, files: list[str], *, sources: bool, flat: bool, found: set[str]
) -> None:
    """Everything an installation has but compiled code."""
    assert found | ALWAYS == paths(tmp_path / "root", files, sources=sources, flat=flat)


@pytest.mark.parametrize(
    ("trace", "found"),
    [
        ((), set()),
        (("app/a.txt",), {"app/a.txt"}),
        (("app/data/",), {"app/data/one.txt"}),
        (("app/data/deep/two.txt",), {"app/data/deep/two.txt"}),
        (("my_app-1.2.dist-info/METADATA",), {"my_app-1.2.dist-info/METADATA"}),
        (("app/gone.txt", "../a", "app"), set()),
        # The source of a module instead of its code, and source without a module.
        (("dep.py", "app/template.py"), {"dep.py", "app/template.py"}),
    ],
)
def test_files_of_a_trace(tmp_path: Path, trace: tuple[str, ...], found: set[str]) -> None:
    """Those alone, and the code of each module, so that modules can be listed."""
    files = ["app/a.txt", "app/data/one.txt", "app/data/deep/two.txt", "app/template.py"]
    names = tuple(f"site-packages/{name}" for name in trace)

    inside = paths(tmp_path / "root", files, trace=Trace(files=names))

    code = {"app/__init__.pyc", "dep.pyc"}
    assert (code - {f"{name}c" for name in trace}) | found == inside


@pytest.mark.parametrize("sources", [True, False])
def test_import_system_has_the_files_that_it_names(tmp_path: Path, *, sources: bool) -> None:
    """``importlib._bootstrap.__file__`` is there, for inspect; without sources it is not."""
    write(tmp_path, "app/__init__.py")
    project = directory.parse(tmp_path, {**TABLE, "tool": {"onebin": {"sources": sources}}})
    names = {
        "_frozen_importlib": "_bootstrap.py",
        "_frozen_importlib_external": "_bootstrap_external.py",
    }
    origins = {
        name: ModuleOrigin("source", write(tmp_path, file) / file, "<frozen x>")
        for name, file in names.items()
    }

    found = {file.path: file.source for file in contents.files(project, (), origins, "3.13", "")}

    expected = {f"lib/python3.13/importlib/{file}": tmp_path / file for file in names.values()}
    assert (expected if sources else {}) == {
        path: source for path, source in found.items() if "importlib/" in path
    }


def test_modules_of_a_whole_program(tmp_path: Path) -> None:
    """All of a source folder; of a project's own folder its code, but tests and the like."""
    write(tmp_path / "src", "app/__init__.py", "app/0001_step.py", "other.py")
    write(tmp_path / "dep", "dep/a.py")
    dep = Distribution(Pin("dep", "1", ()), tmp_path / "dep", "key")
    project = directory.parse(tmp_path, TABLE)

    assert {"app", "app.0001_step", "other", "dep.a"} == set(whole.roots(project, [dep]))
    write(tmp_path / "flat", "app/__init__.py", "app/a.py", "tests/__init__.py", "tests/b.py")
    flat = directory.parse(tmp_path / "flat", TABLE)
    write(tmp_path / "flat", "settings.py", "setup.py", "space/name/c.py", "data/list.txt")
    write(tmp_path / "flat", "mine/pyvenv.cfg", "mine/lib/d.py", "docs/conf.py", ".tox/e.py")
    assert ["app", "app.a", "settings", "space.name.c"] == whole.roots(flat, [])
    assert ("x", "app", "app.a") == whole.with_packages({"app": ("x",)}, flat)["app"]


@pytest.mark.parametrize(
    ("text", "folders"),
    [
        ("", {"templates", "static"}),
        ('HERE / "assets"', {"templates", "static", "assets"}),
        ('os.path.join(HERE, "assets/img")', {"templates", "static", "assets"}),
        ('Files(directory="assets")', {"templates", "static", "assets"}),
        ('row["data"]; {"assets": 1}; "a data b"', {"templates", "static"}),
    ],
)
def test_folders_beside_the_modules_of_a_flat_project(
    tmp_path: Path, text: str, folders: set[str]
) -> None:
    """Those that its code makes paths of, and those of frameworks' conventions."""
    root = tmp_path / "root"
    beside = [f"{name}/file" for name in ("templates", "static", "assets", "data")]

    found = paths(root, beside, flat=True, text=text)

    assert folders == {path.partition("/")[0] for path in found if path.endswith("/file")}


@pytest.mark.parametrize("name", ["app/\udcff.txt", "app/\udce4/page.html"])
def test_name_that_is_not_text(tmp_path: Path, name: str) -> None:
    """As Latin-1 leaves it; the message shows its bytes."""
    with pytest.raises(ProjectError, match=r"b'app/\\x[ef].*': its name is not UTF-8"):
        paths(tmp_path / "root", [name])


def test_results_and_environments_stay_out(tmp_path: Path) -> None:
    """A folder that code names is where onebin writes: the earlier result is not taken in."""
    names = ("index.html", "my-app", "my-app.tar", "my-app.oci/index.json", "other")
    beside = [*(f"dist/{name}" for name in names), "mine/pyvenv.cfg", "mine/bin/python"]

    found = paths(tmp_path / "root", beside, flat=True, text='BASE / "dist"; BASE / "mine"')

    assert {"dist/index.html", "dist/other"} == {
        path for path in found if path.startswith(("dist/", "mine/"))
    }


def made_info(root: Path, *wheel: str) -> importlib.metadata.PathDistribution:
    """The project's ``.dist-info`` as it is inside; *wheel* has the lines of its RECORD."""
    write(root / "src", "app/__init__.py", "app/a,b.txt")
    if wheel:
        info = write(root / "src", *(f"My_App-1.2.dist-info/{n}" for n in ("WHEEL", "licenses/L")))
        (info / "My_App-1.2.dist-info/RECORD").write_text("".join(f"{x}\n" for x in wheel))
    project = directory.parse(root, TABLE)
    for file in contents.files(project, (), {}, "3.13", "script"):
        target = root / "inside" / file.path
        target.parent.mkdir(parents=True, exist_ok=True)
        if file.kind == "data":
            data = file.source.read_bytes() if file.text is None else file.text.encode()
            target.write_bytes(data)
    (info,) = (root / "inside" / SITE).glob("*.dist-info")
    return importlib.metadata.PathDistribution(info)


def test_record_of_a_project_states_hash_and_size(tmp_path: Path) -> None:
    """PEP 376: each file with both, but the record itself and the script."""
    found = made_info(tmp_path)

    files = {str(file): file for file in found.files or ()}

    assert {
        "app/__init__.py", "app/a,b.txt", "../../../bin/my-app", *OWN
    } == files.keys()  # fmt: skip
    assert all(Path(file.locate()).exists() for file in files.values())
    for file in files.values():
        if file.hash is not None:
            data = Path(file.locate()).read_bytes()
            digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
            assert (digest, len(data)) == (file.hash.value, file.size)
    assert {"RECORD", "my-app"} == {file.name for file in files.values() if file.hash is None}
    assert ("onebin\n", "app\n") == (found.read_text("INSTALLER"), found.read_text("top_level.txt"))


def test_metadata_of_a_wheel_is_as_installed(tmp_path: Path) -> None:
    """Its own folder, whole, with its own record, and what an installer adds."""
    found = made_info(tmp_path, "app/__init__.py,sha256=x,1", "My_App-1.2.dist-info/RECORD,,")

    names = [str(file) for file in found.files or ()]

    assert "My_App-1.2.dist-info/INSTALLER" in names
    assert {"app/__init__.py", "../../../bin/my-app"} < {*names}
    assert found.read_text("WHEEL") is not None
    assert found.read_text("licenses/L") is not None


def test_metadata_is_read_by_importlib(tmp_path: Path) -> None:
    """The texts of a project are those of an installed distribution."""
    info = tmp_path / "my_app-1.2.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(core_metadata.metadata(TABLE["project"], "1.2"))
    (info / "entry_points.txt").write_text(core_metadata.entry_points(TABLE["project"]))

    found = importlib.metadata.PathDistribution(info)

    assert ("1.2", "my-app", "Two lines") == (
        found.version, found.metadata["Name"], found.metadata["Summary"]
    )  # fmt: skip
    assert ["dep>=1", "other; (python_version > '3') and extra == \"more\""] == found.requires
    points = {(point.group, point.name, point.value) for point in found.entry_points}
    assert {("console_scripts", "my-app", "app:main"), ("my.group", "one", "app.one:f")} == points


@pytest.mark.parametrize(
    "table",
    [
        {"name": "a", "authors": "x", "classifiers": 1, "urls": [], "keywords": {}},
        {"name": "a", "optional-dependencies": {"x": "y"}, "scripts": 1, "entry-points": []},
    ],
)
def test_values_of_another_type_are_left_out(table: dict[str, object]) -> None:
    """Each is refused, or ignored, by whatever installs the project."""
    text = core_metadata.metadata(table, "1")

    assert "a" == email.message_from_string(text)["Name"]
    assert "" == core_metadata.entry_points(table)


def test_data_of_the_standard_library_goes_with_its_readers(tmp_path: Path) -> None:
    """Of packages that are used or that another reads; notes and scripts stay out."""
    names = ("importlib/_bootstrap.py", "pydoc_data/_pydoc.css", "shown/a/x.js", "shown/README")
    stdlib = write(tmp_path / "stdlib", *names, "unused/y.css")
    write(tmp_path / "root" / "src", "app/__init__.py")
    project = directory.parse(tmp_path / "root", TABLE)

    def inside(*modules: str) -> set[str]:
        start = ModuleOrigin("source", stdlib / names[0], "<frozen>")
        origins = {"_frozen_importlib": start, **dict.fromkeys(modules, ModuleOrigin("alias"))}
        found = contents.files(project, (), origins, "3.13", "script")
        library = "lib/python3.13/"
        paths = {file.path for file in found if not file.path.startswith(SITE)}
        return {path.removeprefix(library) for path in paths if path.endswith((".css", ".js"))}

    assert set() == inside("json")
    assert {"pydoc_data/_pydoc.css"} == inside("xmlrpc.server")
    assert {"pydoc_data/_pydoc.css", "shown/a/x.js"} == inside("pydoc", "shown.b")
