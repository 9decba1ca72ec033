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
        """Folders without a link above: many files are read in each, and checked once."""

    def resolve(self, path: str, *, follow: bool = True) -> str:
        """Return where *path* is; unless *follow*, its last step may be a link.

        Raises:
            OSError: there are more links than the kernel follows.
        """
        above = path[: path.rfind("/") + 1]
        if above in self._plain and path[len(above) :] not in {"", ".", ".."}:
            here = self._folder + path
            if not follow or not os.path.islink(here):  # noqa: PTH114 (pathlib costs start-up)
                return here
        return self._walk(path, above, follow=follow or path.endswith("/"))

    def _walk(self, path: str, above: str, *, follow: bool) -> str:
        links = 0
        rest = [part for part in reversed(path.split("/")) if part]
        done: list[str] = []
        while rest:
            part = rest.pop()
            if part in {".", ".."}:
                del done[len(done) - (part == "..") :]
                continue
            done.append(part)
            if not follow and not rest:
                break
            try:
                target = os.readlink("/".join([self._folder, *done]))  # noqa: PTH115
            except OSError as exc:
                if exc.errno == errno.EINVAL:  # no link
                    continue
                if ".." in rest:
                    raise
                return "/".join([self._folder, *done, *reversed(rest)])  # not there, nor the rest
            links += 1
            if links > MAX_LINKS:
                raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
            del done[0 if target.startswith("/") else -1 :]
            rest += [step for step in reversed(target.split("/")) if step]
        found = "/".join([self._folder, *done])
        if follow and found == self._folder + path:
            self._plain.add(above)
        return found
