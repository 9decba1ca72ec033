"""Build tools come from the build lock, by hash: a real pip against a local index."""

import hashlib
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from onebin.distributions import programs
from onebin.distributions.build_tools import BuildTools
from onebin.effects.process import run
from onebin.errors import ProjectError
from onebin.model import BuildTool, Pin

pytestmark = pytest.mark.claim("pinned downloads")

Put = Callable[..., Pin]
Make = Callable[..., BuildTools]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    def tools(
        *pins: Pin, may_be_unpinned: bool = False, run: Any = run,
        built: Mapping[str, BuildTool] | None = None,
    ) -> BuildTools:  # fmt: skip
        return BuildTools(
            pins, tmp_path / "in", tmp_path / "files",
            of="thing 1", python="3.13", machine="x86_64",
            may_be_unpinned=may_be_unpinned, run=run, built=built,
        )  # fmt: skip

    return tools


def modules(tmp_path: Path) -> set[str]:
    return {file.name for file in (tmp_path / "in").glob("*.py")}


def test_every_build_requirement_is_hashed(put_wheel: Put, make: Make, tmp_path: Path) -> None:
    """Markers and extras are resolved for the executable's Python; nothing else is installed."""
    tool = put_wheel(
        "tool",
        'helper; python_version >= "3.13"',
        'older; python_version < "3.13"',
        'wanted; extra == "more"',
        'unwanted @ git+https://h.invalid/x ; extra == "docs"',
    )
    pins = [tool, put_wheel("helper"), put_wheel("wanted"), put_wheel("idle")]
    tools = make(*pins)

    tools.install(["tool[more]>=1", 'old; python_version < "3.13"'])
    tools.install(["helper"])

    assert {"tool.py", "helper.py", "wanted.py"} == modules(tmp_path)
    assert () == tools.unpinned


TAMPERED = "open('/tmp/onebin-test-of-tampering', 'w')"


