"""Take the pictures of the page in docs/images: one of a laptop's screen, one of a phone's.

usage, in the repository, after make image: python3 -m bench.pictures.pictures [IMAGE]

The container has limits, and what the Pod Security Standards restrict; needs Docker, and Chromium
(.ci/prepare-browser). The picture is taken once the page is live.
"""

import contextlib
import http.client
import sys
import time
from collections.abc import Iterator
from typing import Final

from playwright.sync_api import expect, sync_playwright

from bench.lib.harness import ROOT, log, run

CHROMIUM: Final = "/usr/bin/chromium"
READY_SECONDS: Final = 20
SCREENS: Final = (
    ("page.png", 1280, 800, 1),
    ("page-phone.png", 390, 844, 2),
)
"""File, width and height in CSS pixels, and pixels of the picture in each."""
OPTIONS: Final = (
    *("--hostname", "web", "--publish", "127.0.0.1::8080"),
    *("--cpus", "0.5", "--memory", "64m", "--pids-limit", "50"),
    *("--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges"),
    *("--env", "EXPECTATIONS=memory.limit: 64Mi\ncpu.own_limit: 500m\nsecurity.user: 65532"),
)


@contextlib.contextmanager
def container(image: str) -> Iterator[str]:
    """Run *image*, and yield the address of its page."""
    name = _docker("run", "--detach", "--rm", *OPTIONS, image)
    try:
        host = _docker("port", name, "8080/tcp").splitlines()[0]
        deadline = time.monotonic() + READY_SECONDS
        while True:
            try:
                http.client.HTTPConnection(host).request("GET", "/readyz")
                break
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)
        yield f"http://{host}/"
    finally:
        _docker("stop", "--time", "5", name)


def main(image: str = "devops-info-service:latest") -> None:
    """Take all pictures of *image*."""
    with container(image) as address, sync_playwright() as playwright:
        # The only page is the service's, and root cannot have Chromium's sandbox.
        browser = playwright.chromium.launch(executable_path=CHROMIUM, chromium_sandbox=False)
        for file, width, height, scale in SCREENS:
            context = browser.new_context(
                viewport={"width": width, "height": height}, device_scale_factor=scale
            )
            page = context.new_page()
            page.goto(address)
            # CPUs in use instead of a sum: the second poll has a first one to compare with.
            expect(page.locator(".tile .used").first).to_contain_text("in use")
            page.screenshot(path=ROOT / "docs/images" / file)
            log(f"docs/images/{file}")
        browser.close()


def _docker(*words: str) -> str:
    return run(["docker", *words]).strip()


if __name__ == "__main__":
    main(*sys.argv[1:])
