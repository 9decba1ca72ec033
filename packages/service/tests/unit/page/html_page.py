"""A page rendered from a recorded tree, and parsed as a browser would."""

from html.parser import HTMLParser

from devops_info_service.app.routes import ROUTES
from devops_info_service.client_path import client_path
from devops_info_service.facts.linux.uptime import Runtime
from devops_info_service.http.wire.forwarded import TrustedProxies
from devops_info_service.http.wire.message import Client, Request
from devops_info_service.page.document import render_page, render_shared
from devops_info_service.service_info import Endpoint, Service
from devops_info_service.snapshot import PlatformSnapshot, read_platform

from ..recorded import DATA, FrozenClock, RecordedFiles

BROWSER = b"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
VOID = {"meta", "link"}


class Page(HTMLParser):
    """Parses a page as a browser would, and rejects what a browser would repair."""

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
    """Return a request as the parser would."""
    fields = {name.replace("_", "-").encode(): value for name, value in headers.items()}
    if accept is not None:
        fields[b"accept"] = accept
    return Request("GET", path, b"", fields, Client("192.0.2.7", 4242), "1.1", keep_alive=True)


def render(
    snapshot: PlatformSnapshot,
    request: Request | None = None,
    proxies: TrustedProxies | None = None,
) -> bytes:
    """Return the page of *snapshot*."""
    request = request or a_request()
    shared = render_shared(
        snapshot,
        Runtime(3783, "1 hour, 3 minutes", "2026-01-01T01:03:03Z", "UTC"),
        Service("devops-info-service", "1.2.3", "x", "asyncio"),
        [Endpoint(route.path, route.method, route.description) for route in ROUTES],
    )
    return render_page(shared, request, client_path(request, proxies or TrustedProxies((), "any")))


def snapshot_of(name: str) -> PlatformSnapshot:
    """Return the snapshot of a recorded tree."""
    return read_platform(RecordedFiles(DATA / name), FrozenClock())