@pytest.mark.parametrize("which", ["tool", "helper"])
def test_tampered_wheel_is_refused_before_its_code_is_there(
    put_wheel: Put,
    make: Make,
    shelf: Path,
    site: tuple[Path, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    which: str,
) -> None:
    """An index that serves other bytes under a pinned name and version is rejected."""
    folder, address = site
    requires = {"tool": ["helper"], "helper": []}
    pins = [put_wheel(name, *needs) for name, needs in requires.items()]
    put_wheel(which, *requires[which], code=TAMPERED)
    for name in requires:
        page = folder / name
        page.mkdir()
        (file,) = shelf.glob(f"{name}-*")
        file.rename(page / file.name)
        sha256 = hashlib.sha256((page / file.name).read_bytes()).hexdigest()
        # The index vouches for its own bytes: the pin must count, not the index.
        link = f"<a href='{file.name}#sha256={sha256}'>{file.name}</a>"
        (page / "index.html").write_text(link)
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.setenv("PIP_INDEX_URL", address)

    with pytest.raises(ProjectError, match=f"{which} 1: the index's file is not one the lock"):
        make(*pins).install(["tool"])

    assert set() == modules(tmp_path)
    assert not Path("/tmp/onebin-test-of-tampering").exists()


@pytest.mark.parametrize("asked", ["tool", "other>=2", "Tool[more]"])
def test_unpinned_requirement_is_rejected(put_wheel: Put, make: Make, asked: str) -> None:
    """An unpinned build requirement, direct or transitive, is named with two remedies."""
    tool = put_wheel("tool", "other>=2")
    put_wheel("other", version="2")

    with pytest.raises(ProjectError, match="its build needs other>=2, which no build lock") as no:
        make(tool).install([asked])

    assert "tool.onebin.build-lock" in no.value.hint
    assert "allow-unpinned-build-requirements" in no.value.hint


def test_allowed_unpinned_requirement_is_named_with_its_hash(
    put_wheel: Put, make: Make, tmp_path: Path
) -> None:
    """The index chooses what the lock lacks; the rest still comes from the lock."""
    old, tool, new = put_wheel("tool"), put_wheel("tool", "other", version="2"), put_wheel("other")

    tools = make(tool, may_be_unpinned=True)
    tools.install(["tool"])

    assert {"tool.py", "other.py"} == modules(tmp_path)
    assert (new,) == tools.unpinned
    assert old != tool


def test_unsuitable_lock_is_reported(put_wheel: Put, make: Make) -> None:
    """A pin of a version that the build excludes does not satisfy the requirement."""
    with pytest.raises(ProjectError, match=r"needs tool>=2, the build lock has 1"):
        make(put_wheel("tool")).install(["tool>=2"])


@pytest.mark.parametrize("is_pinned", [True, False])
def test_tool_without_a_source_is_named(put_wheel: Put, make: Make, *, is_pinned: bool) -> None:
    """A tool with compiled wheels alone is unavailable, pinned or not."""
    maker = put_wheel("maker", tag="cp313-cp313-manylinux_2_28_x86_64")

    with pytest.raises(ProjectError, match="its build needs maker==1, which has no source"):
        make(*[maker] * is_pinned, may_be_unpinned=not is_pinned).install(["maker>=1"])


PKG_INFO = "Metadata-Version: 2.1\nName: maker\nVersion: 1\nRequires-Dist: helper\n"


@pytest.mark.parametrize("is_pinned", [True, False])
def test_tool_with_compiled_code_comes_from_source(
    put_wheel: Put, put_source: Put, make: Make, tmp_path: Path, *, is_pinned: bool
) -> None:
    """It is known by its source's hash, with what its metadata needs; a build then has it built."""
    helper = put_wheel("helper")
    put_wheel("maker", "helper", tag="cp313-cp313-manylinux_2_28_x86_64")
    maker = put_source("maker", **{"PKG-INFO": PKG_INFO})
    pins = [maker, helper] if is_pinned else [helper]

    planned = make(*pins, may_be_unpinned=True)
    planned.install(["maker"])

    assert (maker,) == planned.from_source
    assert (helper, maker) == planned.used
    assert {"helper.py"} == modules(tmp_path)

    code = tmp_path / "code"
    (code / "maker-1.dist-info").mkdir(parents=True)
    (code / "maker-1.dist-info/METADATA").write_text(PKG_INFO)
    (code / "maker.py").touch()
    (tmp_path / "files").rename(tmp_path / "old")
    make(*pins, may_be_unpinned=True, built={"maker": BuildTool(maker, code, "k")}).install(
        ["maker"]
    )

    assert {"helper.py", "maker.py"} == modules(tmp_path)


def test_tool_that_a_running_build_needs(put_source: Put, make: Make) -> None:
    """What the plan could not know is not built, and named in the error."""
    maker = put_source("maker", **{"PKG-INFO": PKG_INFO})

    with pytest.raises(ProjectError, match="its build needs maker 1 while it runs"):
        make(maker, built={}).install(["maker"])


@pytest.mark.parametrize(
    "text",
    [
        "evil @ file:///tmp/evil",
        "evil @ git+https://h.invalid/evil",
        "/tmp/evil",
        "./evil",
        "--index-url=https://h.invalid",
        "-r other.txt",
        "-e .",
        "tool --config-settings=x",
        "tool\n--pre",
        "tool===--pre",
        "${HOME}",
        "tool ; os_name == '" + "x" * 2000 + "'",
        "tool; " + "(" * 500,
        "tool ; os_name ~= 'posix'",
        "",
        7,
    ],
)
def test_hostile_requirement_starts_nothing(make: Make, text: object) -> None:
    """Requirements in a source distribution are validated before any program starts."""
    started: list[Sequence[object]] = []

    def note(argv: Sequence[object], **_: object) -> bytes:
        started.append(argv)
        return b""

    tools = make(may_be_unpinned=True, run=note)
    with pytest.raises(ProjectError, match="thing 1: its build requirements: "):
        tools.install([text])

    assert [] == started


@pytest.mark.parametrize(
    "name",
    ["../climbs.py", "/absolute.py", "a/../../b.py", "back\\slash.py", "tool.py/below.py"],
)
def test_wheel_that_climbs_is_rejected(
    put_wheel: Put, make: Make, tmp_path: Path, name: str
) -> None:
    """A wheel with a path outside its root is invalid."""
    pin = put_wheel("tool", more={name: "x = 1"})

    with pytest.raises(Exception, match=r"tool-1-py3-none-any\.whl: not a wheel"):
        make(pin).install(["tool"])

    assert not list(tmp_path.rglob("*climbs*")) + list(tmp_path.rglob("b.py"))


@pytest.mark.parametrize("is_pinned", [True, False])
def test_programs_of_a_tool(put_wheel: Put, make: Make, tmp_path: Path, *, is_pinned: bool) -> None:
    """``.data/purelib`` is code (binary distribution format), scripts are programs.

    Wheels with programs for this machine are used, since tools run here.
    """
    more = {
        "tool-1.data/purelib/deep/code.py": "x = 1",
        "tool-1.data/scripts/native": "#!/bin/sh\necho native",
        "tool-1.data/scripts/script": "#!python\nimport deep.code; print(deep.code.x)",
        "tool-1.data/headers/no.h": "",
        "deep/entry.py": "import sys\ndef main(): print(sys.argv); return 3",
        "tool-1.dist-info/entry_points.txt": (
            "[console_scripts]\nentry = deep.entry:main [extra]\n../climbs = deep.entry:main\n"
            "bad = deep entry\n"
        ),
    }
    tag = f"py3-none-manylinux_2_17_{os.uname().machine}"
    pin = put_wheel("tool", tag=tag, more=more)
    tools = make(*[pin] * is_pinned, may_be_unpinned=not is_pinned)

    tools.install(["tool"])
    programs.write(tmp_path / "in", tools.programs, Path(sys.executable))

    assert "x = 1" == (tmp_path / "in/deep/code.py").read_text()
    assert {"native", "script", "entry", "python", "python3"} == {
        file.name for file in tools.programs.iterdir()
    }
    assert not list(tmp_path.rglob("no.h"))
    printed = {"native": (0, "native"), "script": (0, "1"), "entry": (3, "['entry', 'a b']")}
    for name, expected in printed.items():
        done = subprocess.run(
            [tools.programs / name, "a b"], env={"PYTHONPATH": str(tmp_path / "in")},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert expected == (done.returncode, done.stdout.strip()), done.stderr


def test_metadata_of_any_size_is_not_read(
    put_wheel: Put, make: Make, shelf: Path, tmp_path: Path
) -> None:
    """METADATA over a megabyte is refused before it is read into memory."""
    put_wheel("tool")
    (file,) = shelf.iterdir()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        text = "Metadata-Version: 2.1\nName: tool\nVersion: 1\n\n" + "x" * (8 << 20)
        archive.writestr("tool-1.dist-info/METADATA", text)
        archive.writestr("tool-1.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
    sha256 = hashlib.sha256(file.read_bytes()).hexdigest()

    with pytest.raises(Exception, match="METADATA of more than"):
        make(Pin("tool", "1", (f"sha256:{sha256}",))).install(["tool"])
