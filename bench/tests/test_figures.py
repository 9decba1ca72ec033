"""docs/figures.md and the README show what the benches measured."""

from bench.figures import figures


def test_page_is_what_make_figures_writes() -> None:
    """Neither the page nor the README's table is edited by hand."""
    assert figures.PAGE.read_text("utf-8") == figures.page()
    text = figures.README.read_text("utf-8")
    assert figures.five() in text
    assert figures.readme(text) == text


def test_picture_is_of_these_results() -> None:
    """Its caption has the date of the measurement on the page."""
    date = figures.results("load")["machine"]["date"][:10]
    assert date in figures.PICTURE.read_text("utf-8")
