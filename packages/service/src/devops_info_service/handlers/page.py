"""``GET /`` for browsers. Imported with the first request that prefers HTML."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from devops_info_service.client_path import client_path
from devops_info_service.facts.linux.uptime import Runtime
from devops_info_service.http.wire.forwarded import Proxies
from devops_info_service.http.wire.message import Handler, Request, Response
from devops_info_service.page.document import HEADERS, CachedPage, render_page, render_shared
from devops_info_service.report.layout import Section
from devops_info_service.service_info import Endpoint, Service
from devops_info_service.snapshot import Platform
from devops_info_service.snapshot_cache import PlatformSnapshots
from devops_info_service.ttl_cache import Derived

if TYPE_CHECKING:
    from devops_info_service.expectations.conformance import Conformance

HTML = b"text/html; charset=utf-8"


def page(
    snapshots: PlatformSnapshots,
    proxies: Proxies,
    now: Callable[[], Runtime],
    service: Service,
    endpoints: Sequence[Endpoint],
    check: Callable[[], "Conformance"] | None = None,
) -> Handler:
    """Return the handler of the page; with *check* it shows the expectations as well."""

    def render(snapshot: Platform) -> CachedPage:
        return render_shared(snapshot, now(), service, endpoints, expectations())

    def expectations() -> Section | None:
        if check is None:
            return None
        from devops_info_service.report.expected import expected  # noqa: PLC0415

        return expected(check())

    pages = Derived(render)

    def handle(request: Request) -> Response:
        shared = pages.of(snapshots.get())
        body = render_page(shared, request, client_path(request, proxies))
        return Response(200, body, HTML, HEADERS, b"Accept")

    return handle
