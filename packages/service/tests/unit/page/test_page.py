"""The page's bytes: its text for the recorded trees, its requests, its policy."""

import base64
import hashlib
import itertools
import re
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from devops_info_service.app.routes import build
from devops_info_service.app.services import Services
from devops_info_service.config import Config
from devops_info_service.facts.fact import Known
from devops_info_service.facts.linux.limit_watch import MAX_CHANGES, WATCHED, Change
from devops_info_service.facts.system_files import Machine, SystemFiles
from devops_info_service.http import Cidr
from devops_info_service.http.wire.forwarded import TrustedProxies
from devops_info_service.http.wire.message import Client, Request, Response
from devops_info_service.page.document import HEADERS
from devops_info_service.page.usage import usage_tiles
from devops_info_service.snapshot import read_platform

from ..recorded import DATA, TREES, FrozenClock, RecordedFiles
from .html_page import Page, a_request, render, snapshot_of

MAX_BYTES = 96 * 1024
"""Of a page: a tenth of a second at 8 Mbit/s, and a fifth of what a usual page's script has."""


@pytest.mark.parametrize("name", TREES)
def test_whole(name: str) -> None:
    """The page is well-formed, small, and has every check with its verdict."""
    snapshot = snapshot_of(name)
    data = render(snapshot)
    read = Page(data)

    for check in snapshot.security.checks:
        assert f" {check.verdict} {check.id} {' '.join(check.message.split())}" in read.text
    assert len(data) < MAX_BYTES
    ids = read.values("id")
    assert len(set(ids)) == len(ids)
    targets = {link[1:] for link in read.values("href") if link.startswith("#")}
    targets |= {each for value in read.values("aria-labelledby") for each in value.split()}
    assert targets <= set(ids)


@pytest.mark.parametrize("name", TREES)
def test_outline(name: str) -> None:
    """Headings go down one level at a time, from one h1; every table has a caption."""
    read = Page(render(snapshot_of(name)))
    levels = [int(tag[1]) for tag, _ in read.elements if re.fullmatch("h[1-6]", tag)]

    assert levels.count(1) == 1
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))
    tags = [tag for tag, _ in read.elements]
    assert tags.count("caption") == tags.count("table")
    assert all("scope" in found for tag, found in read.elements if tag == "th")
    assert {"header", "nav", "main", "footer"} <= set(tags)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        (
            "containerd-restricted",
            [
                "web-7c9f6d5b8-x2v4q",
                "Container service of a pod, in namespace shop, on node node-3, under containerd.",
                "Up for 1 hour, 3 minutes.",
                "CPU 0.5 CPUs granted 183.2 ms of CPU time so far CPUs to plan for 1",
                "throttled 17 of 120 periods, 834.2 ms pressure",
                "Memory 256 MiB granted 32 MiB in use, 12 % with cache 40 MiB highest 48 MiB",
                "Processes 2048 granted 3 in use, under 1 %",
                "Disk traffic unknown 1.2 MiB in all",
                "Restricted pass Every check that can be made from inside passes, those of",
                "QoS class Burstable",
                "variables not shown DATABASE_PASSWORD",
            ],
        ),
        (
            "docker-default",
            [
                "CPU unknown none in the container's group; 2 CPUs to run on",
                "Memory no limit the host has 23.5 GiB 8.7 MiB in use, under 1 % of the host's",
                "Restricted fail 4 checks fail: allowPrivilegeEscalation , capabilities_restricted",
                "The groups above the process's own cannot all be seen from here",
            ],
        ),
        ("privileged-pod", ["200 MiB of a group above, the container's own: no limit"]),
    ],
)
def test_text(name: str, words: list[str]) -> None:
    """The text is that of the report on a terminal."""
    text = Page(render(snapshot_of(name))).text

    assert [each for each in words if each not in text] == []


def test_reasons_are_text() -> None:
    """A path to copy is code; the reason of something unknown is text, if it begins with a path."""
    data = render(snapshot_of("docker-default")).decode()

    assert "<li><code>/proc/self/status Uid</code></li>" in data
    assert "<li>/sys/kernel/security/lsm is not there</li>" in data


def test_no_secrets() -> None:
    """The page withholds what the report withholds."""
    assert b"an-example-and-no-password" not in render(snapshot_of("containerd-restricted"))


