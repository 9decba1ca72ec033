"""Claims of the documents, and the test markers that name them: each in both."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
FOLDERS = ("packages/service/tests", "packages/onebin/tests", "bench/tests", "tests")


def documented() -> Iterator[str]:
    """Return the claims in hardening.md's list, and the bold openings of SECURITY.md's promises."""
    hardening = (ROOT / "docs/explanation/hardening.md").read_text("utf-8")
    section = hardening.partition("\n## Claims\n")[2].partition("\n## ")[0]
    yield from re.findall(r"(?m)^- (.+)$", section)
    promises = (ROOT / "SECURITY.md").read_text("utf-8").partition("\n## Not promised")[0]
    for claim in re.findall(r"(?m)^- \*\*(.+?)\.\*\*", promises):
        yield claim[0].lower() + claim[1:]


def marked() -> Iterator[str]:
    """Return the arguments of ``pytest.mark.claim``, read without importing a test module."""
    for folder in FOLDERS:
        for path in (ROOT / folder).rglob("test_*.py"):
            for node in ast.walk(ast.parse(path.read_bytes())):
                match node:
                    case ast.Call(func=ast.Attribute(attr="claim"), args=texts):
                        yield from map(ast.literal_eval, texts)
                    case _:
                        pass


def test_each_claim_has_a_test_and_each_marker_a_claim() -> None:
    """The documents promise what tests check, and nothing else."""
    claims = list(documented())

    assert len(claims) == len(set(claims)) > 60
    assert sorted(claims) == sorted(set(marked()))
