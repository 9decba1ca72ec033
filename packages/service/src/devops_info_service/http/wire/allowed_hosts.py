"""The hosts that a request may name, so that no foreign page reaches the service by its own name.

A browser sends requests to the address that a name has *now*; the page's owner can change that to
127.0.0.1 or an address of the cluster (DNS rebinding). The Host field still has the page's name.

Imported where hosts are listed. Sources: RFC 9110, sections 7.2 and 15.5.20 (421).
"""

from collections.abc import Collection
from typing import Final

from .authority import HostPattern
from .cidr import packed_address
from .message import Handler, Request, Response, error_response

MAX_KNOWN: Final = 256
"""Hosts whose result is cached: a service has a handful of names."""


class AllowedHosts:
    """Checks whether a Host field names one of the listed hosts."""

    def __init__(self, patterns: Collection[HostPattern]) -> None:
        self._patterns = patterns
        self._known: dict[bytes, bool] = {}

    def allow(self, host: bytes) -> bool:
        """Return whether *host*, a Host field with or without a port, is listed."""
        known = self._known.get(host)
        if known is None:
            if len(self._known) >= MAX_KNOWN:
                self._known.clear()
            known = self._known[host] = self._matches(host)
        return known

    def _matches(self, host: bytes) -> bool:
        name = host.decode("latin-1").lower()
        if not name.endswith("]"):
            before, colon, port = name.rpartition(":")
            if colon and (port.isdigit() or not port):
                name = before
        if name.startswith("["):
            name = name[1:-1]
        elif ":" in name:
            return False  # An address of IPv6 is in brackets (RFC 3986, section 3.2.2).
        # A name that ends with a dot is the same name, from the root on (RFC 1034, section 3.1).
        name = name.removesuffix(".")
        try:
            packed = packed_address(name)
        except ValueError:
            packed = None
        return any(pattern.matches(name, packed) for pattern in self._patterns)


def only_for(handler: Handler, hosts: AllowedHosts, probes: Collection[str]) -> Handler:
    """Wrap *handler*: requests for other hosts get 421.

    Except those for *probes*, which a platform sends to an address of its choice and whose
    responses are no secret, and those of HTTP/1.0 without a Host: no browser sends them.
    """

    def check_host(request: Request) -> Response:
        host = request.headers.get(b"host")
        if host is None or hosts.allow(host) or request.path in probes:
            return handler(request)
        return error_response(421, "ALLOWED_HOSTS does not list this host")

    return check_host
