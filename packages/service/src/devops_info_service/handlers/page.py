"""``GET /`` for browsers. Imported with the first request that prefers HTML."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from devops_info_service.client_path import client_path
from devops_info_service.facts.linux.limit_watch import Change
from devops_info_service.facts.linux.resources import Resources
from devops_info_service.facts.linux.uptime import Runtime
from devops_info_service.http.wire.forwarded import TrustedProxies
from devops_info_service.http.wire.message import Handler, Request, Response
from devops_info_service.page.document import HEADERS, CachedPage, render_page, render_shared
from devops_info_service.page.usage import usage_tiles
from devops_info_service.service_info import Endpoint, Service
from devops_info_service.snapshot import PlatformSnapshot
from devops_info_service.snapshot_cache import PlatformSnapshots
from devops_info_service.ttl_cache import Derived

if TYPE_CHECKING:
    from devops_info_service.expectations.conformance import Conformance

HTML: Final = b"text/html; charset=utf-8"


def page(
    snapshots: PlatformSnapshots,
    proxies: TrustedProxies,
    now: Callable[[], Runtime],
    service: Service,
    endpoints: Sequence[Endpoint],
    check: Callable[[], "Conformance"] | None = None,
    history: Callable[[], tuple[Change, ...]] = tuple,
) -> Handler:
    """Return the handler of the page; with *check* it shows the expectations as well.

    *history* has the changes of limits, as ``/platform/history``.

    With the query ``part=usage`` it is the tiles alone, which the page's script polls.
    """

    def render(snapshot: PlatformSnapshot) -> CachedPage:
        conformance = None if check is None else check()
        in_use = snapshots.cpus_in_use
        return render_shared(snapshot, now(), service, endpoints, conformance, in_use, history())

    def render_tiles(resources: Resources) -> bytes:
        return usage_tiles(resources, snapshots.cpus_in_use, history()).encode()

    pages, tiles = Derived(render), Derived(render_tiles)

    def handle(request: Request) -> Response:
        if request.query == b"part=usage":
            body = tiles.of(snapshots.resources())
        else:
            shared = pages.of(snapshots.get())
            body = render_page(shared, request, client_path(request, proxies))
        return Response(200, body, HTML, HEADERS, b"Accept")

    return handle
