"""The first part of the page: what was granted, and how much of it is used."""

from typing import Final

from devops_info_service.facts.linux.limits import HIDDEN
from devops_info_service.report.sections import section
from devops_info_service.snapshot import PlatformSnapshot

from .figures import Figure, Share, figures, level
from .markup import Markup, join, tag
from .tables import facts, more

_SEEN: Final = 2
"""Per cent from which the mark of the highest use stands clear of the bar's end."""


def granted_part(look: PlatformSnapshot) -> Markup:
    """Return the tiles, and the table with the sources."""
    resources = look.resources
    limits = (resources.cpu.limit, resources.memory.limit, resources.processes.limit)
    hidden = (
        Markup()
        if all(limit.complete for limit in limits)
        else tag(
            "p",
            f"{HIDDEN.reason[:1].upper()}{HIDDEN.reason[1:]}; a pod's may be lower.",
            class_="remark",
        )
    )
    sources = section(look, "granted")
    return tag(
        "section",
        tag(
            "div",
            tag("h2", "Granted and used", id="granted-title"),
            tag(
                "p",
                tag("span", "As the page was loaded", id="status", role="status"),
                tag("button", "Pause", id="pause", type="button", hidden=True),
                class_="live",
            ),
            class_="bar",
        ),
        tag("div", *map(_tile, figures(resources)), class_="tiles"),
        hidden,
        more("Where these figures are from", facts(sources.rows, sources.title)),
        id="granted",
        aria_labelledby="granted-title",
    )


def _tile(figure: Figure) -> Markup:
    key = figure.key
    return tag(
        "article",
        tag("h3", figure.name, id=f"{key}-title"),
        tag(
            "p",
            tag("span", figure.granted, class_="most", data_live=f"{key}.granted"),
            tag("span", figure.remark, class_="remark", data_live=f"{key}.remark"),
        ),
        _meter(figure),
        tag("p", figure.used, class_="used", data_live=f"{key}.used"),
        tag(
            "dl",
            join(
                tag("div", tag("dt", line.label), tag("dd", line.value, data_live=line.key))
                for line in figure.lines
            ),
        ),
        class_="tile",
        aria_labelledby=f"{key}-title",
    )


def _meter(figure: Figure) -> Markup:
    share = figure.share or Share(0, None, limited=True)
    # Attributes, not styles: the page's policy allows no style beside the one it names.
    bar = tag(
        "svg",
        tag("rect", class_="fill", width=f"{share.used:.1f}%", height="100%"),
        tag("rect", class_="peak", x=f"{_place(share):.1f}%", width="2", height="100%"),
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
        aria_valuenow=str(int(share.used)),
        aria_valuetext=figure.used,
        data_level=level(share),
        data_live=f"{figure.key}.meter",
        hidden=figure.share is None,
    )


def _place(share: Share) -> float:
    # Outside of the picture where it is not known, or would only blot the bar's round end.
    return -9.0 if share.peak is None or share.peak < _SEEN else share.peak
