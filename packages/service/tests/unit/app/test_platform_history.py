"""``GET /platform/history`` over a container whose limit is changed."""

from collections.abc import Callable

import msgspec

from devops_info_service.app.routes import build
from devops_info_service.app.services import Services
from devops_info_service.facts.system_files import SystemFiles
from devops_info_service.handlers.history import History
from devops_info_service.http.wire.message import Client, Request

from ..page.html_page import Page, a_request
from .test_services import FakeSource

CGROUP = "/sys/fs/cgroup"
QUERIES = b"", b"part=usage"


def test_resize(tree_of: Callable[..., SystemFiles]) -> None:
    """A limit that is raised is one change, and a request more finds no other."""
    files = {
        "/proc/self/mountinfo": "1 0 0:1 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n",
        "/proc/self/cgroup": "0::/\n",
        f"{CGROUP}/cgroup.controllers": "cpu memory\n",
        f"{CGROUP}/memory.max": "67108864\n",
    }
    respond = build(Services(FakeSource(), "x", files=tree_of(files)))
    client = Client("192.0.2.7", 4242)
    request = Request("GET", "/platform/history", b"", {}, client, "1.1", keep_alive=True)

    def ask() -> History:
        return msgspec.json.decode(respond(request).body, type=History)

    assert ask() == History(0, ())
    tree_of({f"{CGROUP}/memory.max": "134217728\n"})
    assert [(change.from_, change.to) for change in ask().changes] == [(67108864, 134217728)]
    assert ask().total == 1
    page, tiles = (respond(msgspec.structs.replace(a_request(), query=query)) for query in QUERIES)
    sentence = "memory limit 64 MiB to 128 MiB at "
    assert sentence in Page(page.body).text
    assert sentence in Page(tiles.body).text
