"""Hostile documents of archives: each ends in a report or in one clear error."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from .hostile import (
    config,
    descriptor,
    docker,
    oci,
    write,
)
from .small_process import Files, holds

pytestmark = pytest.mark.claim("archives stay inside")

INDEX = "application/vnd.oci.image.index.v1+json"
SAMPLE = {
    "a document of 5 MB",
    "deep JSON",
    "layers, 600 of one",
    "a size that is none",
}
"""Cases of about a second; others take up to half a minute."""


def nested(depth: int) -> bytes:
    return b'{"x":' + b"[" * depth + b"]" * depth + b"}"


def indexes(count: int) -> Files:
    """Nested indexes, each with fifty entries for the next inner index."""
    data, more = b"{}", []
    for _ in range(count):
        data = json.dumps({"manifests": [descriptor(data, INDEX)] * 50}).encode()
        more.append(data)
    return oci(config(0), index={"manifests": [descriptor(data, INDEX)]}, more=tuple(more))


WIDE = "\U0001f600" * 1_000_000

DOCUMENTS: dict[str, tuple[Callable[[], Files], str]] = {
    "a history of a million": (
        lambda: docker(json.dumps(config(0, history=[{}] * 1_000_000)).encode()),
        "too many values in 'c.json'; expected at most 100000",
    ),
    "a history of 45,000": (lambda: docker(config(0, history=[{}] * 45_000)), ""),
    "a document of 5 MB": (
        lambda: docker(config(0, author="x" * 5_000_000)),
        "too many bytes in 'c.json'; expected at most 4194304",
    ),
    "words of four megabytes": (
        lambda: docker(
            json.dumps(
                config(0, config={"User": WIDE, "Entrypoint": [], "Labels": {}}), ensure_ascii=False
            ).encode()
        ),
        "",
    ),
    "a signal of four megabytes": (
        lambda: docker(config(0, config={"StopSignal": "\u202e" * 600_000})),
        "",
    ),
    "variables, 90,000": (
        lambda: docker(config(0, config={"Env": [f"TOKEN_{n}=x" for n in range(90_000)]})),
        "",
    ),
    "deep JSON": (lambda: docker(nested(40_000)), "c"),
    "layers, 600 of one": (
        lambda: docker(config(1), b"", Layers=["0/layer.tar"] * 600),
        "too many layers; expected at most 512",
    ),
    "names, 45,000": (lambda: docker(config(0), RepoTags=["a:\x1b[2J\u202e"] * 45_000), ""),
    "long names of files of the archive": (
        lambda: docker(config(0)) | {f"{n:04}" + "x" * 4000: b"" for n in range(9_000)},
        "",
    ),
    "many files of the archive": (
        lambda: docker(config(0)) | {f"{n}": b"" for n in range(10_001)},
        "too many files for an image archive; expected at most 10000",
    ),
    "a name that is missing, of a megabyte": (
        lambda: docker(config(0), Config="\x1b2J" * 300_000),
        "has no file",
    ),
    "an index of thousands": (
        lambda: oci(config(0), index={"manifests": [descriptor(b"%d" % n) for n in range(15_000)]}),
        "lists no image that is in it",
    ),
    "an index of indexes": (lambda: indexes(20), "lists no image that is in it"),
    "a size that is none": (
        lambda: oci(config(0), manifest={"layers": [descriptor(b"x") | {"size": 10**400}]}),
        "has no file",
    ),
    "another digest and size": (
        lambda: {
            name: gzip.compress(bytes(1024)) if data == b"layer" else data
            for name, data in oci(config(1), b"layer").items()
        },
        "",
    ),
}


LAYOUTS = ("an index", "a size that", "another digest")
"""Prefixes of the cases whose files are a layout, and so can be a folder."""


@pytest.mark.sample(every=3)
@pytest.mark.parametrize(
    ("name", "form"),
    [
        pytest.param(
            name, form, marks=[pytest.mark.exhaustive] * (form == "gz" or name not in SAMPLE)
        )
        for name in DOCUMENTS
        for form in ("tar", "gz", "folder")
        if form != "folder" or name.startswith(LAYOUTS)
    ],
)
def test_hostile_documents(name: str, form: str, tmp_path: Path) -> None:
    """For any documents in any form, a small process ends with a report or names the limit."""
    make, said = DOCUMENTS[name]

    holds(write(make(), tmp_path / "image.tar", form), said, (), ("--json",))
