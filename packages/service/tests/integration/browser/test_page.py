"""The page in Chromium: live, accessible, and without a request to another host."""

import re
import signal
from collections.abc import Callable
from typing import Final

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from devops_info_service.app.routes import ROUTES
from tests.lib.running_service import RunningService, Start

from .conftest import Tab

pytestmark = [pytest.mark.browser, pytest.mark.filterwarnings("ignore::DeprecationWarning")]

Open = Callable[..., Tab]

PHONE: Final = {"width": 360, "height": 740}
LAPTOP: Final = {"width": 1280, "height": 800}
PROJECTOR: Final = {"width": 1920, "height": 1080}
FRESH_MS: Final = 3000
"""For a figure to change: the script's two seconds and some."""


def address(service: RunningService) -> str:
    """Return the page's address."""
    return f"http://127.0.0.1:{service.port}/"


def test_no_console_messages(service: RunningService, tab: Open) -> None:
    """No error, no violation of the policy, no request to another host."""
    page = tab()
    page.page.goto(address(service))
    page.wait_for_status("Live")
    page.page.wait_for_timeout(FRESH_MS)

    assert page.complaints == []
    base = address(service)
    assert set(page.requests) == {base, f"{base}?part=usage"}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [PHONE, LAPTOP, PROJECTOR], ids=["phone", "laptop", "hall"])
def test_accessible(
    service: RunningService, tab: Open, scheme: str, viewport: dict[str, int]
) -> None:
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
    """Return what axe-core finds, by every rule it has for WCAG and good practice.

    The debugger injects it, which the page's policy does not restrict.
    """
    results = Axe().run(page.page).response
    return [
        f"{each['id']}: {node['target']} {node['failureSummary']}"
        for each in results["violations"]
        for node in each["nodes"]
    ]


def test_without_script(service: RunningService, tab: Open) -> None:
    """Without JavaScript the report is complete and has no control that needs a script."""
    page = tab(java_script_enabled=False)
    page.page.goto(address(service))
    text = page.page.locator("body").inner_text()

    for words in (
        "Granted and used",
        "Security scorecard",
        "How this request arrived",
        "127.0.0.1",
        "As the page was loaded",
    ):
        assert words in text
    is_judged = {"Baseline", "Restricted"} <= set(re.findall(r"\w+", text))
    assert is_judged != ("not judged outside a container" in text)
    assert re.search(r"of CPU time so far|CPUs? in use", text)
    assert page.page.get_by_role("button").count() == 0
    assert page.page.locator("tr[id*='-']").count() >= (24 if is_judged else 6)
    page.page.get_by_role("heading", name="Network and environment").click()
    assert "variables not shown" in page.page.locator("body").inner_text()


def test_live(start: Start, tab: Open) -> None:
    """The figures change by themselves, those of the CPU from a sum to CPUs in use."""
    page = tab()
    page.page.goto(address(start()))
    cpu = page.page.locator(".tile .used").first
    before = cpu.inner_text()
    expect(cpu).to_contain_text("in use")

    assert "of CPU time so far" in before
    assert re.fullmatch(r"[0-9.]+ CPUs? in use, (\d+|under 1) %.*", cpu.inner_text())
    assert page.page.get_by_role("meter").count() >= 2


def test_live_changes_only_what_differs(start: Start, tab: Open) -> None:
    """Elements stay, so that a selection, a screen reader's place and a transition do."""
    page = tab()
    page.page.goto(address(start()))
    page.page.evaluate("""() => {
        window.kept = [...document.querySelectorAll(".tile, .tile h3, .meter, .fill, dt")];
        getSelection().selectAllChildren(document.querySelector(".tile dt"));
    }""")
    expect(page.page.locator(".tile .used").first).to_contain_text("in use")

    assert page.page.evaluate("window.kept.every((each) => each.isConnected)")
    first = page.page.locator(".tile dt").first.text_content()
    assert page.page.evaluate("String(getSelection())") == first
    assert page.complaints == []


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (503, "", "The response was 503"),
        (200, "<p>Sign in</p>", "The response was not understood"),
        (200, "", "The response was not understood"),
    ],
)
def test_another_response(
    service: RunningService, tab: Open, status: int, body: str, reason: str
) -> None:
    """Any other response leaves the figures as they are, and the status has the reason."""
    page = tab()
    page.page.route(
        "**/?part=usage",
        lambda route: route.fulfill(status=status, body=body, content_type="text/html"),
    )
    page.page.goto(address(service))
    page.wait_for_status(f"{reason} at ")

    assert page.page.locator(".tile").count() == 4
    page.page.unroute("**/?part=usage")
    page.wait_for_status("Live")


