"""Licenses of distributions, as their metadata states them."""

from pathlib import Path

import pytest

from onebin import materials
from onebin.model import Distribution, Pin

CLASSIFIER = "Classifier: License :: OSI Approved"


@pytest.mark.parametrize(
    ("fields", "expression", "text"),
    [
        ("License-Expression: mit or apache-2.0", "MIT OR Apache-2.0", ""),
        ("License-Expression: LicenseRef-Own", "LicenseRef-Own", ""),
        ("License: BSD-3-Clause", "BSD-3-Clause", ""),
        ("License: MIT License\nClassifier: License :: OSI Approved :: MIT License", "MIT",
         "MIT License"),
        ("Classifier: License :: OSI Approved :: Mozilla Public License 2.0 (MPL 2.0)", "MPL-2.0",
         ""),
        ("Classifier: License :: OSI Approved :: BSD License", "", "BSD License"),
        ("License: UNKNOWN", "", ""),
        ("License: See the file\n  COPYING", "", "See the file COPYING"),
        (f"License: {'x ' * 500}", "", f"{('x ' * 500)[:200]}…"),
        ("License: GPL-2.0-only WITH nothing-of-that-name", "",
         "GPL-2.0-only WITH nothing-of-that-name"),
        (f"{CLASSIFIER} :: MIT License\n{CLASSIFIER} :: Apache Software License", "",
         "MIT License; Apache Software License"),
        ("", "", ""),
    ],
)  # fmt: skip
def test_license(tmp_path: Path, fields: str, expression: str, text: str) -> None:
    """An SPDX expression that one field has or implies, else the words."""
    info = tmp_path / "thing-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.4\nName: thing\nVersion: 1\n{fields}\n\n")

    found = materials.license_of(Distribution(Pin("thing", "1", ()), tmp_path, "key"))

    assert (expression, text) == found
