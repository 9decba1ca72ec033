"""Direct references in requirements files: every spelling of an origin, and what pins none."""

import string
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onebin import locks
from onebin.errors import ProjectError
from onebin.locks.wanted import Wanted
from onebin.model import Obstacle, Origin, Pin, target_environment

LINUX = target_environment("x86_64")
COMMIT = "0123456789" * 4
SHA = "a" * 64
WORDS = st.text(string.ascii_lowercase + string.digits, min_size=1, max_size=6)
PATHS = st.lists(WORDS, min_size=1, max_size=3).map("/".join)
HEX = st.text("0123456789abcdef", min_size=40, max_size=40)


def read(text: str, base: Path = Path("/lock"), project: str = "app") -> tuple[Pin | Obstacle, ...]:
    """Read a requirements file in *base*."""
    return locks.read("requirements.txt", text, base).pins(LINUX, Wanted(project=project))


@given(
    scheme=st.sampled_from(["https", "ssh", "http", "file"]),
    user=st.sampled_from(["", "me@", "me:pass-word@"]), path=PATHS, commit=HEX,
    folder=PATHS | st.just(""),
    spelling=st.sampled_from(["{n} @ {u}{s}", "{n}[more] @ {u}{s} ; os_name == 'posix'",
                              "-e {u}{e}", "{u}{e}", "--editable {u}{e}",
                              "-e {u}{e}[more]"]),
)  # fmt: skip
def test_repository(
    scheme: str, user: str, path: str, commit: str, folder: str, spelling: str
) -> None:
    """Under each of its spellings a commit of a repository is one pin."""
    host = "" if scheme == "file" else f"{user}forge.invalid"
    address = f"{scheme}://{host}/{path}"
    within = f"subdirectory={folder}" if folder else ""
    line = spelling.format(
        n="far", u=f"git+{address}@{commit}", s=f"#{within}" if within else "",
        e=f"#egg=far{'&' if within else ''}{within}",
    )  # fmt: skip

    (pin,) = read(f"# a comment\n{line}  # via app\n")

    assert pin == Pin("far", "", (), Origin("git", address, commit=commit, folder=folder))


@given(
    path=PATHS, version=st.sampled_from(["1", "2.0.post1"]),
    kind=st.sampled_from(["-{v}-py3-none-any.whl", "-{v}.tar.gz", "-{v}.zip"]),
    spelling=st.sampled_from(["near @ {u} --hash=sha256:{h}", "{u} --hash=sha256:{h}",
                              "near @ {u}#sha256={h}", "{u} \\\n    --hash=sha256:{h}",
                              "{u}[more] --hash=sha256:{h}", "{u}[a, b] --hash=sha256:{h}",
                              "{u} ; python_version > '3' --hash=sha256:{h}"]),
    where=st.sampled_from(["https://me:secret@h.invalid/", "file:///", "./", "../", "/", ""]),
)  # fmt: skip
def test_file(path: str, version: str, kind: str, spelling: str, where: str) -> None:
    """A file is known by its hash, and states its name and version."""
    address = f"{where}{path}/near{kind.format(v=version)}"
    is_url = where.startswith("https")

    (pin,) = read(spelling.format(u=address, h=SHA))

    local = Path("/lock", address.removeprefix("file://").removeprefix("./"))
    found = address if is_url else str(local).replace("/lock/../", "/")
    assert pin == Pin(
        "near", version, (f"sha256:{SHA}",), Origin("url" if is_url else "file", found)
    )


@pytest.mark.parametrize(
    ("file", "text", "name", "version"),
    [
        ("pyproject.toml", '[project]\nname = "Near_It"\nversion = "3"\n', "near-it", "3"),
        ("pyproject.toml", '[project]\nname = "near-it"\ndynamic = ["version"]\n', "near-it", ""),
        ("pyproject.toml", '[tool.poetry]\nname = "near-it"\nversion = "1.0"\n', "near-it", "1.0"),
        ("setup.cfg", "[metadata]\nname = near-it\nversion = attr: x.y\n", "near-it", ""),
    ],
)
@pytest.mark.parametrize(
    "spelling",
    ["-e ./near", "./near", "near/", "-e {}/near", "near/.", "-e ./near[more]", "./near[a, b]",
     "-e {}/near[a,b] ; python_version > '3'", "./near;python_version>'3'",
     "near/ ;python_version>'3'", "./near[a, b];python_version>'3'", "./near;",
     "near-it @ file://{}/near;python_version>'3'", "file://{}/near; python_version > '3'"],
)  # fmt: skip
def test_folder(
    tmp_path: Path, file: str, text: str, name: str, version: str, spelling: str
) -> None:
    """A folder's settings state its name, and its version unless that is dynamic."""
    (tmp_path / "near").mkdir()
    (tmp_path / "near" / file).write_text(text)

    (pin,) = read(spelling.format(tmp_path), tmp_path)

    assert pin == Pin(name, version, (), Origin("directory", str(tmp_path / "near")))


def test_project_itself_is_no_dependency(tmp_path: Path) -> None:
    """``uv export`` writes the project's own folder first."""
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "App"\n')
    (tmp_path / "bare").mkdir()

    assert () == read("-e .\n", tmp_path)
    assert () == read("-e .[dev]\n", tmp_path)
    assert () == read(".[dev]\n", tmp_path / "bare")
    assert () == read(".\n", tmp_path / "bare")


