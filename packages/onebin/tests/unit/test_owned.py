"""The cache directory: its default, and its protection from other users."""

import os
import pwd
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from onebin.effects.owned import default_root, is_ours, private_directory
from onebin.errors import ToolError

pytestmark = pytest.mark.claim("private cache")

HOME = pwd.getpwuid(os.geteuid()).pw_dir
STRANGER = 54321
"""A user that does not exist on this machine."""

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="makes files of another user")


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"ONEBIN_CACHE": "/c", "XDG_CACHE_HOME": "/x", "HOME": "/h"}, "/c"),
        ({"XDG_CACHE_HOME": "/x", "HOME": "/h"}, "/x/onebin"),
        ({"XDG_CACHE_HOME": "x", "HOME": "/h"}, "/h/.cache/onebin"),
        ({"XDG_CACHE_HOME": "", "HOME": "/h"}, "/h/.cache/onebin"),
        ({"XDG_CACHE_HOME": "./x", "HOME": ""}, f"{HOME}/.cache/onebin"),
        ({"HOME": "/h"}, "/h/.cache/onebin"),
        ({"HOME": "h"}, f"{HOME}/.cache/onebin"),
        ({}, f"{HOME}/.cache/onebin"),
    ],
)
def test_default_root(environ: dict[str, str], expected: str) -> None:
    """ONEBIN_CACHE first, then XDG_CACHE_HOME, then the home of the user database."""
    assert Path(expected) == default_root(environ)


@as_root
def test_user_without_a_home_is_reported() -> None:
    """A container's numeric user, for example: never falls back to a world-writable directory."""
    code = (
        "import os; os.setuid(54321)\n"
        "from onebin.effects.owned import default_root\n"
        "from onebin.errors import ToolError\n"
        "try: print(default_root({}))\n"
        "except ToolError as exc: print(exc, exc.hint)\n"
    )
    # That user may have no access to the interpreter and its libraries.
    code = "import onebin.effects.owned, pwd, os\n" + code
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert "user 54321 has no home" in done.stdout
    assert "set ONEBIN_CACHE" in done.stdout


def test_directory_is_private(tmp_path: Path) -> None:
    """The cache and its missing parents get mode 0700, as XDG requires."""
    made = private_directory(tmp_path / "a" / "b")

    assert tmp_path / "a" / "b" == made
    assert [0o700] * 2 == [path.stat().st_mode & 0o777 for path in (made, made.parent)]
    assert made == private_directory(made)


def test_own_link_is_followed(tmp_path: Path) -> None:
    """A cache on a larger disk: the user owns the link and its target."""
    (tmp_path / "disk").mkdir()
    (tmp_path / "link").symlink_to("disk")
    (tmp_path / "chain").symlink_to(tmp_path / "disk" / ".." / "link")

    assert tmp_path / "disk" / "x" == private_directory(tmp_path / "chain" / "x")
    assert tmp_path / "disk" == private_directory(tmp_path / "link")


def others(mode: int) -> Callable[[Path], None]:
    return lambda path: path.chmod(mode)


def of_stranger(path: Path) -> None:
    os.chown(path, STRANGER, STRANGER, follow_symlinks=False)


@pytest.mark.parametrize("place", ["cache", "."])
@pytest.mark.parametrize("mode", [0o777, 0o775, 0o757, 0o720, 0o702])
def test_directory_others_may_write_is_rejected(tmp_path: Path, place: str, mode: int) -> None:
    """The cache itself or a parent: other writers could replace the cache."""
    (tmp_path / "up" / "cache").mkdir(parents=True)
    (tmp_path / "up" / place).chmod(mode)

    with pytest.raises(ToolError, match=f"can be written by others \\(mode {mode:o}\\)") as no:
        private_directory(tmp_path / "up" / "cache")
    assert "chmod -R go-w" in no.value.hint


def test_world_writable_directory_may_hold_a_cache_but_not_be_one(tmp_path: Path) -> None:
    """In /tmp the sticky bit protects a subdirectory; /tmp itself has files of other users."""
    (tmp_path / "sticky").mkdir()
    (tmp_path / "sticky").chmod(0o1777)

    assert private_directory(tmp_path / "sticky" / "cache").is_dir()
    with pytest.raises(ToolError, match="mode 1777"):
        private_directory(tmp_path / "sticky")


@as_root
@pytest.mark.parametrize("which", ["sticky/cache", "sticky/up/cache", "sticky/link/cache"])
def test_directory_of_another_user_is_rejected(tmp_path: Path, which: str) -> None:
    """Planted earlier in /tmp, in a parent, or as a link: it could hold another compiler."""
    sticky = tmp_path / "sticky"
    sticky.mkdir()
    sticky.chmod(0o1777)
    (tmp_path / "theirs" / "cache").mkdir(parents=True)
    if "link" in which:
        (sticky / "link").symlink_to(tmp_path / "theirs")
        of_stranger(sticky / "link")
    else:
        (tmp_path / which).mkdir(parents=True)
        of_stranger(sticky / Path(which).parts[1])

    with pytest.raises(ToolError, match=f"belongs to user {STRANGER}|link of another user") as no:
        private_directory(tmp_path / which)
    assert "ONEBIN_CACHE" in no.value.hint


@as_root
def test_entry_of_another_user_is_rejected(tmp_path: Path) -> None:
    """The owner of each entry is checked, not only that of the cache."""
    (tmp_path / "entry").mkdir()
    of_stranger(tmp_path / "entry")

    with pytest.raises(ToolError, match="belongs to user"):
        is_ours(tmp_path / "entry")
    assert not is_ours(tmp_path / "nothing")


@as_root
def test_roots_directory_is_read_by_others(tmp_path: Path) -> None:
    """An image may bring a cache: a container's user accepts entries of root."""
    code = (
        "import os, sys; from pathlib import Path; import onebin.effects.owned as o\n"
        "os.setuid(54321); print(o.private_directory(Path(sys.argv[1])))"
    )
    place = Path("/var/tmp") / f"onebin-test-{os.getpid()}"
    place.mkdir(0o755)
    try:
        done = subprocess.run(
            [sys.executable, "-c", code, place], capture_output=True, text=True, check=False
        )
    finally:
        place.rmdir()

    assert f"{place}\n" == done.stdout, done.stderr


@pytest.mark.parametrize("target", ["loop", "loop/x"])
def test_links_without_an_end_are_rejected(tmp_path: Path, target: str) -> None:
    """The kernel stops after 40 links, with ELOOP."""
    (tmp_path / "loop").symlink_to(target)

    with pytest.raises(ToolError, match="is behind a link"):
        private_directory(tmp_path / "loop")


@as_root
def test_namespace_that_does_not_know_root(tmp_path: Path) -> None:
    """In a sandbox / has the uid of an unmapped user; the parent directories are accepted."""
    code = (
        "import sys; from pathlib import Path; import onebin.effects.owned as o\n"
        "print(o.private_directory(Path(sys.argv[1])))"
    )
    unshare = ["unshare", "--user", "--map-user=1000"]
    if subprocess.run([*unshare, "true"], capture_output=True, check=False).returncode:
        pytest.skip("no user namespaces here")
    done = subprocess.run(
        [*unshare, sys.executable, "-c", code, tmp_path / "cache"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert f"{tmp_path / 'cache'}\n" == done.stdout, done.stderr
