"""Take the picture docs/images/alerts.png: the chart's rules as they fire on a faulty deployment.

usage, in the repository: python3 -m bench.pictures.alerts [MINUTES]

One pod is slow, fails a part of its requests with 500 and misses an expectation; a second one
has ended. Prometheus loads the rules as they are, so an alert that waits ten minutes does
so here. Needs Prometheus (.ci/prepare-prometheus) and Chromium (.ci/prepare-browser).
"""

import contextlib
import http.client
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from playwright.sync_api import sync_playwright

from bench.lib.harness import ROOT, MeasureError, log

from .pictures import CHROMIUM

RULES: Final = ROOT / "deploy/helm/devops-info-service/rules/rules.yaml"
PICTURE: Final = ROOT / "docs/images/alerts.png"
SERVICE: Final = (sys.executable, "-m", "devops_info_service")
MINUTES: Final = 13
"""The longest wait of the rules that are to fire is ten; then the first scrapes."""

FAULTS: Final = {"error_rate": 0.05, "latency_seconds": 0.3, "for_seconds": 3600}
REQUESTS_PER_SECOND: Final = 20
READY_SECONDS: Final = 30


def main(minutes: str = str(MINUTES)) -> None:
    """Run the pods, the load and Prometheus for *minutes*; take the picture."""
    seconds = float(minutes) * 60
    serving, gone, control, prometheus = (_free_port() for _ in range(4))
    pod = {
        **os.environ,
        "HOST": "127.0.0.1",
        "PORT": str(serving),
        "MANAGEMENT_PORT": str(control),
        "TOOLS": "true",
        "EXPECTATIONS": "memory.limit: 64Mi\nsecurity.user: 65532",
    }
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        # Both beside the data, by relative names: the page shows where the rules come from.
        shutil.copy(RULES, folder)
        Path(folder, "prometheus.json").write_text(
            json.dumps(_configuration({"pod-1": control, "pod-2": gone}))
        )
        stack.enter_context(_running([*SERVICE], pod))
        _wait(control, "/readyz")
        _inject(control)
        stack.enter_context(_running(_load(serving, seconds), os.environ))
        stack.enter_context(
            _running(
                [
                    "prometheus",
                    "--config.file=prometheus.json",
                    "--storage.tsdb.path=data",
                    f"--web.listen-address=127.0.0.1:{prometheus}",
                ],
                os.environ,
                folder,
            )
        )
        _wait(prometheus, "/-/ready")
        log(f"the rules are evaluated for {seconds:g} s")
        time.sleep(seconds)
        _photograph(f"http://127.0.0.1:{prometheus}/classic/alerts")
    log(str(PICTURE.relative_to(ROOT)))


def _configuration(pods: Mapping[str, int]) -> dict[str, object]:
    return {
        "global": {"scrape_interval": "5s", "evaluation_interval": "5s"},
        "rule_files": [RULES.name],
        "scrape_configs": [
            {
                "job_name": "devops-info-service",
                "static_configs": [
                    {"targets": [f"127.0.0.1:{port}"], "labels": {"namespace": "web", "pod": name}}
                    for name, port in pods.items()
                ],
            }
        ],
    }


def _load(port: int, seconds: float) -> list[str]:
    return [
        *(*SERVICE, "load", "--seconds", f"{seconds + READY_SECONDS:g}"),
        *("--rate", str(REQUESTS_PER_SECOND), f"http://127.0.0.1:{port}/"),
    ]


def _inject(port: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=READY_SECONDS)
    connection.request(
        "PUT", "/tools/faults", json.dumps(FAULTS), {"Content-Type": "application/json"}
    )
    if (status := connection.getresponse().status) != http.client.OK:
        raise MeasureError(f"/tools/faults: {status}; expected 200")


def _photograph(address: str) -> None:
    with sync_playwright() as playwright:
        # The only page is Prometheus's own, and root cannot have Chromium's sandbox.
        browser = playwright.chromium.launch(executable_path=CHROMIUM, chromium_sandbox=False)
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.goto(address)
        page.wait_for_load_state("networkidle")
        page.locator("button.show-annotations").click()
        for header in page.locator(".alert_header.alert-danger").all():
            header.click()
        page.evaluate("scrollTo(0, 0)")  # its head stays in sight, wherever that is
        page.screenshot(path=PICTURE, full_page=True)
        browser.close()


@contextlib.contextmanager
def _running(
    argv: list[str], environ: Mapping[str, str], folder: str | None = None
) -> Iterator[None]:
    process = subprocess.Popen(
        argv, env=environ, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        yield
    finally:
        process.terminate()
        process.wait(timeout=READY_SECONDS)


def _wait(port: int, path: str) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=READY_SECONDS)
            connection.request("GET", path)
            if connection.getresponse().status == http.client.OK:
                return
        time.sleep(0.1)
    raise MeasureError(f"127.0.0.1:{port}{path}: not ready within {READY_SECONDS} s")


def _free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


if __name__ == "__main__":
    main(*sys.argv[1:])
