"""A run in, one SVG out: bars a README can show, legible on light and on dark.

Written by hand: two columns of panels, in each a bar for each contender and its value beside it.
Colours follow ``prefers-color-scheme``, which GitHub honours inside an image.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

from .medians import MEMORY_AFTER, OURS
from .report import Result, megabytes, milliseconds

_WIDTH: Final = 880
"""Of the whole; a README's column on GitHub."""
_COLUMNS: Final = 2
_MARGIN: Final = 24
_PANEL_WIDTH: Final = (_WIDTH - 3 * _MARGIN) // _COLUMNS
_LABEL_WIDTH: Final = 138
_VALUE_WIDTH: Final = 74
"""Room for a value right of the longest bar."""
_ROW: Final = 24
_BAR: Final = 14
_HEAD: Final = 54
"""Above the panels: what this is."""
_PANEL_HEAD: Final = 44

_STYLE: Final = """
  text { font: 12px system-ui, "Segoe UI", Helvetica, Arial, sans-serif; fill: #1f2328 }
  .title { font-size: 17px; font-weight: 600 }
  .panel { font-size: 13px; font-weight: 600 }
  .soft { fill: #59636e }
  .value { font-variant-numeric: tabular-nums }
  .mine { font-weight: 600 }
  .bar { fill: #b4bcc6 }
  .bar.ours { fill: #1a7f5a }
  .bar.cpython { fill: #7cc4a6 }
  .bar.go { fill: #2f81c1 }
  @media (prefers-color-scheme: dark) {
    text { fill: #f0f6fc }
    .soft { fill: #9198a1 }
    .bar { fill: #59636e }
    .bar.ours { fill: #3fbf8b }
    .bar.cpython { fill: #226b4e }
    .bar.go { fill: #4a9fe0 }
  }
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One contender in one panel."""

    contender: str
    title: str
    value: float
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One quantity."""

    title: str
    better: str
    bars: Sequence[Bar]


def panels(result: Result) -> list[Panel]:
    """Choose what is shown; a quantity nobody was measured for is left out."""
    by_work = {(one.work, one.contender): one for one in result.summaries}
    started = {one.contender: one.seconds.median for one in result.starts}

    def panel(title: str, better: str, values: dict[str, tuple[float, str]]) -> Panel:
        bars = [
            Bar(
                contender=name,
                title=result.titles[name],
                value=values[name][0],
                text=values[name][1],
            )
            for name in result.titles
            if name in values
        ]
        return Panel(title=title, better=better, bars=bars)

    def rate(work: str) -> dict[str, tuple[float, str]]:
        return {
            name: (one.per_second.median, f"{one.per_second.median:,.0f}")
            for (of, name), one in by_work.items()
            if of == work
        }

    tail = {
        name: (one.p99_us.median, milliseconds(one.p99_us.median))
        for (of, name), one in by_work.items()
        if of == "root"
    }
    cpu = {
        name: (one.cpu_us.median, f"{one.cpu_us.median:.0f} \N{MICRO SIGN}s")
        for (of, name), one in by_work.items()
        if of == "root"
    }
    memory = {
        name: (one.rss_bytes.median, megabytes(one.rss_bytes.median))
        for (of, name), one in by_work.items()
        if of == MEMORY_AFTER
    }
    start = {name: (seconds, milliseconds(seconds * 1e6)) for name, seconds in started.items()}
    found = [
        panel("GET /, requests a second", "more is better", rate("root")),
        panel("GET /health, requests a second", "more is better", rate("health")),
        panel("GET /, 99th percentile", "less is better", tail),
        panel("GET /, CPU time a request", "less is better", cpu),
        panel("Memory after load (RSS)", "less is better", memory),
        panel("Cold start: exec to first answer", "less is better", start),
    ]
    return [one for one in found if one.bars]


def svg(result: Result) -> str:
    """Draw *result*."""
    shown = panels(result)
    height = _PANEL_HEAD + _ROW * max((len(one.bars) for one in shown), default=0) + _MARGIN
    rows = -(-len(shown) // _COLUMNS)
    total = _HEAD + rows * height + _MARGIN
    title = "The same service, the same JSON: one core, 64 keep-alive connections"
    drawn = [
        line
        for number, one in enumerate(shown)
        for line in _panel(
            one,
            x=_MARGIN + number % _COLUMNS * (_PANEL_WIDTH + _MARGIN),
            y=_HEAD + number // _COLUMNS * height,
        )
    ]
    size = f'viewBox="0 0 {_WIDTH} {total}" width="{_WIDTH}" height="{total}"'
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-labelledby="t d">',
            f'<title id="t">{escape(title)}</title>',
            f'<desc id="d">{escape(_in_words(shown))}</desc>',
            f"<style>{_STYLE}</style>",
            _text(_MARGIN, 32, title, "title"),
            *drawn,
            _text(_MARGIN, total - 16, _caption(result), "soft"),
            "</svg>",
            "",
        ]
    )


def _panel(panel: Panel, *, x: int, y: int) -> list[str]:
    longest = max(bar.value for bar in panel.bars) or 1
    room = _PANEL_WIDTH - _LABEL_WIDTH - _VALUE_WIDTH
    lines = [
        _text(x, y + 24, panel.title, "panel"),
        _text(x + _PANEL_WIDTH, y + 24, panel.better, "soft", end=True),
    ]
    for number, bar in enumerate(panel.bars):
        top = y + _PANEL_HEAD + number * _ROW - _BAR // 2
        width = max(1.5, bar.value / longest * room)
        mine = " mine" if bar.contender == OURS else ""
        left = x + _LABEL_WIDTH
        place = f'x="{left}" y="{top}" width="{width:.1f}" height="{_BAR}"'
        lines += [
            _text(x, top + 11, bar.title, f"label{mine}"),
            f'<rect class="bar {bar.contender}" {place} rx="2"/>',
            _text(left + width + 6, top + 11, bar.text, f"value{mine}"),
        ]
    return lines


def _text(x: float, y: float, words: str, kind: str, *, end: bool = False) -> str:
    anchor = ' text-anchor="end"' if end else ""
    return f'<text x="{x:g}" y="{y:g}" class="{kind}"{anchor}>{escape(words)}</text>'


def _caption(result: Result) -> str:
    return (
        f"Medians of {result.rounds} interleaved rounds of {result.seconds} s; server on one core"
        f" of {result.machine.processor}, wrk on another; {result.machine.date[:10]}."
    )


def _in_words(shown: Sequence[Panel]) -> str:
    return " ".join(
        f"{one.title}: " + ", ".join(f"{bar.title} {bar.text}" for bar in one.bars) + "."
        for one in shown
    )
