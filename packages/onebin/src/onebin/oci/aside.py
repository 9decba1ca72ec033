"""Write a file or a folder aside and put it in its place when it is whole."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from onebin.errors import ImageError


@contextmanager
def aside(path: Path) -> Iterator[Path]:
    """Give a name to create a file or folder under; it becomes *path* if the block ends well.

    What was at *path* stays until then, and stays if the block fails. The new
    one gets the permissions the caller's umask gives it.

    Raises:
        ImageError: the folder of *path* is missing, full or not writable.
    """
    try:
        with tempfile.TemporaryDirectory(prefix=".onebin-", dir=path.parent) as room:
            new, old = Path(room, "new"), Path(room, "old")
            yield new
            if path.is_dir() and not path.is_symlink():
                # A rename replaces a file but not a full folder: two steps, and back on failure.
                path.rename(old)
                try:
                    new.rename(path)
                except OSError:
                    old.rename(path)
                    raise
            else:
                new.replace(path)
    except OSError as exc:
        raise ImageError(
            f"{path} could not be written: {exc.strerror or exc}",
            hint="the folder it goes to must exist, be writable and have room",
        ) from exc
