"""A plan is pure: a project and the text of its locks in, decisions out."""

from pathlib import Path

import msgspec
import pytest

from onebin import locks, planning
from onebin.errors import ObstaclesError, ProjectError
from onebin.inputs import directory
from onebin.model import RELEASE, RELEASES, Pin, Release, target_environment
from onebin.runtime import sources

PROJECTS = Path(__file__).parent.parent / "projects"
SHA = "sha256:" + "0" * 64

LINUX = target_environment("x86_64")


@pytest.mark.parametrize(
    ("text", "pins"),
    [
        ("", ()),
        ("# a comment\n\n", ()),
        (f"a==1 --hash={SHA}", (Pin("a", "1", (SHA,)),)),
        (f"A_b.c==1.0 \\\n    --hash={SHA}  # via x\n", (Pin("a-b-c", "1.0", (SHA,)),)),
        # Forms that pip reads as well, and where it ends a comment and a joined line.
        (f"a==1\t--hash {SHA}\t# x", (Pin("a", "1", (SHA,)),)),
        (f'a==1 --hash="{SHA}"', (Pin("a", "1", (SHA,)),)),
        (f"a==1 --hash=sha256:{'A' * 64}", (Pin("a", "1", (f"sha256:{'a' * 64}",)),)),
        (f"a==1 --hash={SHA} --hash=sha512:{'0' * 128}", (Pin("a", "1", (SHA,)),)),
        (f"a==1 \\\r\n    --hash={SHA}\r\n", (Pin("a", "1", (SHA,)),)),
        (f"a==1 \\\n --hash={SHA} \\\n # via x\n", (Pin("a", "1", (SHA,)),)),
        (f"# comment \\\na==1 --hash={SHA}", (Pin("a", "1", (SHA,)),)),
        (f"a==1 --hash={SHA} \\", (Pin("a", "1", (SHA,)),)),
        (f"b==1 --hash={SHA}\na==2 --hash={SHA}", (Pin("a", "2", (SHA,)), Pin("b", "1", (SHA,)))),
        (f"w==1 ; sys_platform == 'win32' --hash={SHA}", ()),
        (f"t==1 ; python_version < '3.12' --hash={SHA}", ()),
        (f"l==1 ; sys_platform == 'linux' --hash={SHA}", (Pin("l", "1", (SHA,)),)),
    ],
)
def test_lock_lines(text: str, pins: tuple[Pin, ...]) -> None:
    """A lock is pins with hashes, and markers are those of the executable."""
    assert pins == locks.read("lock", text).pins(LINUX)


HOSTILE_LINES = [
    "a",
    "a>=1",
    f"a>=1 --hash={SHA}",
    "a==1",
    "a==1 --hash=",
    "!!",
    "a==1,==2",
    # A wildcard version, or one compared as text.
    f"a==1.* --hash={SHA}",
    f"a===1 --hash={SHA}",
    # Options of pip, alone and after a requirement.
    "--index-url https://h.invalid/simple",
    "--extra-index-url=https://h.invalid/simple",
    "--no-binary :all:",
    "--trusted-host h.invalid",
    "-r other.txt",
    "-c other.txt",
    "-f https://h.invalid",
    f"a==1 --hash={SHA} --config-settings=x=y",
    f"a==1 --config-settings=x --hash={SHA}",
    f"a==1 --hash={SHA} -r other.txt",
    # Addresses and paths.
    f"git+https://h.invalid/a --hash={SHA}",
    f"./a --hash={SHA}",
    f"/tmp/a.whl --hash={SHA}",
    # Weaker and malformed hashes.
    "a==1 --hash=md5:" + "0" * 32,
    f"a==1 --hash={SHA.upper()}",
    f"a==1 --hash={SHA[:-1]}",
    f"a==1 --hash={SHA}0",
    # Two pins of one distribution.
    f"a==1 --hash={SHA}\nA==2 --hash={SHA}",
    # Names with invalid characters.
    f"\u0430==1 --hash={SHA}",
    f"a\x00b==1 --hash={SHA}",
    f"a-==1 --hash={SHA}",
    f"a==\u0661 --hash={SHA}",
    f"${{HOME}}==1 --hash={SHA}",
    f"a==1;os_name~='x' --hash={SHA}",
    "a==1; " + "(" * 900 + f" --hash={SHA}",
]


@pytest.mark.parametrize("text", HOSTILE_LINES)
def test_lock_that_pins_nothing_is_rejected(text: str) -> None:
    """A line without one version and a hash could change any day; an option, today."""
    with pytest.raises(ProjectError, match=r"^lock: ") as caught:
        locks.read("lock", text).pins(LINUX)

    assert "\n" not in str(caught.value)


