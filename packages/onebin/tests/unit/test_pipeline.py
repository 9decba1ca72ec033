"""A whole build without a compiler: each program is replaced, each step is real."""

import io
import shlex
import sys
from pathlib import Path
from typing import Any

import pytest

from onebin import cli, decide, pipeline, render, tracing
from onebin.effects.process import run
from onebin.errors import OnebinError
from onebin.inputs.directory import Directory
from onebin.model import Function, Project, Trace
from onebin.pgo import profile
from onebin.runtime import sources
from onebin.tools import Tools

from .conftest import Put
from .fakes import Programs, compiler, counters, own_python, tools
from .small_sources import digest_of, make_cpython, tarball, zlib_of

RAN = [Function("main", 1, (5, 0)), Function("idle", 1, (0,))]


def programs(words: list[str], options: dict[str, Any]) -> bytes:
    """Imitate each program, as far as a build reads its output."""
    name = Path(words[0]).name
    if words[0] == sys.executable:
        return run(words, **options)  # pip
    if name == "python":
        return own_python(words, options)
    if "-v" in words:
        return compiler(words, options)
    if name == "ar":
        (options["cwd"] / "libz.a").write_text("zlib")
    elif "-o" in words:
        Path(words[words.index("-o") + 1]).write_text(name)
    elif name == "app":
        folder = Path(options["env"]["ONEBIN_COUNTERS"])
        (folder / "1").write_bytes(counters(RAN))
        options["on_line"]("served")
    return b""


@pytest.fixture
def project(
    put_wheel: Put, installed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """A project with a dependency, and sources small enough to build in no time."""
    root = tmp_path / "project"
    root.mkdir()
    (root / "app.py").write_text(
        "import thing\ntry: import ssl\nexcept ImportError: pass\ndef main(): ...\n"
    )
    cpython = tmp_path / "cpython"
    make_cpython(cpython)
    for name in ("importlib/_bootstrap.py", "importlib/_bootstrap_external.py"):
        (cpython / "Lib" / name).parent.mkdir(exist_ok=True)
        (cpython / "Lib" / name).write_text("")
    folder = tmp_path / "zlib"
    folder.mkdir()
    files_sha256 = digest_of(folder)
    names = [file.name for file in folder.iterdir()]
    zlib = zlib_of(tarball(tmp_path / "z.tar.gz", names), files_sha256)
    monkeypatch.setattr(sources, "ZLIB", zlib)
    (root / "pyproject.toml").write_text(
        '[project]\nname = "app"\nversion = "2"\nscripts = { app = "app:main" }\n'
        'dependencies = ["thing"]\n[tool.onebin]\npython-source = "../cpython"\n'
    )
    monkeypatch.chdir(tmp_path)
    put_wheel("thing", code="x = 1")
    return root


def read(root: Path) -> Project:
    return Directory(root).project()


def test_directory_to_image(project: Path, tmp_path: Path) -> None:
    """Each stage reports; a second build runs no program; the image has the executable."""
    noted, stream = Programs(programs), io.StringIO()
    given = tools(tmp_path / "cache", noted, stream)

    first = pipeline.build(read(project), given)
    count = len(noted.calls)
    second = pipeline.build(read(project), given)
    made = pipeline.image(first, given, epoch=0)

    assert first == second
    assert count == len(noted.calls)
    assert {"app", "thing", "_frozen_importlib"} <= {module.name for module in first.modules}
    assert ["ssl"] == [item.module for item in first.omitted]
    assert ("app", "ld") == (first.binary.name, first.binary.path.read_text())
    assert made.digest.startswith("sha256:")
    stages = [line.split()[0] for line in stream.getvalue().splitlines()]
    assert ["warning:", "lock", "plan", "toolchain", "runtime", "distributions", "freeze", "link",
            "plan", "toolchain", "runtime", "distributions", "freeze", "link", "assemble",
            ] == stages  # fmt: skip
    assert (project / "onebin.lock").is_file()
    kinds = {folder.name for folder in given.context.store.root.iterdir()}
    assert {"runtime", "distribution", "module", "binary"} <= kinds


def test_training_gives_a_profile_that_builds_use(project: Path, tmp_path: Path) -> None:
    """The instrumented program runs, its counts become a text, and the flags name it."""
    noted = Programs(programs)
    given = tools(tmp_path / "cache", noted)

    text = pipeline.train(read(project), given, [])

    assert [("main", (profile.MAX_COUNT, 0))] == [
        (function.name, function.counts) for function in profile.parse(text, "here").functions
    ]
    assert any("counters.c" in words[-3] for words in noted.calls if "-c" in words)
    (project / "app.profile").write_text(text)
    with (project / "pyproject.toml").open("a") as file:
        file.write('profile = "app.profile"\n')
    built = pipeline.build(read(project), given)
    assert built.plan.profile is not None
    assert built.plan.toolchain in text
    scripts = [file.read_text() for file in (tmp_path / "cache" / "toolchain").glob("*/bin/cc")]
    assert any("-fprofile-use=" in script for script in scripts)


def test_training_without_counters(project: Path, tmp_path: Path) -> None:
    """A command that kills the program leaves no counts."""
    given = tools(tmp_path / "cache", Programs(programs))

    with pytest.raises(OnebinError, match="no process of app ended by itself"):
        pipeline.train(read(project), given, ["true"])


def test_profile_of_another_compiler_is_a_warning(project: Path, tmp_path: Path) -> None:
    """The build ignores the profile, and the plan goes on."""
    (project / "app.profile").write_text(profile.to_text(RAN, "another compiler"))
    with (project / "pyproject.toml").open("a") as file:
        file.write('profile = "app.profile"\n')
    stream = io.StringIO()

    plan = decide.make_plan(read(project), tools(tmp_path / "cache", Programs(), stream))

    assert plan.profile is not None
    assert "app.profile: made with another compiler; this is ziglang" in stream.getvalue()
    assert "onebin train" in stream.getvalue()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ('profile = "gone.profile"', "gone.profile: cannot be read"),
        ('build-lock = "gone.lock"', "gone.lock: cannot be read"),
    ],
)
def test_file_that_is_missing(project: Path, tmp_path: Path, settings: str, message: str) -> None:
    """The missing file is named before anything is built."""
    with (project / "pyproject.toml").open("a") as file:
        file.write(settings)

    with pytest.raises(OnebinError, match=message):
        decide.make_plan(read(project), tools(tmp_path / "cache", Programs()))


