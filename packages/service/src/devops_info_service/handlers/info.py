"""``GET /``: the service, the system under it, the moment, the caller and the way around."""

from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from devops_info_service.facts.linux.host import Host
from devops_info_service.facts.linux.uptime import Runtime
from devops_info_service.http.wire.message import JSON, Request, Response


class Service(msgspec.Struct, frozen=True):
    """Who answers."""

    name: str
    version: str
    description: str
    framework: str
    """What really serves."""


class Caller(msgspec.Struct, frozen=True):
    """Who asked, and how."""

    client_ip: str
    client_port: int
    user_agent: str
    method: str
    path: str


class Endpoint(msgspec.Struct, frozen=True):
    """One published route."""

    path: str
    method: str
    description: str


class Info(msgspec.Struct, frozen=True):
    """The whole answer."""

    service: Service
    system: Host
    runtime: Runtime
    request: Caller
    endpoints: tuple[Endpoint, ...]


class InfoHandler:
    """Answers with ``Info``; whoever prefers HTML is left to *page*, made when asked for."""

    def __init__(
        self,
        service: Service,
        host: Host,
        runtime: Callable[[], Runtime],
        endpoints: Sequence[Endpoint],
        page: Callable[[], Callable[[Request], Response]] | None = None,
    ) -> None:
        self._encode = encode = msgspec.json.Encoder().encode
        # What never changes is encoded once, and the moment once a second.
        self._fixed = b'{"service":%b,"system":%b,"runtime":' % (encode(service), encode(host))
        self._tail = b',"endpoints":%b}' % encode(endpoints)
        self._runtime = runtime
        self._moment: Runtime | None = None
        self._head = b""
        self._page = page

    def __call__(self, request: Request) -> Response:
        """Answer *request*."""
        accept = request.headers.get(b"accept")
        if accept is not None and self._page is not None and _prefers_page(accept):
            return self._page()(request)
        moment = self._runtime()
        if moment is not self._moment:
            self._moment = moment
            self._head = b'%b%b,"request":' % (self._fixed, self._encode(moment))
        client = request.client
        caller = Caller(
            client.address,
            client.port,
            # Bytes a client made up: what is no UTF-8 becomes a replacement character.
            request.headers.get(b"user-agent", b"").decode("utf-8", "replace"),
            request.method,
            request.path,
        )
        body = b"".join((self._head, self._encode(caller), self._tail))
        return Response(200, body, JSON, (), b"Accept")


def _prefers_page(accept: bytes) -> bool:
    # What programs send; so that only a browser's first request imports anything.
    if accept in _PROGRAMS:
        return False
    from devops_info_service.http.wire.accept import prefers_page  # noqa: PLC0415

    return prefers_page(accept)


_PROGRAMS: Final = frozenset({b"*/*", JSON, JSON + b", */*", JSON + b", text/plain, */*"})


class Version(msgspec.Struct, frozen=True):
    """The whole answer of ``/version``."""

    version: str
    python_version: str


class VersionHandler:
    """Answers with ``Version``."""

    def __init__(self, version: Version) -> None:
        self._response = Response(200, msgspec.json.encode(version))

    def __call__(self, request: Request) -> Response:  # noqa: ARG002  the shape of a handler
        """Answer any request alike."""
        return self._response
