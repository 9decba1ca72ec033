"""Bills of materials: two formats of the same facts, valid by their own schemas."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from packageurl import PackageURL

from onebin.image.bill import Bill, Material
from onebin.image.bill_formats import FORMATS

SHA = "0f" * 32
TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=12)
NAME = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,8}[a-z0-9])?", fullmatch=True)
LICENSE = st.sampled_from(["", "MIT", "Apache-2.0 WITH LLVM-exception OR MIT", "LicenseRef-Own"])
URL = st.sampled_from(["", "https://example.org/a-1.tar.gz", "https://example.org/a?b=c&d=%20"])
MATERIAL = st.builds(
    Material,
    name=NAME | st.sampled_from(["XZ Utils", "HACL*", "libc++", "OpenSSL"]),
    version=st.just("") | st.from_regex(r"[0-9]\.[0-9](rc1|\+local|!1)?", fullmatch=True),
    kind=st.sampled_from(["interpreter", "library"]),
    license=LICENSE, license_text=TEXT, file=TEXT, url=URL, sha256=st.sampled_from(["", SHA]),
    note=TEXT, changed_files=st.lists(TEXT, max_size=2).map(tuple),
) | st.builds(
    Material, name=NAME, version=st.just("1.0"), kind=st.just("distribution"), license=LICENSE,
    license_text=TEXT, file=TEXT, sha256=st.sampled_from(["", SHA]), note=TEXT,
)  # fmt: skip
BILL = st.builds(
    Bill, name=NAME, version=TEXT, description=TEXT, license=LICENSE, license_text=TEXT,
    sha256=st.just(SHA), size=st.integers(1, 1 << 40),
    machine=st.sampled_from(["x86_64", "aarch64"]),
    made_by=st.just("onebin 0.1.0"), materials=st.lists(MATERIAL, max_size=5).map(tuple),
)  # fmt: skip


# Each of these imports takes as long as a hundred tests: only a process that judges bills has them.
def spdx_faults(data: bytes) -> list[str]:
    from spdx_tools.spdx.parser.jsonlikedict import json_like_dict_parser  # noqa: PLC0415
    from spdx_tools.spdx.validation.document_validator import (  # noqa: PLC0415
        validate_full_spdx_document,
    )

    parser: Any = json_like_dict_parser.JsonLikeDictParser
    document = parser().parse(json.loads(data))
    return [message.validation_message for message in validate_full_spdx_document(document)]


def cyclonedx_faults(data: bytes) -> list[str]:
    from cyclonedx.schema import SchemaVersion  # noqa: PLC0415
    from cyclonedx.validation.json import JsonStrictValidator  # noqa: PLC0415

    found = JsonStrictValidator(SchemaVersion.V1_6).validate_str(data.decode())
    return [] if found is None else [str(found)]


JUDGES: dict[str, Callable[[bytes], list[str]]] = {
    "spdx": spdx_faults, "cyclonedx": cyclonedx_faults,
}  # fmt: skip


@pytest.mark.sample(every=2)  # CycloneDX's validator takes three seconds to import
@pytest.mark.parametrize("form", FORMATS)
@settings(max_examples=settings().max_examples // 6)  # the schemas of both are large
@given(bill=BILL, epoch=st.integers(0, 253402300799))
def test_any_bill_is_valid_and_the_same_again(form: str, bill: Bill, epoch: int) -> None:
    """By the format's own validator, whatever the names and texts; and without any chance."""
    data = FORMATS[form].document(bill, epoch)

    assert [] == JUDGES[form](data)
    assert data == FORMATS[form].document(bill, epoch)


@pytest.mark.sample(every=2)
@pytest.mark.parametrize("form", FORMATS)
def test_the_validators_find_faults(form: str) -> None:
    bill = Bill(
        name="app", version="1", sha256=SHA, size=1, machine="x86_64", made_by="onebin 0.1.0",
        materials=(Material(name="a", kind="library", sha256="no hash"),),
    )  # fmt: skip

    assert JUDGES[form](FORMATS[form].document(bill, 0))


@given(MATERIAL)
def test_a_package_url_means_what_was_given(material: Material) -> None:
    """The reference implementation of package URLs reads the same name, version and file."""
    found = PackageURL.from_string(material.purl)

    assert found.version == (material.version or None)
    values: Any = found.qualifiers
    if material.kind == "distribution":
        assert ("pypi", material.name) == (found.type, found.name)
        assert values.get("file_name", "") == material.file
    else:
        assert ("generic", material.name.lower().replace(" ", "-")) == (found.type, found.name)
        assert values.get("download_url", "") == material.url
        assert values.get("checksum", "") == (material.sha256 and f"sha256:{SHA}")


def test_facts_are_in_both_formats() -> None:
    openssl = Material(
        name="OpenSSL", version="3.5.7", kind="library", license="Apache-2.0",
        file="openssl-3.5.7.tar.gz", url="https://example.org/openssl-3.5.7.tar.gz", sha256=SHA,
        changed_files=("crypto/rand.c",),
    )  # fmt: skip
    bill = Bill(
        name="app", version="1.2", sha256="ab" * 32, size=5, machine="x86_64",
        made_by="onebin 0.1.0", materials=(openssl,),
    )  # fmt: skip

    for form, date in (("spdx", '"2001-09-09T01:46:40Z"'), ("cyclonedx", "2001-09-09T01:46:40Z")):
        text = FORMATS[form].document(bill, 10**9).decode()
        wanted = ("app", "1.2", "ab" * 32, "OpenSSL", "3.5.7", SHA, openssl.url, "Apache-2.0",
                  "cpe:2.3:a:openssl:openssl:3.5.7:*", openssl.purl, "onebin", date,
                  "changed here: crypto/rand.c")  # fmt: skip
        assert [] == [fact for fact in wanted if fact not in text], form
        assert not re.search(r"urn:uuid", text)
