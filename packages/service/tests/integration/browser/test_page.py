"""The page in Chromium: it does what it says, says it to everybody, and asks nobody else."""

import signal
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Route, expect

from devops_info_service.app.routes import ROUTES
from devops_info_service.app.services import build
from devops_info_service.facts.system_files import Machine
from devops_info_service.http.wire.message import Client, Request

from ...unit.recorded import DATA, RecordedFiles
from ..conftest import Service, Start
from .conftest import Tab

pytestmark = [pytest.mark.browser, pytest.mark.filterwarnings("ignore::DeprecationWarning")]

Open = Callable[..., Tab]

PHONE: Final = {"width": 360, "height": 740}
LAPTOP: Final = {"width": 1280, "height": 800}
PROJECTOR: Final = {"width": 1920, "height": 1080}
FRESH_MS: Final = 3000
"""For something to change: the script's two seconds and some."""


def address(service: Service) -> str:
    """Return the page's own."""
    return f"http://127.0.0.1:{service.port}/"


def test_nothing_to_complain(service: Service, tab: Open) -> None:
    """No error, no violation of the policy, no request to anybody else."""
    page = tab()
    page.page.goto(address(service))
    page.wait_for_status("Live")
    page.page.wait_for_timeout(FRESH_MS)

    assert page.complaints == []
    base = address(service)
    assert set(page.asked) == {base, f"{base}platform/resources"}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [PHONE, LAPTOP, PROJECTOR], ids=["phone", "laptop", "hall"])
def test_accessible(service: Service, tab: Open, scheme: str, viewport: dict[str, int]) -> None:
    """axe finds nothing, folded or unfolded, and nothing is wider than the window."""
    page = tab(color_scheme=scheme, viewport=viewport, reduced_motion="reduce")
    page.page.goto(address(service))
    page.wait_for_status("Live")

    for unfold in (False, True):
        if unfold:
            page.page.evaluate(
                "for (const each of document.querySelectorAll('details')) each.open = true"
            )
        found = axe(page)
        assert found == []
    width = page.page.evaluate("document.documentElement.scrollWidth")
    assert width <= viewport["width"]


def axe(page: Tab) -> list[str]:
    """Return what axe-core finds wrong, by every rule it has for WCAG and good practice.

    It is handed over by the debugger, which the page's policy does not bind.
    """
    results = Axe().run(page.page).response
    return [
        f"{each['id']}: {node['target']} {node['failureSummary']}"
        for each in results["violations"]
        for node in each["nodes"]
    ]


def test_without_script(service: Service, tab: Open) -> None:
    """Without JavaScript the report is whole, and nothing promises what only the script does."""
    page = tab(java_script_enabled=False)
    page.page.goto(address(service))
    text = page.page.locator("body").inner_text()

    for words in (
        "Granted and used",
        "Baseline",
        "Restricted",
        "The way this request came",
        "127.0.0.1",
        "of CPU time so far",
        "As the page was loaded",
    ):
        assert words in text
    assert page.page.get_by_role("button").count() == 0
    assert page.page.locator("tr[id*='-']").count() >= 24
    page.page.get_by_role("heading", name="Network and environment").click()
    assert "variables not shown" in page.page.locator("body").inner_text()


def test_live(service: Service, tab: Open) -> None:
    """The figures change by themselves, those of the CPU from a sum to a share."""
    page = tab()
    page.page.goto(address(service))
    before = page.page.content()
    expect(page.page.locator('[data-live="cpu.used"]')).to_contain_text("in use")

    assert "of CPU time so far" in before
    assert " in use, " in page.text("cpu.used")
    assert page.page.get_by_role("meter").count() >= 2


def test_service_gone_and_back(start: Start, tab: Open) -> None:
    """A service that cannot be reached is said once, and so is that it answers again."""
    service = start()
    page = tab()
    page.page.goto(address(service))
    page.wait_for_status("Live")
    memory = page.text("memory.used")
    service.signal(signal.SIGSTOP)
    page.wait_for_status("could not be reached")

    assert page.text("memory.used").split()[1] == memory.split()[1]
    service.signal(signal.SIGCONT)
    page.wait_for_status("Live")


def test_pause(service: Service, tab: Open) -> None:
    """Whoever wants a still page can have it, by keyboard; it goes on when asked to."""
    page = tab()
    page.page.goto(address(service))
    page.wait_for_status("Live")
    button = page.page.get_by_role("button", name="Pause")
    button.focus()
    page.page.keyboard.press("FilesystemSpace")
    page.wait_for_status("Paused")
    asked = len(page.asked)
    page.page.wait_for_timeout(FRESH_MS)

    assert len(page.asked) == asked
    page.page.get_by_role("button", name="Resume").press("Enter")
    page.wait_for_status("Live")
    assert len(page.asked) > asked