@pytest.mark.parametrize(
    ("trusted", "words"),
    [
        (
            False,
            [
                "the peer, taken as the client 192.0.2.7:4242 not trusted",
                "203.0.113.7, 10.0.0.9",
                "ignored, as the peer is not trusted",
            ],
        ),
        (
            True,
            [
                "the client 203.0.113.7 as the peer claims the peer 192.0.2.7:4242 trusted",
                "203.0.113.7 (not trusted), then 10.0.0.9 (trusted)",
            ],
        ),
    ],
)
def test_request(*, trusted: bool, words: list[str]) -> None:
    """The section shows the peer, the client, and what header fields claim."""
    networks = [Cidr.parse("192.0.2.0/24"), Cidr.parse("10.0.0.0/8")]
    request = a_request(x_forwarded_for=b"203.0.113.7, 10.0.0.9")
    if trusted:
        request = msgspec.structs.replace(
            request, client=Client("203.0.113.7", 0), peer=request.client
        )
    proxies = TrustedProxies(networks if trusted else (), "any")

    text = Page(render(snapshot_of("docker-default"), request, proxies)).text

    assert [each for each in words if each not in text] == []


def test_policy() -> None:
    """Scripts and styles are the page's own, by hash; nothing comes from or goes elsewhere."""
    data = render(snapshot_of("docker-default")).decode()
    policy = dict(HEADERS)[b"Content-Security-Policy"].decode()
    directives = dict(each.split(" ", 1) for each in policy.split("; "))

    for element, directive in (("script", "script-src"), ("style", "style-src")):
        (content,) = re.findall(f"<{element}>(.*?)</{element}>", data, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert directives.pop(directive) == f"'sha256-{digest}'"
    assert directives == {
        "default-src": "'none'",
        "img-src": "data:",
        "connect-src": "'self'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
    }
    read = Page(data.encode())
    assert not [name for _, found in read.elements for name in found if name.startswith("on")]
    assert read.values("style") == read.values("src") == []
    assert not [link for link in read.values("href") if re.match("(?!data:)[a-z]+:|//", link)]


def get(request: Request, tree: SystemFiles | None = None) -> Response:
    """Return the response of the service."""
    return build(Services(Machine(), "x", files=tree or RecordedFiles(DATA / "docker-default")))(
        request
    )


def test_browser() -> None:
    """A browser gets the page, with the fields that restrict it."""
    response = get(a_request())

    assert response.status == 200
    assert response.content_type == b"text/html; charset=utf-8"
    assert response.vary == b"Accept"
    fields = dict(response.headers)
    assert fields[b"X-Content-Type-Options"] == b"nosniff"
    assert fields[b"Referrer-Policy"] == b"no-referrer"
    assert b"Cache-Control" not in fields  # the writer has it for every response
    assert "07ee4bda71a3" in Page(response.body).text


@pytest.mark.parametrize("accept", [None, b"*/*", b"application/json", b"text/html;q=0"])
def test_json(accept: bytes | None) -> None:
    """Without a preference for HTML the response is JSON, which varies by Accept."""
    response = get(a_request(accept))

    assert response.content_type == b"application/json"
    assert response.vary == b"Accept"
    assert response.headers == ()
    assert msgspec.json.decode(response.body)["request"]["path"] == "/"


@pytest.mark.parametrize("path", ["/health", "/platform"])
def test_other_paths(path: str) -> None:
    """Every other path is JSON, for a browser as well."""
    assert get(a_request(path=path)).content_type == b"application/json"


def test_same_snapshot() -> None:
    """The page and /platform show one snapshot: a client of both compares the same facts."""
    dispatch = build(Services(Machine(), "x", files=RecordedFiles(DATA / "docker-limited")))

    read = Page(dispatch(a_request()).body)
    snapshot = msgspec.json.decode(dispatch(a_request(None, "/platform")).body)

    assert f"Snapshot of {snapshot['taken_at']}" in read.text


@pytest.mark.parametrize("name", TREES)
def test_tiles(name: str) -> None:
    """The query ``part=usage`` gives the tiles of the page, and no more."""
    dispatch = build(Services(Machine(), "x", files=RecordedFiles(DATA / name)))
    page = dispatch(a_request())
    tiles = dispatch(msgspec.structs.replace(a_request(), query=b"part=usage"))

    assert tiles.body in page.body
    assert tiles.body.startswith(b'<div class="tiles">')
    assert Page(tiles.body).values("class").count("tile") == 4
    assert (tiles.status, tiles.content_type, tiles.vary) == (200, page.content_type, b"Accept")
    assert tiles.headers == page.headers


@pytest.mark.parametrize("query", [b"part=", b"part=other", b"PART=usage", b"x"])
def test_other_queries(query: bytes) -> None:
    """Any other query gives the whole page."""
    response = get(msgspec.structs.replace(a_request(), query=query))

    assert response.body.startswith(b"<!doctype html>")


@pytest.mark.parametrize(
    ("in_use", "text"),
    [
        (None, "183.2 ms of CPU time so far CPUs to plan"),
        (0.0, "0 CPUs in use, 0 % CPUs to plan"),
        (0.001, "0.001 CPUs in use, under 1 % CPUs to plan"),
        (0.42, "0.42 CPUs in use, 84 %, close to the limit CPUs to plan"),
        (0.51, "0.51 CPUs in use, 100 %, at the limit CPUs to plan"),
    ],
)
def test_cpus_in_use(in_use: float | None, text: str) -> None:
    """The CPU's tile has the sum of its time, or the CPUs in use if they are known."""
    resources = snapshot_of("containerd-restricted").resources

    assert f"CPU 0.5 CPUs granted {text}" in Page(usage_tiles(resources, in_use).encode()).text


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (("cpu.limit", None, 0.5), "cpu limit no limit to 0.5"),
        (("cpu.cpuset", "0-3", "1"), "cpu cpuset 0-3 to 1"),
        (("processes.limit", 50, 100), "processes limit 50 to 100"),
        (("memory.limit", 2**26, 2**27), "memory limit 64 MiB to 128 MiB"),
        (("memory.high", 2**26, None), "memory high 64 MiB to no limit"),
    ],
)
def test_changes(change: tuple[str, Any, Any], text: str) -> None:
    """The page lists a change of a limit, with its time."""
    resources = snapshot_of("containerd-restricted").resources
    noon = Change("2025-11-24T12:03:10Z", *change)

    found = Page(usage_tiles(resources, None, [noon]).encode()).text

    assert found.endswith(f"{text} at 2025-11-24T12:03:10Z")