def test_service_stopped_and_back(start: Start, tab: Open) -> None:
    """The status shows that the service cannot be reached, and that it responds again."""
    service = start()
    page = tab()
    page.page.goto(address(service))
    page.wait_for_status("Live")
    memory = page.page.locator(".tile:nth-child(2) .used")
    service.signal(signal.SIGSTOP)
    before = memory.inner_text()
    page.wait_for_status("could not be reached")

    assert memory.inner_text() == before
    service.signal(signal.SIGCONT)
    page.wait_for_status("Live")


def test_pause(service: RunningService, tab: Open) -> None:
    """The keyboard can pause the page and resume it."""
    page = tab()
    page.page.goto(address(service))
    page.wait_for_status("Live")
    button = page.page.get_by_role("button", name="Pause")
    button.focus()
    page.page.keyboard.press("Space")
    page.wait_for_status("Paused")
    requests = len(page.requests)
    page.page.wait_for_timeout(FRESH_MS)

    assert len(page.requests) == requests
    page.page.get_by_role("button", name="Resume").press("Enter")
    page.wait_for_status("Live")
    assert len(page.requests) > requests


def test_hidden_tab(service: RunningService, tab: Open) -> None:
    """A hidden tab sends no request."""
    page = tab()
    page.page.goto(address(service))
    page.wait_for_status("Live")
    # Without a window Chromium has every tab visible: the page gets the event it would get.
    hide = """hidden => {
        Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
        document.dispatchEvent(new Event("visibilitychange"));
    }"""
    page.page.evaluate(hide, arg=True)
    page.page.wait_for_timeout(100)
    requests = len(page.requests)
    page.page.wait_for_timeout(FRESH_MS)

    assert len(page.requests) == requests
    page.page.evaluate(hide, arg=False)
    page.page.wait_for_timeout(500)
    assert len(page.requests) > requests


def test_keyboard(service: RunningService, tab: Open) -> None:
    """Tab goes from the skip link through all controls, each of them visible."""
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


def test_links(service: RunningService, tab: Open) -> None:
    """Every published path is listed, and every link leads to a response."""
    page = tab()
    page.page.goto(address(service))
    links = page.page.locator("#json a")
    paths = [link.get_attribute("href") or "" for link in links.all()]

    routes = {route.path for route in ROUTES if route.method == "GET"} - {"/"}
    assert {f"/{path}" for path in paths} == routes
    for path in paths:
        response = page.page.request.get(f"{address(service)}{path}")
        assert "Endpoint does not exist" not in response.text()


def test_hostile_request(service: RunningService, tab: Open) -> None:
    """What a client sends shows as text; even injected markup could not run."""
    page = tab(user_agent="<script>document.title='owned'</script><b>x</b>")
    page.page.goto(address(service))
    page.wait_for_status("Live")

    assert "<b>x</b>" in page.page.locator("#request").inner_text()
    assert page.page.title() != "owned"
    assert page.complaints == []
    page.page.evaluate("""() => {
        const script = document.createElement("script");
        script.textContent = "document.title = 'owned'";
        document.body.append(script);
    }""")
    assert page.page.title() != "owned"
    assert any("Content Security Policy" in each for each in page.complaints)


def test_printed(service: RunningService, tab: Open) -> None:
    """On paper nothing is folded away and nothing can be clicked."""
    page = tab()
    page.page.goto(address(service))
    page.page.emulate_media(media="print")

    assert not page.page.get_by_role("navigation").is_visible()
    assert page.page.get_by_text("variables not shown").is_visible()
