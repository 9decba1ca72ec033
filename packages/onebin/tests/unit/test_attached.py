"""A bill of materials at an image: attached, found again, and without effect on the image."""

import json
from pathlib import Path

import msgspec
import pytest

from onebin import bills
from onebin.errors import ImageError
from onebin.image import spec
from onebin.image.attachment import EMPTY, attach
from onebin.image.bill import Bill
from onebin.image.bill_formats import FORMATS
from onebin.image.image import Image
from onebin.inspection import inspect
from onebin.inspection.attached import attached
from onebin.materials import KeptBill
from onebin.model import Binary

from .fakes import context
from .images import write_archive, write_layout

TYPE = FORMATS["spdx"].media_type
DATA = b'{"spdxVersion": "SPDX-2.3"}'


@pytest.fixture
def with_bill(image: Image) -> Image:
    return msgspec.structs.replace(image, attached=(attach(DATA, TYPE, image.descriptor),))


def test_a_layout_lists_it_after_the_image(with_bill: Image, image: Image, tmp_path: Path) -> None:
    """As a referrer by OCI 1.1: its subject is the image, whose digest stays."""
    write_layout(with_bill, tmp_path / "out")

    index = json.loads((tmp_path / "out/index.json").read_text())
    first, second = index["manifests"]
    assert (image.digest, TYPE) == (first["digest"], second["artifactType"])
    assert "annotations" not in second
    manifest = json.loads((tmp_path / "out" / spec.blob_path(second["digest"])).read_bytes())
    assert (TYPE, image.digest) == (manifest["artifactType"], manifest["subject"]["digest"])
    assert image.descriptor.size == manifest["subject"]["size"]
    for blob, data in ((manifest["config"], EMPTY), (manifest["layers"][0], DATA)):
        assert data == (tmp_path / "out" / spec.blob_path(blob["digest"])).read_bytes()
        assert (spec.sha256(data), len(data)) == (blob["digest"], blob["size"])


def test_it_is_found_again_and_changes_nothing_else(
    with_bill: Image, image: Image, tmp_path: Path
) -> None:
    """The report is the same; an archive, which docker load reads, has none."""
    write_layout(image, tmp_path / "plain")
    write_layout(with_bill, tmp_path / "out")
    write_archive(with_bill, tmp_path / "out.tar")

    assert DATA == attached(tmp_path / "out", TYPE)
    assert None is attached(tmp_path / "out", "application/other")
    assert None is attached(tmp_path / "plain", TYPE)
    assert None is attached(tmp_path / "out.tar", TYPE)
    reports = [msgspec.structs.replace(inspect(tmp_path / n), path="") for n in ("plain", "out")]
    images = [report.image and report.image.digest for report in reports]
    assert images[0] == images[1] == image.digest
    assert reports[0].findings == reports[1].findings


def test_a_changed_document_is_refused(with_bill: Image, tmp_path: Path) -> None:
    write_layout(with_bill, tmp_path / "out")
    (tmp_path / "out" / spec.blob_path(spec.sha256(DATA))).write_bytes(b"{}")

    with pytest.raises(ImageError, match="has another digest"):
        attached(tmp_path / "out", TYPE)


def test_a_bill_of_what_is_built(binary: Binary, image: Image, tmp_path: Path) -> None:
    """Of an executable and of its image, by the executable's hash; else the message has it."""
    ctx, form = context(tmp_path / "cache"), FORMATS["spdx"]
    write_archive(image, tmp_path / "out.tar")
    with pytest.raises(ImageError, match=f"none of its executable .sha256 {binary.sha256}"):
        bills.of_built(binary.path, form, 0, ctx)
    bill = Bill(
        name="app", version="1", sha256=binary.sha256, size=binary.size, machine="x86_64",
        made_by="onebin 0", materials=(),
    )  # fmt: skip
    ctx.build(KeptBill(binary.sha256, bill))

    for path in (binary.path, tmp_path / "out.tar"):
        assert bills.is_built(path)
        assert form.document(bill, 0) == bills.of_built(path, form, 0, ctx)


@pytest.mark.parametrize("name", ["app.py", "app.whl", "project", "notes.txt", "missing"])
def test_a_project_is_not_taken_for_something_built(tmp_path: Path, name: str) -> None:
    (tmp_path / "project").mkdir()
    for file in ("app.py", "app.whl", "notes.txt", "project/app.py"):
        (tmp_path / file).write_text("\x7fELF" if file.endswith((".py", ".whl")) else "text")

    assert not bills.is_built(tmp_path / name)