@given(
    st.lists(
        st.builds(
            Change,
            time=st.text(),
            limit=st.sampled_from(sorted(WATCHED)),
            from_=st.none() | st.integers(0, 2**63),
            to=st.none() | st.integers(0, 2**63),
        ),
        max_size=MAX_CHANGES,
    )
)
def test_any_changes(changes: list[Change]) -> None:
    """Every change that is remembered is on the list."""
    tiles = usage_tiles(snapshot_of("containerd-restricted").resources, None, changes)

    assert [tag for tag, _ in Page(tiles.encode()).elements].count("li") == len(changes)
    assert len(tiles) < MAX_BYTES


def test_own_request() -> None:
    """Each request gets the page of one snapshot, with its own header fields alone."""
    dispatch = build(Services(Machine(), "x", files=RecordedFiles(DATA / "docker-limited")))

    first, second = (Page(dispatch(a_request(user_agent=each)).body) for each in (b"one", b"two"))

    assert "user agent one" in first.text
    assert "user agent two" in second.text
    assert first.text.replace("user agent one", "user agent two") == second.text


@pytest.mark.parametrize(
    ("expected", "words"),
    [
        ("", []),
        ("memory.limit: 64Mi", ["Expectations 1 of 1 met pass", "Expectations: 1 of 1 met"]),
        (
            "memory.limit: 32Mi\ndns.ndots: 1",
            ["Expectations 1 of 2 met fail", "fail memory.limit 64Mi, expected 32Mi"],
        ),
        ("qos.class: Guaranteed", ["Expectations 0 of 1 met fail", "unknown qos.class expected"]),
    ],
)
def test_expectations(expected: str, words: list[str]) -> None:
    """Expectations follow the standards, if there are any."""
    tree = RecordedFiles(DATA / "docker-limited")
    dispatch = build(Services(Machine(), "x", Config(expectations=expected), files=tree))

    text = Page(dispatch(a_request()).body).text

    assert [each for each in words if each not in text] == []
    assert ("Expectations" in text) == bool(expected)


def test_unknown_everywhere() -> None:
    """The page is whole if nothing can be read."""
    snapshot = read_platform(SystemFiles("/nowhere", {}), FrozenClock())

    text = Page(render(snapshot)).text

    assert "Memory unknown" in text
    assert isinstance(snapshot.identity.hostname, Known) is False
    assert "this container" in text
