"""Platforms of the command line, and facts of the target in a foreign build; nothing runs."""

import os
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from onebin import platforms, render
from onebin.cli import main
from onebin.distributions import cross, own_prefix
from onebin.errors import ProjectError
from onebin.model import (
    PLATFORMS,
    Interpreter,
    NativeTools,
    Profile,
    Source,
    Toolchain,
)
from onebin.runtime.build import BuildCPython
from onebin.runtime.library import BuildLibrary, Command, Library
from onebin.runtime.recipe import ZLIB_FILES, recipe

from .fakes import Programs, context, project_plan, tools
from .small_sources import digest_of, make_cpython, sha256_of, tarball, zlib_of

ARM = Toolchain(
    Path("/arm/bin"), Path("/rcrt1.o"), (), "arm", native=NativeTools("x86_64", Path("/here/bin"))
)


@given(st.lists(st.sampled_from([*PLATFORMS, *map(" {} ".format, PLATFORMS)]), min_size=1))
def test_every_spelling_of_a_list(names: list[str]) -> None:
    """Repeated or with commas, each counts once, in the order given."""
    expected = tuple(dict.fromkeys(name.strip() for name in names))

    assert expected == platforms.named(names) == platforms.named([",".join(names)])


@given(st.text().filter(lambda text: not {x.strip() for x in text.split(",")} <= {*PLATFORMS}))
def test_unknown_platform_names_the_known(text: str) -> None:
    """The error is one line, whatever was given."""
    with pytest.raises(ProjectError) as caught:
        platforms.named([text])

    assert str(caught.value).isprintable()
    assert str(caught.value).endswith("expected linux/amd64 or linux/arm64")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["plan", "--platform", "linux/s390x"], "'linux/s390x' is not a platform that onebin"),
        (["build", "--platform", ""], "'' is not a platform that onebin builds for"),
        (["build", "--platform", "linux/amd64,linux/arm64"], "only image takes several"),
        (["sbom", "--platform", "linux/amd64", "--platform", "linux/arm64"], "only image takes"),
        (["image", "--platform", "linux/amd64,linux/arm64", "--to", "dir:/nowhere/x"],
         "a directory holds one platform; expected --to layout: or archive:"),
    ],
)  # fmt: skip
def test_wrong_command_lines(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], message: str
) -> None:
    """Each is refused at once, before the project is read or anything is built."""
    script = tmp_path / "app.py"
    script.write_text("print()\n")

    assert 2 == main([*words[:1], str(script), *words[1:]])
    assert message in capsys.readouterr().err


def test_target_of_tools(tmp_path: Path) -> None:
    """Without a platform it is this machine."""
    found = tools(tmp_path, Programs())

    assert "x86_64" == found.target
    assert "aarch64" == msgspec.structs.replace(found, platform="linux/arm64").target


def test_plan_says_what_is_not_used(tmp_path: Path) -> None:
    """Both processors, and a profile that stays out."""
    here = project_plan(tmp_path, [])
    there = msgspec.structs.replace(
        here,
        machine="aarch64",
        profile=Profile(path="p", sha256="0", made_by="", functions=()),
    )

    assert not here.is_cross
    shown = [" ".join(render.plan(plan).split()) for plan in (here, there)]
    assert "machine x86_64 compiler" in shown[0]
    assert "machine aarch64, built on x86_64 compiler" in shown[1]
    assert "profile not used: it is of this machine's processor" in shown[1]


def test_cpython_is_configured_by_the_one_that_runs_here(tmp_path: Path) -> None:
    """The triplets differ; the standard library is the target's, the interpreter is not."""
    make_cpython(tmp_path / "cpython")
    files_sha256 = digest_of(tmp_path)
    zlib = zlib_of(tarball(tmp_path / "z.tar.gz", [*ZLIB_FILES, "zlib.h"]), files_sha256)
    python = Source(name="CPython", version="", sha256="", origin=str(tmp_path / "cpython"))
    here = Interpreter(
        tmp_path / "python", tmp_path / "home", tmp_path / "lib", "x86_64", "3.13", "here"
    )
    homes: list[str] = []

    def act(words: list[str], options: dict[str, Any]) -> bytes:
        if words[0] == "./configure":
            homes.append(options["env"]["PYTHONHOME"])
        if words[0].endswith("/ar"):
            (options["cwd"] / "libz.a").write_text("zlib")
        return b""

    programs = Programs(act)
    step = BuildCPython(python, zlib, recipe("size"), ARM, "aarch64", here)

    made = context(tmp_path / "cache", programs).build(step)

    (configure,) = (words for words in programs.calls if words[0] == "./configure")
    assert [
        "--build=x86_64-linux-musl", "--host=aarch64-linux-musl",
        f"--with-build-python={tmp_path}/python",
    ] == configure[1:4]  # fmt: skip
    assert [str(tmp_path / "home")] == homes
    assert made.interpreter == msgspec.structs.replace(here, stdlib=made.interpreter.stdlib)
    assert (made.interpreter.stdlib / "os.py").is_file()
    assert "aarch64" == made.runtime.target


