"""The name of an image: ``name:tag``, validated, and in the form of each tool.

Source: the grammar and the defaults of github.com/distribution/reference,
without digests.
"""

import re
from typing import Final

import msgspec

from onebin.errors import ImageError

_HOST: Final = re.compile(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*(:[0-9]+)?")
_COMPONENT: Final = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_PATH: Final = re.compile(rf"{_COMPONENT}(/{_COMPONENT})*")
_TAG: Final = re.compile(r"\w[\w.-]{0,127}", re.ASCII)

MAX_NAME: Final = 255
"""Characters of a name with its host: the limit of registries."""


class Reference(msgspec.Struct, frozen=True):
    """A parsed image name."""

    host: str
    """The registry; ``docker.io`` if the text names none."""
    path: str
    """Path in the registry: ``library/app``, ``team/app``."""
    tag: str

    @property
    def full(self) -> str:
        """As containerd writes it: ``docker.io/library/app:1.0``."""
        return f"{self.host}/{self.path}:{self.tag}"

    @property
    def name(self) -> str:
        """As Docker prints it, without the tag: ``app``."""
        return f"{self.host}/{self.path}".removeprefix("docker.io/").removeprefix("library/")

    @property
    def familiar(self) -> str:
        """As Docker prints it: ``app:1.0``."""
        return f"{self.name}:{self.tag}"


def parse(text: str) -> Reference:
    """Parse ``[host/]name[:tag]``; the default tag is ``latest``.

    Raises:
        ImageError: engines and registries do not accept it.
    """
    host, path = "docker.io", text
    first, slash, rest = text.partition("/")
    # Docker's rule: the part before the first slash is a host only if it has the form of one.
    if slash and (set(first) & set(".:") or first == "localhost" or first != first.lower()):
        host, path = first, rest
    path, colon, tag = path.partition(":")
    if host == "docker.io" and "/" not in path:
        path = f"library/{path}"
    if (
        not _HOST.fullmatch(host)
        or not _PATH.fullmatch(path)
        or (colon and not _TAG.fullmatch(tag))
        or len(f"{host}/{path}") > MAX_NAME
    ):
        raise ImageError(
            f"{text!r}: not an image name; expected [HOST/]NAME[:TAG]",
            hint="use lower-case letters, digits and . _ - between them, such as app:1.0",
        )
    return Reference(host, path, tag or "latest")
