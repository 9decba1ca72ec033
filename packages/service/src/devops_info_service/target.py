"""The URL that a command of this program requests, taken apart; only ``http``."""

from typing import Final, Self

import msgspec

from .errors import CheckError

_HTTP: Final = "http://"
_PORTS: Final = range(1, 65536)


class Target(msgspec.Struct, frozen=True):
    """The parts of a URL."""

    host: str
    port: int
    path: str
    authority: str
    """Host and port, for the Host field."""

    @classmethod
    def parse(cls, url: str) -> Self:
        """Take an ``http://`` URL apart.

        Raises:
            CheckError: it is not one.
        """
        authority, slash, path = url.removeprefix(_HTTP).partition("/")
        if not authority.isascii():
            # The codec idna would be 16 kB of the image.
            raise CheckError(
                f"{url!r} has a host outside ASCII; write its ASCII form, xn--..., as in RFC 3986"
            )
        plain = (authority + path).isascii() and url.isprintable() and " " not in url
        if not (plain and url.startswith(_HTTP)):
            raise CheckError(f"{url!r} is not a URL such as http://127.0.0.1:8080/health")
        host, colon, port = authority.rpartition(":")
        if authority.endswith("]") or not colon:
            host, port = authority, "80"
        if not host or not (port.isascii() and port.isdigit() and int(port[:6]) in _PORTS):
            raise CheckError(f"{url!r} has no host and port such as 127.0.0.1:8080")
        return cls(host.removeprefix("[").removesuffix("]"), int(port), slash + path, authority)
