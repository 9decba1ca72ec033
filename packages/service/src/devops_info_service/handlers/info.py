"""``GET /``: the service, its system, the time, the request, the endpoints."""

from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from devops_info_service.escape import printable_json
from devops_info_service.facts.linux.host import Host
from devops_info_service.facts.linux.uptime import Runtime
from devops_info_service.http.wire.message import JSON, Handler, Request, Response
from devops_info_service.service_info import Endpoint, Service


class Caller(msgspec.Struct, frozen=True):
    """The request and its client."""

    client_ip: str
    client_port: int
    user_agent: str
    method: str
    path: str


class Info(msgspec.Struct, frozen=True):
    """The body of ``/``."""

    service: Service
    system: Host
    runtime: Runtime
    request: Caller
    endpoints: tuple[Endpoint, ...]


def info(
    service: Service,
    host: Host,
    now: Callable[[], Runtime],
    endpoints: Sequence[Endpoint],
    page: Callable[[], Handler] | None = None,
) -> Handler:
    """Return the handler of ``Info``, and of *page*, made with the first request for HTML."""
    encode = msgspec.json.Encoder().encode
    # Constant parts are encoded once, and the moment once a second.
    fixed = b'{"service":%b,"system":%b,"runtime":' % (encode(service), encode(host))
    tail = b',"endpoints":%b}' % encode(endpoints)
    last_moment: Runtime | None = None
    head = b""

    def handle(request: Request) -> Response:
        nonlocal last_moment, head
        accept = request.headers.get(b"accept")
        if accept is not None and page is not None and prefers_html(accept):
            return page()(request)
        moment = now()
        if moment is not last_moment:
            last_moment = moment
            head = b'%b%b,"request":' % (fixed, encode(moment))
        client = request.client
        agent = request.headers.get(b"user-agent", b"")
        caller = Caller(
            client.address,
            client.port,
            # Bytes from a client: invalid UTF-8 becomes a replacement character.
            agent.decode("utf-8", "replace"),
            request.method,
            request.path,
        )
        shown = encode(caller)
        if not agent.isascii():
            shown = printable_json(shown)
        return Response(200, b"".join((head, shown, tail)), JSON, (), b"Accept")

    return handle


def prefers_html(accept: bytes) -> bool:
    """Return whether *accept* wants HTML more than JSON; equally much is not more."""
    # Fields that programs send: only a browser's first request imports the parser.
    if accept in _PROGRAMS:
        return False
    from devops_info_service.http.wire.accept import parse, quality  # noqa: PLC0415

    ranges = parse(accept)
    return quality(ranges, "text/html") > quality(ranges, JSON.decode())


_PROGRAMS: Final = frozenset({b"*/*", JSON, JSON + b", */*", JSON + b", text/plain, */*"})


class Version(msgspec.Struct, frozen=True):
    """The body of ``/version``."""

    version: str
    python_version: str
