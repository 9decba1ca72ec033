"""The section on expectations. Imported with the first page, if there are any."""

from devops_info_service.expectations.conformance import Conformance
from devops_info_service.report.expected import expected

from .markup import Markup, tag
from .tables import checks, verdict_links


def expectations_verdict(conformance: Conformance) -> Markup:
    """Return how many expectations are met, for the head of the page."""
    met = sum([result.state == "met" for result in conformance.expectations])
    return verdict_links(
        "Expectations",
        [
            (
                "expectations",
                f"{met} of {len(conformance.expectations)} met",
                "pass" if conformance.conforms else "fail",
            )
        ],
    )


def expectations_section(conformance: Conformance) -> Markup:
    """Return each expectation, in the order of its definition."""
    section = expected(conformance)
    return tag(
        "section",
        tag("h2", section.title, id="expectations-title"),
        tag("div", checks(section.rows, section.title, "expected"), class_="card"),
        id="expectations",
        aria_labelledby="expectations-title",
    )
