"""The order of the middleware around a handler: metrics, client, log, errors, hosts."""

import time
from collections.abc import Collection

from devops_info_service.http import (
    Handler,
    Request,
    Response,
    WorkerTable,
    error_response,
    measure,
    measure_long,
)
from devops_info_service.logs import Log

from .request_id import REQUEST_ID, RequestIds, RequestIdSource
from .services import Services


def wrap(
    handler: Handler,
    services: Services,
    log: Log,
    table: WorkerTable,
    *,
    public: Handler | None = None,
    probes: Collection[str] = (),
) -> Handler:
    """Return *handler* with everything around it in the process that serves.

    From the outside in: time is measured by route, the client is resolved (the log names it),
    exceptions and requests are logged, hosts are checked. *public*, if there is one, is served on
    the service's port, and *handler* on the management port. Wrapped after the fork: request IDs
    start with a process's own bytes.
    """
    if public is not None:
        public = _guard(public, services, log, probes)
        handler = _by_port(public, _guard(handler, services, log, probes))
    else:
        handler = _guard(handler, services, log, probes)
    return (measure_long if services.config.tools else measure)(handler, table)


def _by_port(public: Handler, management: Handler) -> Handler:
    def handle(request: Request) -> Response:
        return management(request) if request.client.is_management else public(request)

    return handle


def _guard(handler: Handler, services: Services, log: Log, probes: Collection[str]) -> Handler:
    config = services.config
    if config.allowed_hosts:
        # Imported late: only where hosts are listed.
        from devops_info_service.http.wire.allowed_hosts import (  # noqa: PLC0415
            AllowedHosts,
            only_for,
        )

        handler = only_for(handler, AllowedHosts(config.allowed_hosts), probes)
    handler = recover_and_log(handler, log, access_log=config.access_log)
    if config.trusted_proxies:
        from devops_info_service.http.wire.forwarded import resolve_client  # noqa: PLC0415

        handler = resolve_client(handler, services.proxies)
    return handler


def recover_and_log(handler: Handler, log: Log, *, access_log: bool) -> Handler:
    """Return *handler* with every exception as a 500 and a line of the log.

    With *access_log* every request is a line. The request ID is the client's ``X-Request-Id`` if
    that is short and plain, and goes back with the response. A new one is made only for a line of
    the log: an ID that is written nowhere would cost each response bytes and time. The IDs of a
    valid ``traceparent`` are in the log.
    """
    source = RequestIdSource()

    def respond(request: Request) -> Response:
        try:
            response = handler(request)
        except Exception as exc:  # noqa: BLE001  the next request is served after any of them
            return fault(request, source.ensure(request), exc)
        if REQUEST_ID in request.headers:
            return source.from_request(request).apply_to(response)
        return response

    def respond_and_log(request: Request) -> Response:
        started = time.perf_counter()
        ids = source.ensure(request)
        try:
            response = handler(request)
        except Exception as exc:  # noqa: BLE001  as above
            response = fault(request, ids, exc)
        else:
            response = ids.apply_to(response)
        log.info(
            "request",
            method=request.method,
            path=request.path,
            status=response.status,
            duration_ms=round((time.perf_counter() - started) * 1000, 3),
            client=request.client.address,
            **ids.fields(),
        )
        return response

    def fault(request: Request, ids: RequestIds, exc: Exception) -> Response:
        log.error(
            "unhandled_exception",
            exc=exc,
            method=request.method,
            path=request.path,
            client=request.client.address,
            **ids.fields(),
        )
        return ids.apply_to(error_response(500, "The service failed to respond"))

    return respond_and_log if access_log else respond