@pytest.mark.parametrize("only_generates", [False, True])
def test_library_for_another_processor(tmp_path: Path, only_generates: bool) -> None:  # noqa: FBT001
    """configure sees that it cannot run its results; generators are compiled for here."""
    file = tarball(tmp_path / "thing.tar.gz", ["thing.h"])
    words = ("configure", "--build={triplet}", "--host={triplet}", "BUILD_CC=cc")
    library = Library(
        name="thing", license="MIT", steps=(Command(words),), headers=(("*.h", ""),), archives=(),
        source=Source(name="thing", version="1", sha256=sha256_of(file), origin=str(file)),
        only_generates=only_generates,
    )  # fmt: skip
    paths: list[str] = []

    def act(_: list[str], options: dict[str, Any]) -> bytes:
        paths.append(options["env"]["PATH"].partition(":")[0])
        return b""

    programs = Programs(act)

    context(tmp_path / "cache", programs).build(BuildLibrary(library, (), ARM, "aarch64"))

    assert [
        "configure", "--build=x86_64-linux-musl", "--host=aarch64-linux-musl",
        "BUILD_CC=/here/bin/cc",
    ] == programs.calls[0]  # fmt: skip
    assert ["/here/bin" if only_generates else "/arm/bin"] == paths


def test_back_end_knows_the_target(tmp_path: Path) -> None:
    """sysconfig's data are those of the target's CPython, and CMake knows that it crosses."""
    stdlib = tmp_path / "lib"
    stdlib.mkdir()
    (stdlib / "_sysconfigdata__linux_.py").write_text("build_time_vars = {}\n")
    (stdlib / "os.py").write_text("")
    here = Interpreter(tmp_path / "python", tmp_path, stdlib, "x86_64", "3.13", "here")

    found = cross.environment(
        here, "aarch64", NativeTools("x86_64", Path("/n")), tmp_path / "facts"
    )
    prefix = own_prefix.write(tmp_path / "p", (), python=Path("/python"), target="aarch64")
    plain = own_prefix.write(tmp_path / "q", (), python=Path("/python"))

    assert ("linux-aarch64", "/n/cc") == (found["_PYTHON_HOST_PLATFORM"], found["CC_FOR_BUILD"])
    (data,) = (tmp_path / "facts").glob("*.py")
    assert "_sysconfigdata__linux_.py" == data.name
    site = Path(found["CONFIG_SITE"]).read_text().split()
    assert [
        "cross_compiling=yes", "build_alias=x86_64-linux-musl", "host_alias=aarch64-linux-musl"
    ] == site  # fmt: skip
    more = "set(CMAKE_SYSTEM_NAME Linux)\nset(CMAKE_SYSTEM_PROCESSOR aarch64)\n"
    lines = (prefix / "cmake").read_text().removeprefix((plain / "cmake").read_text())
    assert lines.startswith(more)


def test_meson_is_given_the_target(tmp_path: Path) -> None:
    """Its setup alone gets the description; other commands stay as they are."""
    here = Interpreter(tmp_path / "python", tmp_path, tmp_path, "x86_64", "3.13", "here")
    found = cross.environment(here, "aarch64", NativeTools("x86_64", Path("/n")), tmp_path / "f")
    (tmp_path / "bin").mkdir()
    meson = tmp_path / "bin" / "meson"
    meson.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    meson.chmod(0o755)

    lines = [
        subprocess.run(
            [found["MESON"], *words], env={"PATH": f"{meson.parent}:{os.defpath}"}, text=True,
            capture_output=True, check=True,
        ).stdout.splitlines()
        for words in (["setup", "a b", "c"], ["compile", "-C", "c"])
    ]  # fmt: skip

    (setup, option, file, *rest), other = lines
    assert ("setup", "--cross-file", ["a b", "c"]) == (setup, option, rest)
    assert "cpu_family = 'aarch64'" in Path(file).read_text()
    assert ["compile", "-C", "c"] == other


def test_program_sees_the_target(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By os.uname, which platform calls too; its arguments are its own."""
    program = tmp_path / "program.py"
    program.write_text(
        "import os, sys\n"
        "found = (os.uname().machine, __name__, sys.argv[1:])\n"
        "import pathlib\n"
        f"pathlib.Path({str(tmp_path / 'found')!r}).write_text(repr(found))\n"
    )
    monkeypatch.setattr(os, "uname", os.uname)
    monkeypatch.setattr(sys, "argv", ["", "aarch64", str(program), "one"])

    runpy.run_path(str(cross.HOOK), run_name="__main__")

    assert repr(("aarch64", "__main__", ["one"])) == (tmp_path / "found").read_text()
