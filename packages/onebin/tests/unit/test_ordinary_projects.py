"""Generated projects of back ends that are installed here: each is read as its own wheel has it."""

import importlib.metadata
import os
import zipfile
from pathlib import Path

import msgspec
import pytest

from onebin import inputs, requirement
from onebin.effects.context import Context
from onebin.effects.process import run
from onebin.inputs import Given
from onebin.model import target_environment

from ..ordinary import shape as shapes
from ..ordinary import write as writer
from .fakes import context

BACK_ENDS = ("setuptools", "hatchling", "setup.cfg", "setup.py")
NEEDED = (
    *("setuptools", "hatchling"),
    *("packaging", "pathspec", "pluggy", "tomlkit", "trove-classifiers"),
)


def pack(name: str, folder: Path) -> None:
    """Make the installed distribution *name* a wheel again."""
    found = importlib.metadata.distribution(name)
    file = folder / f"{name.replace('-', '_')}-{found.version}-py3-none-any.whl"
    with zipfile.ZipFile(file, "w") as archive:
        for entry in found.files or ():
            is_code = ".." not in entry.parts and "__pycache__" not in entry.parts
            if is_code and Path(str(entry.locate())).is_file():
                archive.write(str(entry.locate()), str(entry))


@pytest.fixture(scope="module")
def ctx(tmp_path_factory: pytest.TempPathFactory) -> Context:
    """One cache, so that each back end is fetched once, and a folder as the only index."""
    folder = tmp_path_factory.mktemp("shelf")
    for name in NEEDED:
        pack(name, folder)
    settings = {"PIP_CONFIG_FILE": os.devnull, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(folder)}

    def with_shelf(argv: list[str], **options: object) -> bytes:
        env = options.pop("env", None) or {}
        assert isinstance(env, dict)
        more = settings if options.get("fetching") else {}
        return run(argv, env={**env, **more}, **options)  # type: ignore[arg-type]

    return context(tmp_path_factory.mktemp("cache"), with_shelf)  # type: ignore[arg-type]


@pytest.mark.sample(every=16)
@pytest.mark.parametrize("seed", range(48))
def test_project_is_its_wheel(ctx: Context, seed: int, tmp_path: Path) -> None:
    """Name, version, start, dependencies, files and data are those that pip would install."""
    drawn = shapes.draw(seed, BACK_ENDS)
    shape = msgspec.structs.replace(
        drawn, version="static" if drawn.version == "scm" else drawn.version
    )
    root = tmp_path / "project"
    writer.write(shape, root)
    before = sorted(root.rglob("*"))
    options = writer.entry_point(shape)
    entry = " ".join(options) if options[:1] == ["-m"] else "".join(options[1:])

    read = inputs.find(root, Given(entry_point=entry), ctx).project()

    assert (shape.name.lower().replace("_", "-"), writer.VERSION) == (
        read.name.lower().replace("_", "-"), read.version,
    )  # fmt: skip
    start = shape.package if shape.layout == "module" else f"{shape.package}.cli"
    functions = {"script": "main", "gui": "main", "scripts": "other", "function": "other"}
    expected = (shape.package, "") if shape.start == "module" else (start, functions[shape.start])
    assert expected == (read.entry.module, read.entry.function)
    linux = target_environment("x86_64")
    wanted = requirement.wanted(read.dependencies, linux, where="x", addresses=True)
    names = {"index": "iniconfig", "extra": "markdown-it-py", "folder": "near", "git": "far",
             "wheel": "built"}  # fmt: skip
    assert {names[kind] for kind in shape.dependencies if kind in names} == {
        item.name for item in wanted
    }
    installed = {
        path.relative_to(read.code).as_posix() for path in read.code.rglob("*") if path.is_file()
    }
    assert writer.installed(shape) == {path for path in installed if ".dist-info/" not in path}
    outside = read.data is not None and (read.data / "share/odd-tool/words.txt").is_file()
    assert outside == (shape.data == "outside")
    assert before == sorted(root.rglob("*"))
