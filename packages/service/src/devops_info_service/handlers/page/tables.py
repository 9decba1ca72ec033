"""Rows of the report as tables: what they say is said in the report, here is only how."""

from collections.abc import Iterable

from devops_info_service.introspection.checks import Verdict
from devops_info_service.introspection.report.layout import Row, Section

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
            tag("td", tag("span", row.value, class_="value"), notes(row)),
        )
        for row in rows
    )
    return _table("facts", caption, "", body)


def checks(rows: Iterable[Row], caption: str, prefix: str) -> Markup:
    """Make a table of checks: verdict, id, meaning, evidence."""
    head = tag(
        "thead",
        tag("tr", tag("th", "Verdict", scope="col"), tag("th", "Check and evidence", scope="col")),
    )
    body = join(
        tag(
            "tr",
            tag("td", badge(row.verdict or "unknown")),
            tag(
                "td",
                tag("code", row.label, class_="id"),
                tag("p", row.value),
                notes(row),
            ),
            id=f"{prefix}-{row.label}",
        )
        for row in rows
    )
    return _table("checks", caption, head, body)


def notes(row: Row) -> Markup:
    """Say where it was seen, or why it is not known."""
    if not row.notes:
        return Markup()
    return tag("ul", *(tag("li", note) for note in row.notes), class_="seen")


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
        tag("tbody", body),
        class_=kind,
    )
