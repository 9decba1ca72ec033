"""Rows of the report as tables, verdicts as badges."""

from collections.abc import Iterable

from devops_info_service.catalog.row import Row
from devops_info_service.report.layout import Section
from devops_info_service.standards.checks import Verdict

from .markup import Markup, join, tag


def icon(name: str) -> Markup:
    """Return one of the page's signs; its meaning is beside it as text."""
    return tag("svg", tag("use", href=f"#i-{name}"), class_="icon", aria_hidden="true")


def badge(verdict: Verdict) -> Markup:
    """Return a verdict as text, shape and color."""
    return tag("span", icon(verdict), verdict, class_=f"badge {verdict}")


def verdict_links(title: str, found: Iterable[tuple[str, str, Verdict]]) -> Markup:
    """Return links to sections: the id of each, its text and its verdict."""
    links = (
        tag("li", tag("a", tag("span", text), badge(verdict), href=f"#{key}"))
        for key, text, verdict in found
    )
    return tag("div", tag("p", title), tag("ul", *links, class_="verdicts", aria_label=title))


def facts(rows: Iterable[Row], caption: str) -> Markup:
    """Return a table of names and values, each with its notes."""
    body = join(
        [
            tag(
                "tr",
                tag("th", row.label, scope="row"),
                tag("td", tag("div", tag("span", row.value), notes(row), class_="fact")),
            )
            for row in rows
        ]
    )
    return _table("facts", caption, "", body)


def checks(rows: Iterable[Row], caption: str, prefix: str) -> Markup:
    """Return a table of checks: verdict, id, message, evidence."""
    titles = ("Verdict", "Check and evidence")
    # Roles: the phone's layout is no longer a table's, and browsers then drop its semantics.
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
        [
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
        ]
    )
    return _table("checks", caption, head, body)


def notes(row: Row) -> Markup:
    """Return the evidence of a value, or why it is unknown."""
    if not row.notes:
        return Markup()
    items = (tag("code", note.text) if note.is_path else note.text for note in row.notes)
    return tag("ul", *(tag("li", item) for item in items), class_="notes")


def collapsible(title: str, *content: str, heading: str = "h3") -> Markup:
    """Return *content* that opens below its title."""
    return tag("details", tag("summary", tag(heading, title)), *content)


def collapsible_section(section: Section) -> Markup:
    """Return a section of the report that opens below its title."""
    return collapsible(section.title, facts(section.rows, section.title))


def _table(kind: str, caption: str, head: str, body: str) -> Markup:
    # The heading above shows the same text.
    return tag(
        "table",
        tag("caption", caption, class_="unseen"),
        head,
        tag("tbody", body, role="rowgroup"),
        class_=kind,
        role="table",
    )
