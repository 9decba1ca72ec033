"""``GET /`` for browsers.

Imported with the first request that prefers HTML, so that no other one and no start pays.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from devops_info_service.facts.linux.uptime import Runtime
from devops_info_service.handlers.info import Endpoint, Service
from devops_info_service.handlers.platform import path_of
from devops_info_service.http.wire.forwarded import Proxies
from devops_info_service.http.wire.message import Request, Response
from devops_info_service.page.document import HEADERS, Frame, frame, page
from devops_info_service.report.layout import Section
from devops_info_service.snapshot import PlatformSnapshot

if TYPE_CHECKING:
    from devops_info_service.expectations.conformance import Conformance


class PageHandler:
    """Answers with the page."""

    def __init__(
        self,
        look: Callable[[], PlatformSnapshot],
        proxies: Proxies,
        runtime: Callable[[], Runtime],
        service: Service,
        endpoints: Sequence[Endpoint],
        judge: Callable[[], "Conformance"] | None = None,
    ) -> None:
        self._look = look
        self._proxies = proxies
        self._runtime = runtime
        self._service = service
        self._endpoints = endpoints
        self._judge = judge
        self._framed: PlatformSnapshot | None = None
        self._frame = Frame("", b"", b"")

    def __call__(self, request: Request) -> Response:
        """Answer *request*."""
        look = self._look()
        if look is not self._framed:
            now, expectations = self._runtime(), self._expectations()
            self._frame = frame(look, now, self._service, self._endpoints, expectations)
            self._framed = look
        body = page(self._frame, request, path_of(request, self._proxies))
        return Response(200, body, b"text/html; charset=utf-8", HEADERS, b"Accept")

    def _expectations(self) -> Section | None:
        if self._judge is None:
            return None
        # Imported late: most expect nothing.
        from devops_info_service.report.expected import expected  # noqa: PLC0415

        return expected(self._judge())
