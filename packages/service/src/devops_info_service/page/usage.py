"""The first section of the page: limits, and how much of them is used."""

from typing import TYPE_CHECKING, Final

from devops_info_service.catalog.formatting import NO_LIMIT, size
from devops_info_service.catalog.limits import hidden_limits
from devops_info_service.catalog.usage import Utilization
from devops_info_service.facts.linux.resources import Resources
from devops_info_service.report.sections import section
from devops_info_service.snapshot import PlatformSnapshot

from .figures import Figure, figures
from .markup import Markup, join, tag
from .tables import collapsible, facts

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from devops_info_service.facts.linux.limit_watch import Change, Value

_MIN_PEAK: Final = 2
"""Percent from which the mark of the peak is clear of the bar's round end."""
_OUTSIDE: Final = -9.0
"""Percent at which the mark is outside of the picture."""


def usage_section(
    snapshot: PlatformSnapshot, cpus_in_use: float | None = None, history: "Sequence[Change]" = ()
) -> Markup:
    """Return the tiles, and the table with the sources of their figures."""
    resources = snapshot.resources
    hidden = join(
        [
            tag("p", f"{note.text[:1].upper()}{note.text[1:]}.", class_="remark")
            for row in hidden_limits(resources)
            for note in row.notes
        ]
    )
    sources = section(snapshot, "granted")
    return tag(
        "section",
        tag(
            "div",
            tag("h2", "Granted and used", id="usage-title"),
            tag(
                "p",
                tag("span", "As the page was loaded", id="status", role="status"),
                tag("button", "Pause", id="pause", type="button", hidden=True),
                class_="live",
            ),
            class_="bar",
        ),
        usage_tiles(resources, cpus_in_use, history),
        hidden,
        collapsible("Sources of these figures", facts(sources.rows, sources.title)),
        id="usage",
        aria_labelledby="usage-title",
    )


def usage_tiles(
    resources: Resources, cpus_in_use: float | None = None, history: "Sequence[Change]" = ()
) -> Markup:
    """Return what changes all the time: one tile a resource, and the last changes of limits."""
    tiles = map(_tile, figures(resources, cpus_in_use))
    return tag("div", *tiles, _changes(history), class_="tiles")


def _changes(history: "Sequence[Change]") -> Markup:
    """Return a list, the newest first; empty without a change."""
    items = [
        tag("li", f"{name} {_limit(each.from_, name)} to {_limit(each.to, name)} at {each.time}")
        for each in reversed(history)
        for name in (each.limit.replace(".", " "),)
    ]
    return tag("ol", *items, class_="remark", id="changes") if items else Markup()


def _limit(value: "Value", name: str) -> str:
    """Return *value* with its unit: bytes of memory, or a plain number."""
    if value is None:
        return NO_LIMIT
    return size(value) if name.startswith("memory") and isinstance(value, int) else f"{value}"


def _tile(figure: Figure) -> Markup:
    return tag(
        "article",
        tag("h3", figure.name, id=f"{figure.key}-title"),
        tag(
            "p",
            tag("span", figure.granted, class_="limit"),
            tag("span", figure.remark, class_="remark"),
        ),
        _meter(figure),
        tag("p", figure.used, class_="used"),
        tag(
            "dl",
            join(
                [
                    tag("div", tag("dt", detail.label), tag("dd", *_clauses(detail.value)))
                    for detail in figure.details
                ]
            ),
        ),
        class_="tile",
        aria_labelledby=f"{figure.key}-title",
    )


def _clauses(text: str) -> "Iterator[str]":
    """Yield the clauses of *text*: none breaks while it fits, so a unit stays at its number."""
    *clauses, last = text.split(", ")
    for clause in clauses:
        yield tag("span", f"{clause},")
        yield " "
    yield tag("span", last)


def _meter(figure: Figure) -> Markup:
    utilization = figure.utilization or Utilization(0, None, "ok")
    peak = utilization.peak
    mark = _OUTSIDE if peak is None or peak < _MIN_PEAK else peak
    # Attributes, not styles: the page's policy allows no style beside the one it names.
    bar = tag(
        "svg",
        tag("rect", class_="fill", width=f"{utilization.used:.1f}%", height="100%"),
        tag("rect", class_="peak", x=f"{mark:.1f}%", width="2", height="100%"),
        aria_hidden="true",
    )
    return tag(
        "div",
        bar,
        class_="meter",
        role="meter",
        aria_label=f"{figure.name} in use",
        aria_valuemin="0",
        aria_valuemax="100",
        aria_valuenow=str(int(utilization.used)),
        aria_valuetext=figure.used,
        data_severity=utilization.severity,
        hidden=figure.utilization is None,
    )
