"""Rows of the report as tables: what they say is said in the report, here is only how."""

from collections.abc import Iterable

from devops_info_service.catalog.row import Row
from devops_info_service.report.layout import Section
from devops_info_service.standards.checks import Verdict

from .markup import Markup, join, tag


def icon(name: str) -> Markup:
    """Draw one of the page's signs; beside it always stands its word."""
    return tag("svg", tag("use", href=f"#i-{name}"), class_="icon", aria_hidden="true")


def badge(verdict: Verdict) -> Markup:
    """Say a verdict in word, shape and colour."""
    return tag("span", icon(verdict), verdict, class_=f"badge {verdict}")


def facts(rows: Iterable[Row], caption: str) -> Markup:
    """Make a table of names and values, each with where it was seen."""
    body = join(
        tag(
            "tr",
            tag("th", row.label, scope="row"),
            tag("td", tag("div", tag("span", row.value), notes(row), class_="fact")),
        )
        for row in rows
    )
    return _table("facts", caption, "", body)


def checks(rows: Iterable[Row], caption: str, prefix: str) -> Markup:
    """Make a table of checks: verdict, id, meaning, evidence."""
    titles = ("Verdict", "Check and evidence")
    # Roles, as a phone lays rows out one below the other, and some forget what they are then.
    head = tag(
        "thead",
        tag(
            "tr",
            *(tag("th", title, scope="col", role="columnheader") for title in titles),
            role="row",
        ),
        role="rowgroup",
    )
    body = join(
        tag(
            "tr",
            tag("td", badge(row.verdict or "unknown"), role="cell"),
            tag(
                "td",
                tag("code", row.label, class_="id"),
                tag("p", row.value),
                notes(row),
                role="cell",
            ),
            id=f"{prefix}-{row.label}",
            role="row",
        )
        for row in rows
    )
    return _table("checks", caption, head, body)


def notes(row: Row) -> Markup:
    """Say where it was seen, or why it is not known."""
    if not row.notes:
        return Markup()
    # A path is something to copy, a reason something to read.
    said = (tag("code", note) if note.startswith("/") else note for note in row.notes)
    return tag("ul", *(tag("li", note) for note in said), class_="seen")


def more(title: str, *content: str, heading: str = "h3") -> Markup:
    """Fold *content* away below its title."""
    return tag("details", tag("summary", tag(heading, title)), *content)


def folded(section: Section) -> Markup:
    """Fold a section of the report away."""
    return more(section.title, facts(section.rows, section.title))


def _table(kind: str, caption: str, head: str, body: str) -> Markup:
    # The heading above says the same to whoever sees it.
    return tag(
        "table",
        tag("caption", caption, class_="unseen"),
        head,
        tag("tbody", body, role="rowgroup"),
        class_=kind,
        role="table",
    )
