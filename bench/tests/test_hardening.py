"""The variants of the executable: the lines that they replace are in onebin."""

import shutil
from pathlib import Path

import pytest

from bench.hardening.hardening import ONEBIN, VARIANTS, Change, Variant, apply
from bench.lib.harness import MeasureError


@pytest.mark.parametrize("variant", VARIANTS, ids=lambda variant: variant.title)
def test_every_replaced_line_is_in_onebin(variant: Variant, tmp_path: Path) -> None:
    """Or the measurement ends after the minutes of a build, and nobody sees it before."""
    copy = tmp_path / "onebin"
    shutil.copytree(ONEBIN, copy)

    apply(variant, copy)

    for change in variant.changes:
        assert change.old not in (copy / change.file).read_text("utf-8")


def test_missing_line_is_reported(tmp_path: Path) -> None:
    """A variant that changes nothing would be measured as costing nothing."""
    (tmp_path / "link.py").write_text('"-z", "now",\n', "utf-8")

    with pytest.raises(MeasureError, match=r"link\.py has no line .*relro"):
        apply(Variant("without RELRO", (Change("link.py", '"relro",', '"norelro",'),)), tmp_path)