def test_lock_must_have_every_requirement() -> None:
    """A dependency the lock lacks, or has at another version, is named."""
    project = directory.read(PROJECTS / "no-lock-entry")

    for lock, message in (
        ("", "markupsafe not at all"),
        ("markupsafe==2.1 --hash=", "markupsafe 2.1"),
    ):
        found = planning.plan(project, machine="x86_64", lock=lock and lock + SHA)
        with pytest.raises(ProjectError, match=message):
            planning.require_no_obstacle(found)

    made = planning.plan(project, machine="x86_64", lock=f"MarkupSafe==3.0 --hash={SHA}")
    assert tuple(pin.name for pin in made.distributions) == ("markupsafe",)


@pytest.mark.parametrize(
    ("text", "origin"),
    [
        ("", "auto"),
        ("apt", "apt"),
        ("../cpython", "../cpython"),
        (f"/src/Python-3.13.5.tar.xz#sha256={'a' * 64}", "/src/Python-3.13.5.tar.xz"),
        (f"https://h.example/P.tgz#sha256={'a' * 64}", "https://h.example/P.tgz"),
    ],
)
def test_python_source(text: str, origin: str) -> None:
    """The source is a parameter: the default, apt, a directory or a checked tarball."""
    assert origin == sources.python_source(text).origin


@pytest.mark.parametrize(
    "text",
    [
        *(f"https://h.example/P{suffix}" for suffix in (
            ".tar.xz", ".tar.gz", ".tgz", ".tar.bz2", ".tar", ".txz", ".tbz2", ".tar.zst", ".zip",
            ".TAR.GZ", "", "/", "?file=P.tar.xz", ".git",
        )),
        "HTTPS://h.example/P.tar.bz2",
        "P.tgz#md5=1",
        "/src/P.tar.xz#sha256=abc",
        "/src/P.tar#sha256=",
        "/src/P.zip#",
        f"/src/P.tar.bz2#sha256={'A' * 64}",
        f"/src/P.tar.bz2#sha256={'a' * 65}",
        f"apt#sha256={'a' * 63}",
    ],
)  # fmt: skip
def test_python_source_without_a_checksum_is_rejected(text: str) -> None:
    """Nothing is downloaded that was not pinned, whatever its name ends in."""
    with pytest.raises(ProjectError, match=r"python-source: .* has no checksum"):
        sources.python_source(text)


@pytest.mark.parametrize("suffix", [".tar.bz2", ".tar", ".txz", ".zip", "", ".git"])
def test_python_source_with_a_checksum_may_be_called_anything(suffix: str) -> None:
    """The checksum identifies the file; its name is free."""
    found = sources.python_source(f"https://h.example/P{suffix}#sha256={'a' * 64}")

    assert ("a" * 64, f"https://h.example/P{suffix}") == (found.sha256, found.origin)


@pytest.mark.parametrize(
    "address",
    [
        "file:///etc/passwd", "ftp://h.example/P.tar", "git+https://h.example/P", "ssh://h/P",
        "data://text/plain", "https://", "https:///P.tar", "https://h.example:x/P",
        "https://h.example/a b", "https://h.example/\n", "https://[::1/P", "://x", "-o://x",
        "https://h.example:99999/P", "https://hé.example/P",
    ],
)  # fmt: skip
def test_python_source_of_another_kind_is_rejected(address: str) -> None:
    """Only http and https addresses are fetched."""
    with pytest.raises(ProjectError, match=r"python-source: .* is not an address of http"):
        sources.python_source(f"{address}#sha256={'a' * 64}")


def test_python_source_with_a_password_is_refused_without_it() -> None:
    """The password would be in every plan; the message does not repeat it."""
    with pytest.raises(ProjectError, match="has a user in it") as caught:
        sources.python_source(f"https://me:pa55word@h.example/P.tar#sha256={'a' * 64}")

    assert "pa55word" not in f"{caught.value} {caught.value.hint}"


def test_pinned_source_keeps_its_version_from_any_origin() -> None:
    """The default release keeps its version in a local file."""
    pinned = sources.PYTHON

    found = sources.python_source(f"/src/p.tar.xz#sha256={pinned.sha256}")

    assert pinned.version == found.version


@pytest.mark.parametrize(
    ("source", "origin", "folder"),
    [
        ("", "auto", ""),
        ("apt", "apt", ""),
        ("../cpython", "auto", ""),
        (f"/src/Python-3.13.5.tar.xz#sha256={'a' * 64}", "auto", "/src"),
        (f"Python-3.13.5.tar.xz#sha256={'a' * 64}", "auto", "."),
        (f"https://h.example/P.tgz#sha256={'a' * 64}", "auto", ""),
    ],
)
def test_zlib_comes_from_where_cpython_does(source: str, origin: str, folder: str) -> None:
    """Beside CPython's tarball first, or by apt alone; it is pinned in any case."""
    project = directory.read(PROJECTS / "facts")

    zlib = planning.plan(project, machine="x86_64", lock="", source=source).zlib

    assert (origin, folder) == (zlib.origin, zlib.folder)
    assert (sources.ZLIB.sha256, sources.ZLIB.files_sha256) == (zlib.sha256, zlib.files_sha256)


