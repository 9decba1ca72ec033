"""A page rendered from a saved tree, and read again as a browser would."""

from html.parser import HTMLParser

from devops_info_service.app.routes import ROUTES
from devops_info_service.facts.linux.uptime import Runtime
from devops_info_service.handlers.info import Endpoint, Service
from devops_info_service.handlers.platform import path_of
from devops_info_service.http.wire.forwarded import Proxies
from devops_info_service.http.wire.message import Client, Request
from devops_info_service.page.document import frame, page
from devops_info_service.snapshot import PlatformSnapshot, read_platform

from ..recorded import DATA, FrozenClock, RecordedFiles

BROWSER = b"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
VOID = {"meta", "link"}


class Page(HTMLParser):
    """Reads a page as a browser would, and refuses what a browser would mend."""

    def __init__(self, data: bytes) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(data.decode())
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        assert len(dict(attrs)) == len(attrs), f"<{tag}> has an attribute twice"
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open[-1:] not in (["script"], ["style"]):
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def values(self, attribute: str) -> list[str]:
        return [found[attribute] or "" for _, found in self.elements if attribute in found]


def a_request(accept: bytes | None = BROWSER, path: str = "/", **headers: bytes) -> Request:
    """Return a request as the reader would."""
    fields = {name.replace("_", "-").encode(): value for name, value in headers.items()}
    if accept is not None:
        fields[b"accept"] = accept
    return Request("GET", path, b"", fields, Client("192.0.2.7", 4242), "1.1", keep_alive=True)


def render(
    look: PlatformSnapshot, request: Request | None = None, proxies: Proxies | None = None
) -> bytes:
    """Make the page of *look*."""
    request = request or a_request()
    around = frame(
        look,
        Runtime(3783, "1 hour, 3 minutes", "2026-01-01T01:03:03Z", "UTC"),
        Service("devops-info-service", "1.2.3", "x", "asyncio"),
        [Endpoint(route.path, route.method, route.description) for route in ROUTES],
    )
    return page(around, request, path_of(request, proxies or Proxies((), "any")))


def look_at(name: str) -> PlatformSnapshot:
    """Look at a saved tree."""
    return read_platform(RecordedFiles(DATA / name), FrozenClock())
