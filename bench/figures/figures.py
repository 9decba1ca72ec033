"""Write docs/figures.md, the README's five figures and the picture from the benches' results.

usage, in the repository: python3 -m bench.figures.figures

Reads the results.json of each bench, measures nothing. A test compares the page with them.
"""

import re
import sys
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec

from bench.endurance import gate, idle, slow, soak
from bench.hardening import hardening
from bench.lib.harness import ROOT, Machine, environment, markdown_table, run
from bench.load import report
from bench.load.contender_list import WORKSHOP
from bench.load.medians import SERVICE, YARDSTICK
from bench.rebuild import rebuild
from bench.size import sizes

_T = TypeVar("_T")

PAGE: Final = ROOT / "docs/figures.md"
README: Final = ROOT / "README.md"
PICTURE: Final = ROOT / "docs/images/load.svg"

_PLOT: Final = Path(__file__).with_name("plot.py")
_PINS: Final = Path(__file__).with_name("requirements.txt")

_BLOCK: Final = re.compile(
    r"(?<=<!-- figures: make figures -->\n).*?(?=<!-- /figures -->)", re.DOTALL
)


def page() -> str:
    """Return docs/figures.md."""
    load, size = _load(), results("size")
    parts = [
        "# Figures",
        (
            "Written by `make figures` from the results of `make sizes`, `make rebuild`, "
            "`make load`, `make hardening` and `make endurance`.\n"
            "Not edited by hand; a test compares this page with the results.\n"
            "Methods, contenders and stand-ins: [bench/README.md](../bench/README.md)."
        ),
        five(),
        "## Image size",
        f"`make sizes`: {_where(size)}, Docker {size['engine']}.",
        sizes.table(
            _as(size["images"], tuple[sizes.Result, ...]),
            _as(size["ratios"], tuple[sizes.Ratio, ...]),
        ),
        (
            "On an equal base the Go program is smaller.\n"
            "Unpacked, the service's image is smaller than the original because it needs no base."
        ),
        "## Requests, memory, start",
        f"`make load`: {report.terms(load)}",
        (
            "![Requests per second, 99th percentile, CPU per request, memory and cold start of "
            f"each contender]({PICTURE.relative_to(PAGE.parent)})"
        ),
        report.requirements(load),
        report.details(load),
        "## Rebuild",
        f"`make rebuild`: {_where(results('rebuild'))}.",
        rebuild.table(_as(results("rebuild")["timings"], tuple[rebuild.Timing, ...])),
        "## Cost of hardening",
        f"`make hardening`: {_where(results('hardening'))}.",
        hardening.table(_as(results("hardening")["costs"], tuple[hardening.Cost, ...])),
        "## Endurance",
        *_endurance(),
    ]
    return "\n\n".join(parts) + "\n"


def five() -> str:
    """Return the five figures that the README shows."""
    load = _load()
    images = {
        one.name: one.contents for one in _as(results("size")["images"], tuple[sizes.Result, ...])
    }
    under = {one.contender: one for one in load.summaries if one.work == "root"}
    starts = {one.contender: one.seconds for one in load.starts}
    service, go = under[SERVICE], under[YARDSTICK]
    image, original = (images[name].gzip_bytes for name in sizes.GATE)
    rows = (
        ("compressed image", f"{image / 1e6:.2f} MB", f"{original / 1e6:.2f} MB", image / original),
        (
            "requests/s on `/`, one core",
            f"{service.per_second.median:,.0f}",
            f"{go.per_second.median:,.0f}",
            service.per_second.to_go,
        ),
        (
            "p99 on `/`, 64 connections",
            report.milliseconds(service.p99_us.median),
            report.milliseconds(go.p99_us.median),
            service.p99_us.to_go,
        ),
        (
            "memory after load (RSS)",
            report.megabytes(service.rss_bytes.median),
            report.megabytes(go.rss_bytes.median),
            service.rss_bytes.to_go,
        ),
        (
            "cold start, exec to first response",
            report.milliseconds(starts[SERVICE].median * 1e6),
            report.milliseconds(starts[YARDSTICK].median * 1e6),
            starts[SERVICE].to_go,
        ),
    )
    return markdown_table(
        ("", "devops-info-service", "Go original", "ratio"),
        [(what, mine, its, f"{ratio or 0:.2f}") for what, mine, its, ratio in rows],
    )


def readme(text: str) -> str:
    """Return the README *text* with the current five figures."""
    return _BLOCK.sub(lambda _: five() + "\n", text)


def results(bench: str) -> dict[str, Any]:
    """Return the results.json of *bench*."""
    found: dict[str, Any] = msgspec.json.decode((ROOT / f"bench/{bench}/results.json").read_bytes())
    return found


def main() -> int:
    """Write all three."""
    PAGE.write_text(page(), "utf-8")
    README.write_text(readme(README.read_text("utf-8")), "utf-8")
    python = environment(_PINS, WORKSHOP / "figures")
    run([python, _PLOT, ROOT / "bench/load/results.json", PICTURE])
    return 0


def _endurance() -> list[str]:
    found = results("endurance")
    return [
        f"`make endurance`: {_where(found)}.",
        gate.judge(_as(found["verdicts"], tuple[gate.Verdict, ...])),
        soak.headline(_as(found["soak"], soak.Soak)),
        idle.table(_as(found["idle"], tuple[idle.Crowd, ...])),
        slow.table(_as(found["slow"], tuple[slow.Attacked, ...])),
    ]


def _load() -> report.Result:
    return _as(results("load"), report.Result)


def _where(found: dict[str, Any]) -> str:
    return str(_as(found["machine"], Machine))


def _as(value: object, kind: type[_T]) -> _T:
    return msgspec.convert(value, kind)


if __name__ == "__main__":
    sys.exit(main())
