"""Replace a file or a directory in one step, once the new one is complete."""

import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from onebin.errors import ToolError


@contextmanager
def replace_atomically(path: Path) -> Iterator[Path]:
    """Yield a temporary path for a new file or directory; it becomes *path* when the block ends.

    If the block raises, whatever was at *path* stays. The new one gets the
    permissions of the caller's umask.

    Raises:
        ToolError: the parent directory is missing, full or not writable, or *path* is of another
            kind than the new one.
    """
    try:
        with tempfile.TemporaryDirectory(prefix=".onebin-", dir=path.parent) as scratch:
            new, old = Path(scratch, "new"), Path(scratch, "old")
            yield new
            require_replaceable(path, is_folder=new.is_dir())
            if new.is_dir() and path.is_dir() and not path.is_symlink():
                # rename(2) replaces a file but not a full directory: two steps, undone on failure.
                path.rename(old)
                try:
                    new.rename(path)
                except OSError:
                    old.rename(path)
                    raise
            else:
                new.replace(path)
    except OSError as exc:
        raise ToolError(
            f"{path}: cannot be written: {exc.strerror or exc}",
            hint="its directory must exist, be writable and have room",
        ) from exc


def require_replaceable(path: Path, *, is_folder: bool = False) -> None:
    """Refuse to replace *path* by a file, or by a folder, if it is of another kind.

    Root could replace a device such as ``/dev/null`` for the whole machine, and a folder with
    all it holds. A link is replaced itself, not the file it leads to.

    Raises:
        ToolError: it is a folder where a file is to be, or the reverse, a device, a pipe, a socket.
        OSError: it cannot be examined.
    """
    try:
        mode = path.lstat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return
    if not (stat.S_ISLNK(mode) or (stat.S_ISDIR if is_folder else stat.S_ISREG)(mode)):
        found = "is a directory" if stat.S_ISDIR(mode) else "is not a regular file"
        raise ToolError(
            f"{path}: {found}; not overwritten",
            hint="choose a path that does not exist yet",
        )


def install_program(source: Path, target: Path) -> None:
    """Replace *target* by a copy of the executable *source*; its folder is made.

    Raises:
        ToolError: it cannot be written.
    """
    make_folder(target.parent)
    with replace_atomically(target) as new:
        shutil.copyfile(source, new)
        new.chmod(0o755)


def make_folder(path: Path) -> None:
    """Make the folder *path* and those above it.

    Raises:
        ToolError: it cannot be made.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        raise ToolError(f"{path}: cannot be made: {exc.strerror}") from exc