@pytest.mark.parametrize(
    "line",
    [
        "./near ; sys_platform == 'win32'", "./near;sys_platform=='win32'",
        "near/; sys_platform == 'win32'", "./near[a];sys_platform=='win32'",
        "near @ https://h.invalid/near-1.zip;sys_platform=='win32'",
        "https://h.invalid/near-1.zip; sys_platform == 'win32'",
    ],
)  # fmt: skip
def test_a_marker_is_split_off_as_pip_does(tmp_path: Path, line: str) -> None:
    """At any semicolon, but behind an address alone, which may have one: at one with a blank."""
    assert () == read(f"{line}\n", tmp_path)


def test_an_address_may_have_a_semicolon() -> None:
    """The parameters of a path (RFC 3986, 3.3)."""
    (pin,) = read(f"https://h.invalid/a;b/near-1.zip --hash=sha256:{SHA}")

    origin = Origin("url", "https://h.invalid/a;b/near-1.zip")
    assert pin == Pin("near", "1", (f"sha256:{SHA}",), origin)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("far @ git+https://me:secret@h.invalid/x", "without a commit"),
        ("far @ git+https://me:secret@h.invalid/x@main", "without a commit"),
        ("far @ git+https://me:secret@h.invalid/x@0123456", "without a commit"),
        ("far @ hg+https://me:secret@h.invalid/x@12", "expected an address of https or http"),
        (f"far @ git+ext::sh@{COMMIT}", "expected an address of https or http"),
        ("far @ https://me:secret@h.invalid/far-1.tar.gz", "without a sha256"),
        ("far @ ftp://me:secret@h.invalid/far-1.tar.gz", "expected an address of https or http"),
        ("./far-1.tar.gz", "without a sha256"),
        (f"far @ git+https://h.invalid/x@{COMMIT}#subdirectory=../..", "expected an address"),
    ],
)
def test_obstacle(line: str, message: str) -> None:
    """What pins no contents is an obstacle with a remedy, and without a password."""
    (found,) = read(line)

    assert isinstance(found, Obstacle)
    assert message in found.reason
    assert "secret" not in found.reason + found.hint
    assert found.hint
    assert "far" == found.pin.name


@pytest.mark.parametrize(
    "line", ["-r other.txt", "--index-url https://h.invalid", "-c x", "--find-links .", "-ex"]
)
def test_option_is_refused(line: str) -> None:
    """Options of pip are settings of a client, not of a lock."""
    with pytest.raises(ProjectError, match="is an option"):
        read(line)


def test_folder_without_a_name_is_named(tmp_path: Path) -> None:
    """The error has the form to write."""
    (tmp_path / "near").mkdir()

    with pytest.raises(ProjectError, match=r"\./near': states no name; expected NAME @"):
        read("-e ./near", tmp_path)


def test_build_lock_has_versions_alone() -> None:
    """What builds a distribution is a wheel of an index."""
    with pytest.raises(ProjectError, match="not a version of an index"):
        locks.build_pins("build.txt", f"x @ https://h.invalid/x.whl#sha256={SHA}", LINUX)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"-e .\nfar @ git+https://h.invalid/x@{COMMIT}\n", True),
        (f"# by uv\nfar @ git+https://h.invalid/x@{COMMIT}#subdirectory=y  # via app\n", True),
        (f"thing==1 --hash=sha256:{SHA}\n", True),
        (f"thing==1 \\\r\n\t--hash sha256:{SHA}\r\n", True),
        (f"thing==1  # --hash=sha256:{SHA}\n", False),
        (f"far @ git+https://h.invalid/x@{COMMIT}\nthing==1\n", False),
        ("far @ git+https://h.invalid/x@main\n", False),
        ("-e .\n", False),
        ("thing==1\n", False),
        ("", False),
    ],
)
def test_requirements_are_a_lock_if_each_line_is_pinned(text: str, *, expected: bool) -> None:
    """A file of versions alone is none; the project names others, or gets its own lock."""
    assert expected is locks.is_lock("requirements.txt", text)


UV = (
    'version = 1\n[[package]]\nname = "app"\nsource = { virtual = "." }\n'
    'dependencies = [{ name = "x" }]\n[[package]]\nname = "x"\nversion = "1"\nsource = '
)

PYLOCK = (
    'lock-version = "1.0"\n[[packages]]\nname = "x"\n[packages.archive]\n'
    f'url = "https://[y/x.whl"\nhashes = {{ sha256 = "{SHA}" }}'
)

MALFORMED = {
    "requirements.txt": [
        "//[",
        "x @ http://[::1/x.whl",
        f"x @ git+https://[y/x@{COMMIT}",
        "-e //][",
    ],
    "uv.lock": [UV + f'{{ git = "https://[y/x#{COMMIT}" }}', UV + '{ url = "https://]y/x.whl" }'],
    "pylock.toml": [PYLOCK],
}


@pytest.mark.parametrize(
    ("name", "text"), [(name, text) for name, texts in MALFORMED.items() for text in texts]
)
def test_address_that_is_none(name: str, text: str) -> None:
    """An error of the lock, with a hint, instead of an exception of the parser of addresses."""
    with pytest.raises(ProjectError, match=f"^{name}: .* is not an address: ") as caught:
        locks.read(name, text).pins(LINUX, locks.Wanted(project="app"))

    assert "write the lock again" in caught.value.hint