def test_hidden_tab(service: Service, tab: Open) -> None:
    """A tab nobody looks at asks nothing."""
    page = tab()
    page.page.goto(address(service))
    page.wait_for_status("Live")
    # Without a window Chromium calls every tab visible; the page is told what it would be told.
    hide = """hidden => {
        Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
        document.dispatchEvent(new Event("visibilitychange"));
    }"""
    page.page.evaluate(hide, arg=True)
    page.page.wait_for_timeout(100)
    asked = len(page.asked)
    page.page.wait_for_timeout(FRESH_MS)

    assert len(page.asked) == asked
    page.page.evaluate(hide, arg=False)
    page.page.wait_for_timeout(500)
    assert len(page.asked) > asked


def test_keyboard(service: Service, tab: Open) -> None:
    """Tab goes from the skip link through everything that can be used, each in plain sight."""
    page = tab(viewport=LAPTOP)
    page.page.goto(address(service))
    page.wait_for_status("Live")
    focused = """() => {
        const at = document.activeElement, box = at.getBoundingClientRect();
        const style = getComputedStyle(at);
        return [at.tagName, at.textContent.trim(), box.top >= 0 && box.bottom <= innerHeight + 1
            && box.width > 0 && style.outlineStyle !== "none" && at.matches(":focus-visible")];
    }"""
    seen = []
    for _ in range(300):
        page.page.keyboard.press("Tab")
        tag, text, visible = page.page.evaluate(focused)
        if tag == "BODY":
            break
        assert visible, (tag, text)
        seen.append((tag, text))

    assert seen[0] == ("A", "Skip to the report")
    usable = page.page.locator("a[href], button, summary").count()
    folded = page.page.locator("details:not([open]) :is(a[href], button, summary)").count()
    own = page.page.locator("details:not([open]) > summary").count()
    assert len(seen) == usable - (folded - own)
    page.page.get_by_role("link", name="Skip to the report").press("Enter")
    assert page.page.url.endswith("#report")


def test_links(service: Service, tab: Open) -> None:
    """Every published path is there, and every link leads to an answer."""
    page = tab()
    page.page.goto(address(service))
    links = page.page.locator("#json a")
    paths = [link.get_attribute("href") or "" for link in links.all()]

    routes = {route.path for route in ROUTES if route.method == "GET"} - {"/"}
    assert {f"/{path}" for path in paths} == routes
    for path in paths:
        answer = page.page.request.get(f"{address(service)}{path}")
        assert "Endpoint does not exist" not in answer.text()


@pytest.mark.parametrize(
    "name", ["containerd-restricted", "docker-default", "privileged-pod", "cgroup-v1-pod", "gvisor"]
)
def test_script_says_the_same(browser: Browser, name: str) -> None:
    """Of the same facts, saved ones, the script says what the server says, word for word."""
    dispatch = build(Machine(), "x", tree=RecordedFiles(DATA / name))

    def answer(route: Route) -> None:
        fields = {key.encode(): value.encode() for key, value in route.request.headers.items()}
        path = urlsplit(route.request.url).path
        client = Client("192.0.2.7", 4242)
        found = dispatch(Request("GET", path, b"", fields, client, "1.1", keep_alive=True))
        route.fulfill(
            status=found.status, body=found.body, content_type=found.content_type.decode()
        )

    def figures(page: Any) -> dict[str, str]:
        said: dict[str, str] = page.evaluate("""() => Object.fromEntries(
            [...document.querySelectorAll("[data-live]")].map((each) => [each.dataset.live,
                each.getAttribute("aria-valuetext") ? each.outerHTML : each.textContent]))""")
        return {key: text for key, text in said.items() if key not in {"cpu.used", "cpu.meter"}}

    contexts = [browser.new_context(java_script_enabled=live) for live in (False, True)]
    said = []
    for live, context in enumerate(contexts):
        tab = Tab(context.new_page())
        tab.page.route("**/*", answer)
        tab.page.goto("http://saved.test/")
        if live:
            tab.wait_for_status("Live")
        said.append(figures(tab.page))
        assert tab.complaints == []
        context.close()

    assert said[1] == said[0]


def test_hostile_request(service: Service, tab: Open) -> None:
    """What a client sends shows as text; even markup that got in could not run."""
    page = tab(user_agent="<script>document.title='owned'</script><b>x</b>")
    page.page.goto(address(service))
    page.wait_for_status("Live")

    assert "<b>x</b>" in page.page.locator("#way").inner_text()
    assert page.page.title() != "owned"
    assert page.complaints == []
    page.page.evaluate("""() => {
        const script = document.createElement("script");
        script.textContent = "document.title = 'owned'";
        document.body.append(script);
    }""")
    assert page.page.title() != "owned"
    assert any("Content Security Policy" in each for each in page.complaints)


def test_printed(service: Service, tab: Open) -> None:
    """On paper nothing is folded away and nothing can be clicked."""
    page = tab()
    page.page.goto(address(service))
    page.page.emulate_media(media="print")

    assert not page.page.get_by_role("navigation").is_visible()
    assert page.page.get_by_text("variables not shown").is_visible()