def test_plan_is_data() -> None:
    """The whole plan is serializable."""
    made = planning.plan(directory.read(PROJECTS / "facts"), machine="x86_64", lock="")

    assert RELEASE in msgspec.json.encode(made, enc_hook=str).decode()


@pytest.mark.parametrize(
    ("python", "full"),
    [
        ("3.13.9", "3.13.9"),
        ("3.13", "3.13.15"),
        ("3.14", sources.PYTHON.version),
        ("3.99", "3.99.0"),
    ],
)
def test_markers_of_another_python(python: str, full: str) -> None:
    """``3.13`` alone means its pinned release, or its first."""
    found = target_environment("aarch64", python)

    assert (full, full.rpartition(".")[0]) == (
        found["python_full_version"],
        found["python_version"],
    )
    assert "aarch64" == found["platform_machine"]


@pytest.mark.parametrize(
    ("python", "requires", "chosen"),
    [
        ("", "", ["3.14.7", "3.13.15"]),
        ("", ">=3.11", ["3.14.7", "3.13.15"]),
        ("", ">=3.14", ["3.14.7"]),
        ("", "==3.13.*", ["3.13.15"]),
        ("", ">=3.13.6,<3.14", ["3.13.15"]),
        ("", "<3.14", ["3.13.15"]),
        ("", "!=3.13.15", ["3.14.7"]),
        ("3.14", "", ["3.14.7"]),
        ("3.13", ">=3.11", ["3.13.15"]),
        ("3.13.5", "", ["3.13.5"]),
        ("3.15", ">=3.15.0rc1", ["3.15.0rc1"]),
        ("3.15", "", ["3.15.0rc1"]),
    ],
)
def test_release_that_fits(python: str, requires: str, chosen: list[str]) -> None:
    """The newest series, the older ones, or the series named."""
    assert chosen == [item.version for item in sources.releases(python, requires)]


@pytest.mark.parametrize(
    ("python", "requires", "message", "hint"),
    [
        ("3.12", "", r"tool\.onebin\.python: '3\.12' is not pinned", "known are 3.13.5"),
        ("3.14", "<3.14", r"requires-python: '<3\.14' allows none of 3\.14\.7", "known are"),
        ("", "<3.13", r"requires-python: '<3\.13' allows none of 3\.14\.7, 3\.13\.15", "known are"),
        ("", ">=3.15", r"allows none of 3\.14\.7, 3\.13\.15", "tool.onebin.python"),
    ],
)
def test_no_release_fits(python: str, requires: str, message: str, hint: str) -> None:
    """The error has the releases that were tried, the hint all that are known."""
    with pytest.raises(ProjectError, match=message) as caught:
        sources.releases(python, requires)

    assert hint in caught.value.hint


@pytest.mark.parametrize("release", RELEASES, ids=lambda release: release.version)
def test_every_release_has_a_source(release: Release) -> None:
    """Its authors' folder has no suffix of a candidate; Debian writes one with a tilde."""
    source = sources.pinned(release)

    number = release.version.partition("rc")[0]
    assert f"/python/{number}/Python-{release.version}.tar.xz" in source.url
    assert release.version.replace("rc", "~rc") in source.debian_file
    assert release.series in source.debian_file
    assert source.version == sources.python_source(f"x.tar.xz#sha256={release.sha256}").version
    assert release.bug_fixes_until < release.supported_until


@pytest.mark.parametrize("value", [3.13, ">=three", "3.13", ["x"], "=>3.13"])
def test_malformed_requires_python(tmp_path: Path, value: object) -> None:
    """It is named; it decides which CPython is built."""
    table = {"project": {"name": "a", "requires-python": value, "scripts": {"a": "a:b"}}}

    with pytest.raises(ProjectError, match=r"project\.requires-python"):
        directory.parse(tmp_path, table, with_code=False)


def test_lock_names_all_that_it_lacks_at_once(tmp_path: Path) -> None:
    """Each dependency with its own fault."""
    (tmp_path / "app.py").write_text("def main(): ...")
    (tmp_path / "pyproject.toml").write_text(
        '[project]\nname = "app"\nscripts = { app = "app:main" }\n'
        'dependencies = ["one", "two>=2", "three", "four; sys_platform == \'win32\'"]\n'
    )
    lock = f"two==1 --hash={SHA}\nthree==3 --hash={SHA}"

    with pytest.raises(ObstaclesError) as caught:
        planning.require_no_obstacle(
            planning.plan(directory.read(tmp_path), machine="x86_64", lock=lock)
        )

    assert [("one", "not at all"), ("two", "1")] == [
        (str(fault).split("has ")[1].split(" ")[0], str(fault).split(";")[0].split(" ", 3)[3])
        for fault in caught.value.faults
    ]
