"""Handlers around handlers: 500 for exceptions, the access log, hosts, request IDs, metrics."""

import os
import time
from collections.abc import Collection
from typing import Final

import msgspec

from devops_info_service.config import Config
from devops_info_service.http import (
    Handler,
    Request,
    Response,
    WorkerTable,
    error_response,
    measure,
)
from devops_info_service.http.wire.traceparent import TraceParent, parse_traceparent
from devops_info_service.logs import Log

MAX_ID_BYTES: Final = 64
"""Bytes of a client's request id; a UUID has 36, a trace context 55."""

_ID_BYTES: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.:/+="

REQUEST_ID: Final = b"x-request-id"
TRACEPARENT: Final = b"traceparent"


def wrap(
    handler: Handler,
    log: Log,
    config: Config,
    table: WorkerTable,
    *,
    public: Handler | None = None,
    probes: Collection[str] = (),
) -> Handler:
    """Return *handler* inside the middleware of the process that serves.

    From the outside in: time is measured by route, the client is resolved (the log names it),
    exceptions and requests are logged, hosts are checked. *public*, if there is one, is served on
    the service's port, and *handler* on the management port. Wrapped after the fork: request IDs
    start with a process's own bytes.
    """
    if public is not None:
        by_port = _by_port(
            _guard(public, log, config, probes), _guard(handler, log, config, probes)
        )
        return measure(by_port, table)
    return measure(_guard(handler, log, config, probes), table)


def _by_port(public: Handler, management: Handler) -> Handler:
    def handle(request: Request) -> Response:
        return management(request) if request.client.is_management else public(request)

    return handle


def _guard(handler: Handler, log: Log, config: Config, probes: Collection[str]) -> Handler:
    if config.allowed_hosts:
        # Imported late: only where hosts are listed.
        from devops_info_service.http.wire.allowed_hosts import (  # noqa: PLC0415
            AllowedHosts,
            only_for,
        )

        handler = only_for(handler, AllowedHosts(config.allowed_hosts), probes)
    handler = observe(handler, log, access_log=config.access_log)
    if config.trusted_proxies:
        from devops_info_service.http.wire.forwarded import TrustedProxies, resolve_client  # noqa: PLC0415

        handler = resolve_client(
            handler, TrustedProxies(config.trusted_proxies, config.forwarded_field)
        )
    return handler


def observe(dispatch: Handler, log: Log, *, access_log: bool) -> Handler:
    """Wrap *dispatch*: an exception becomes a 500 and a log line, a request a line if wanted.

    A short and plain ``X-Request-Id`` of the client is the request id, and returned. Another is
    made only for a log line: elsewhere it would explain nothing, and cost each response bytes
    and time.

    The IDs of a valid ``traceparent`` are in the log.
    """
    names = Names()

    def answer(request: Request) -> Response:
        try:
            response = dispatch(request)
        except Exception as exc:  # noqa: BLE001  whatever it was, the next request is served
            return fault(request, names.of(request), exc)
        if REQUEST_ID in request.headers:
            return names.given(request).on(response)
        return response

    def answer_and_log(request: Request) -> Response:
        started = time.perf_counter()
        name = names.of(request)
        try:
            response = dispatch(request)
        except Exception as exc:  # noqa: BLE001  as above
            response = fault(request, name, exc)
        else:
            response = name.on(response)
        log.info(
            "request",
            method=request.method,
            path=request.path,
            status=response.status,
            duration_ms=round((time.perf_counter() - started) * 1000, 3),
            client=request.client.address,
            **name.facts(),
        )
        return response

    def fault(request: Request, name: Name, exc: Exception) -> Response:
        log.error(
            "unhandled_exception",
            exc=exc,
            method=request.method,
            path=request.path,
            client=request.client.address,
            **name.facts(),
        )
        return name.on(error_response(500, "The service failed to respond"))

    return answer_and_log if access_log else answer


class Name(msgspec.Struct, frozen=True):
    """The names of one request, for the client and the log."""

    request_id: bytes | None
    trace: TraceParent | None

    def on(self, response: Response) -> Response:
        """Return *response* with its names."""
        headers = response.headers
        if self.request_id is not None:
            headers += ((b"X-Request-Id", self.request_id),)
        # Not structs.replace: it reads every field by its name.
        return Response(
            response.status, response.body, response.content_type, headers, response.vary
        )

    def facts(self) -> dict[str, str]:
        """Return the names for a line of the log; OpenTelemetry's for those of a trace."""
        facts = {}
        if self.request_id is not None:
            facts["request_id"] = self.request_id.decode()
        if self.trace is not None:
            facts["trace_id"] = self.trace.trace_id
            facts["parent_id"] = self.trace.parent_id
        return facts


class Names:
    """Name requests: as the client does, else by a random prefix for the process and a count."""

    def __init__(self) -> None:
        # 8 bytes: unique among processes, guessable within one; an id is not a secret.
        self._prefix = os.urandom(8).hex()
        self._count = 0

    def given(self, request: Request) -> Name:
        """Return the client's names, as far as they are plain and valid."""
        request_id = request.headers.get(REQUEST_ID)
        if request_id is not None and not is_plain(request_id):
            request_id = None
        parent = request.headers.get(TRACEPARENT)
        return Name(request_id, None if parent is None else parse_traceparent(parent))

    def of(self, request: Request) -> Name:
        """Return the client's names, with a new request id if it sent none."""
        name = self.given(request)
        if name.request_id is not None:
            return name
        self._count += 1
        return Name(f"{self._prefix}-{self._count:x}".encode(), name.trace)


def is_plain(given: bytes) -> bool:
    """Whether *given* can be repeated in a header and a log without a second thought."""
    return 0 < len(given) <= MAX_ID_BYTES and not given.translate(None, _ID_BYTES)
