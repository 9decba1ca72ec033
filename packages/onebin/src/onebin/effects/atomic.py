"""Replace a file or a directory in one step, once the new one is complete."""

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
        ToolError: the parent directory is missing, full or not writable.
    """
    try:
        with tempfile.TemporaryDirectory(prefix=".onebin-", dir=path.parent) as scratch:
            new, old = Path(scratch, "new"), Path(scratch, "old")
            yield new
            if path.is_dir() and not path.is_symlink():
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
