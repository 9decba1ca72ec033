"""Draw the picture of docs/figures.md: plot.py RESULTS PICTURE.

Runs in an environment of its own with matplotlib (requirements.txt) and imports nothing else.
"""

import json
import sys
from pathlib import Path

import matplotlib as mpl
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

COLORS = {"static": "#1a7f5a", "cpython": "#7cc4a6", "go": "#2f81c1"}
OTHERS = "#b4bcc6"


def main(results: Path, picture: Path) -> None:
    """Read the medians in *results*, write *picture*."""
    found = json.loads(results.read_text("utf-8"))
    under = {(one["work"], one["contender"]): one for one in found["summaries"]}
    starts = {one["contender"]: one["seconds"]["median"] * 1e3 for one in found["starts"]}
    names = list(found["titles"])

    def medians(work: str, quantity: str, divisor: float = 1) -> list[float]:
        return [under[work, name][quantity]["median"] / divisor for name in names]

    panels = (
        ("GET /, requests/s (more is better)", medians("root", "per_second"), "{:,.0f}"),
        ("GET /health, requests/s (more is better)", medians("health", "per_second"), "{:,.0f}"),
        ("GET /, 99th percentile (less is better)", medians("root", "p99_us", 1e3), "{:.2f} ms"),
        ("GET /, CPU per request (less is better)", medians("root", "cpu_us"), "{:.0f} µs"),
        ("memory after load (less is better)", medians("root", "rss_bytes", 1e6), "{:.1f} MB"),
        ("cold start (less is better)", [starts[name] for name in names], "{:.1f} ms"),
    )
    mpl.rcParams.update(
        {
            "svg.hashsalt": "load",
            "svg.fonttype": "none",
            "font.size": 9,
            "font.family": "sans-serif",
        }
    )
    figure = Figure(figsize=(9.2, 6.4), layout="constrained", facecolor="white")
    for axes, (title, values, form) in zip(figure.subplots(3, 2).flat, panels, strict=True):
        bars = axes.barh(
            [found["titles"][name] for name in names],
            values,
            color=[COLORS.get(name, OTHERS) for name in names],
        )
        axes.bar_label(bars, [form.format(value) for value in values], padding=3)
        axes.set_title(title, loc="left", fontsize=9, fontweight="bold")
        axes.set_xlim(right=max(values) * 1.25)
        axes.invert_yaxis()
        axes.xaxis.set_visible(False)
        axes.spines[:].set_visible(False)
        axes.tick_params(length=0)
    figure.supxlabel(
        f"Medians of {found['rounds']} interleaved rounds of {found['seconds']} s, one core of "
        f"{found['machine']['processor']}, 64 connections, {found['machine']['date'][:10]}",
        fontsize=8,
    )
    FigureCanvasSVG(figure).print_svg(picture, metadata={"Date": None})


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
