"""Paths in a folder that is the root of a machine for its readers."""

import errno
import os
from typing import Final

MAX_LINKS: Final = 40
"""Links followed for one path, as in the kernel."""


class Root:
    """A folder as the root, as in a chroot: no link leads out of it."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._plain: set[str] = set()
        """Places above others that are no links: many files are read in each, and checked once."""

    def resolve(self, path: str, *, follow: bool = True) -> str:
        """Return where *path* is; unless *follow*, its last step may be a link.

        Raises:
            OSError: a step but the last is not there, or there are more links than the kernel
                follows.
        """
        follow = follow or path.endswith("/")
        links = 0
        rest = [part for part in reversed(path.split("/")) if part]
        done = [self._folder]
        while rest:
            part = rest.pop()
            if part in {".", ".."}:
                del done[max(1, len(done) - (part == "..")) :]
                continue
            done.append(part)
            here = "/".join(done)
            if here in self._plain or not (rest or follow):
                continue
            try:
                target = os.readlink(here)  # noqa: PTH115 (pathlib costs start-up)
            except OSError as exc:
                if rest:
                    if exc.errno != errno.EINVAL:  # not there
                        raise
                    self._plain.add(here)
                continue
            links += 1
            if links > MAX_LINKS:
                raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
            del done[1 if target.startswith("/") else -1 :]
            rest += [step for step in reversed(target.split("/")) if step]
        return "/".join(done)