def test_source_is_a_directory_or_has_a_checksum(project: Path, tmp_path: Path) -> None:
    """A file needs a checksum."""
    (tmp_path / "python.tar").write_text("")
    text = (project / "pyproject.toml").read_text().replace("../cpython", "../python.tar")
    (project / "pyproject.toml").write_text(text)

    with pytest.raises(OnebinError, match="not a directory, and without a checksum"):
        decide.make_plan(read(project), tools(tmp_path / "cache", Programs()))


def test_commands(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    """Output and files of each command; with -q nothing else."""
    given = tools(tmp_path / "cache", Programs(programs))
    monkeypatch.setattr(Tools, "for_this_machine", lambda *_, **__: given)
    printed = []
    for line in ("lock", "prepare -q", "build", "image --tag app:2", "train -o a.profile -- $1"):
        command, *options = line.split()
        words = [word.replace("$1", str(project / "dist" / "app")) for word in options]
        assert 0 == cli.main([command, str(project), *words]), capsys.readouterr().err
        printed.append(capsys.readouterr().out.partition("@")[0].strip())

    assert ["project/onebin.lock", "", "project/dist/app", "app", "a.profile"] == printed
    assert {"app", "app.oci", "app.tar"} == {file.name for file in (project / "dist").iterdir()}
    assert 0o755 == (project / "dist" / "app").stat().st_mode & 0o777
    assert 2 == cli.main(["train", str(project)])
    assert "where to write the profile?" in capsys.readouterr().err
    assert 1 == cli.main(["build", str(project), "--output", str(project)])
    assert "is a directory" in capsys.readouterr().err
    assert 0 == cli.main(["inspect", str(project / "dist" / "app.tar"), "--json"])
    assert 0 == cli.main(["plan", str(project), "--json"])
    assert '"provider": "pure"' in capsys.readouterr().out


def test_prepare_and_lock_need_no_code(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    """An early layer of a Dockerfile has the settings and the lock alone."""
    given = tools(tmp_path / "cache", Programs(programs))
    monkeypatch.setattr(Tools, "for_this_machine", lambda *_, **__: given)
    for file in project.rglob("*.py"):
        file.unlink()

    for command in ("lock", "prepare"):
        assert 0 == cli.main([command, str(project)]), capsys.readouterr().err


PLUGINS = """\
import thing
HERE = __file__
def main():
    from importlib import import_module, metadata
    import_module("plug_" + "in")
    metadata.entry_points()
"""


@pytest.fixture
def plugins(project: Path) -> Path:
    """The project with a package of which an import is computed, with data and an entry point."""
    (project / "app.py").unlink()
    package = project / "src" / "app"
    (package / "data").mkdir(parents=True)
    (package / "__init__.py").write_text(PLUGINS)
    (package / "plug_in.py").write_text("")
    (package / "data" / "x.json").write_text('{"class": "importlib._bootstrap"}')
    with (project / "pyproject.toml").open("a") as file:
        file.write('prune = "reachable"\n[project.entry-points.plugs]\none = "app.plug_in:f"\n')
    return project


def test_pruning_is_compared_once_all_is_built(plugins: Path, tmp_path: Path) -> None:
    """Nothing before; then both sizes, and each risk by its place. A plan builds nothing."""
    given = tools(tmp_path / "cache", Programs(programs))
    assert None is pipeline.pruning(decide.make_plan(read(plugins), given), given)
    pipeline.build(read(plugins), given)
    noted = Programs(programs)
    again = tools(tmp_path / "cache", noted)

    found = pipeline.pruning(
        decide.with_offers(decide.make_plan(read(plugins), again), again), again
    )

    assert found is not None
    assert found.reachable is not None
    assert found.whole.size > found.reachable.size
    places = {(risk.kind, risk.place) for risk in found.risks}
    assert {
        ("module", "src/app/plug_in.py"), ("computed", "src/app/__init__.py:5"),
        ("entry point", "entry_points.txt:5"), ("data", "src/app/data/x.json"),
        ("files", "src/app/__init__.py:2"), ("metadata", "src/app/__init__.py:6"),
    } <= places  # fmt: skip
    shown = render.plan(decide.make_plan(read(plugins), again), found)
    assert "src/app/__init__.py:5  import_module('plug_' + 'in')" in shown
    assert "saves" in shown
    assert not {"ld", "ar"} & set(noted.names)


def test_what_a_run_used_is_kept_and_built(plugins: Path, tmp_path: Path) -> None:
    """Lines that processes of the program write; only names that are inside and were not seen."""
    given = tools(tmp_path / "cache", Programs(programs))
    site = "/onebin/lib/python3.13/site-packages/app"
    lines = ("m app", "m app.plug_in", "m gone", f"f {site}/data/x.json", f"l {site}/data", "f /x")
    command = "sh -c " + shlex.quote(
        "".join(f"echo {shlex.quote(line)} >> $ONEBIN_TRACE; " for line in lines)
    )

    learned = tracing.trace(read(plugins), given, command)
    built = pipeline.build(read(plugins), given)

    version = built.plan.series
    assert ("app.plug_in",) == learned.new.modules
    assert learned.path == plugins / "onebin-trace.toml"
    assert {"app.plug_in"} <= {module.name for module in built.modules}
    if f"python{version}/" in site:
        assert ("site-packages/app/data/", "site-packages/app/data/x.json") == learned.new.files
    assert Trace() == tracing.trace(read(plugins), given, command).new
    for wrong in ("true", "false", "sh -c 'exit 3'", "no-such-program", "'", ""):
        with pytest.raises(OnebinError, match=r"--trace|cannot be started"):
            tracing.trace(read(plugins), given, wrong)
