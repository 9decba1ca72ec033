"""Inspecting: a good image passes every rule, and each fault fails its own."""

import gzip
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from onebin.errors import ImageError
from onebin.image import spec
from onebin.image.image import Image
from onebin.inspection import Report, inspect, listing
from onebin.inspection.budget import Limits
from onebin.inspection.report import Finding

from . import hostile
from .images import archive_bytes, blob_of, write_archive, write_layout

Files = dict[str, tuple[bytes, dict[str, Any]]]
Save = Callable[..., Path]

ELF = b"\x7fELF"


def failed(report: Report) -> set[str]:
    return {finding.id for finding in report.findings if finding.status == "fail"}


def finding(report: Report, identifier: str) -> Finding:
    [found] = [one for one in report.findings if one.id == identifier]
    return found


@pytest.mark.parametrize("kind", ["oci-layout", "oci-archive"])
def test_an_image_of_onebin_passes_every_rule(image: Image, tmp_path: Path, kind: str) -> None:
    """An image of onebin passes every rule, in either format."""
    write = write_layout if kind == "oci-layout" else write_archive
    write(image, tmp_path / "out", "app:1")

    report = inspect(tmp_path / "out")

    assert report.format == kind
    assert {one.status for one in report.findings} == {"pass"}
    assert report.executable is not None
    assert report.executable.path == "/app/app"
    assert report.executable.elf.static
    facts = report.image
    assert facts is not None
    assert facts.digest == image.digest
    assert facts.id == image.id
    assert facts.user == "65532:65532"
    assert facts.entrypoint == ("/app/app",)
    assert facts.ports == ("8080/tcp",)
    assert facts.healthcheck == ("CMD", "/app/app", "check")
    assert facts.env == ("MODE",)
    assert facts.file_count == 3
    assert [(file.path, file.mode) for file in facts.files] == [
        ("/app", "0755"),
        ("/app/app", "0755"),
        ("/etc", "0755"),
        ("/etc/group", "0644"),
        ("/etc/passwd", "0644"),
        ("/tmp", "1777"),
    ]
    assert facts.unpacked == sum(file.size for file in facts.files)
    assert facts.compressed == len(blob_of(image.layers[0]))
    assert facts.world_writable == ("/tmp",)


def test_an_executable(tmp_path: Path, make_elf: Any) -> None:
    """A bare executable is checked by the rules that need no image."""
    Path(tmp_path, "x").write_bytes(make_elf(relro=False))

    report = inspect(tmp_path / "x")

    assert (report.kind, report.format, report.image) == ("executable", "elf", None)
    assert [one.id for one in report.findings] == ["IMG-ELF-001", "IMG-ELF-002", "IMG-ELF-004"]
    assert failed(report) == {"IMG-ELF-002"}


def test_the_good_image_of_these_tests(save: Save) -> None:
    """The base image for the faults below is free of faults."""
    report = inspect(save())

    assert report.format == "docker-archive"
    assert not failed(report)


def test_undefined_facts_are_unknown(save: Save) -> None:
    """An undefined user name and a missing time are neither good nor bad."""
    report = inspect(save({"User": "app:staff"}, document={"created": None}))

    unknown = {one.id for one in report.findings if one.status == "unknown"}
    assert unknown == {"IMG-USER-001", "IMG-USER-003", "IMG-REPRO-001"}


def test_nothing_to_start(save: Save) -> None:
    """Without an executable its rules are unknown, and the rest is reported."""
    report = inspect(save({"Entrypoint": ["/gone"]}))

    assert report.executable is None
    assert finding(report, "IMG-ELF-001").status == "unknown"
    assert finding(report, "IMG-ELF-002").status == "unknown"


def test_names_are_looked_up_in_the_image(save: Save) -> None:
    """A user name is resolved by the image's /etc/passwd."""
    accounts = b"toor:x:0:0::/:/sbin/nologin\napp:x:1000:1000::/:/sbin/nologin\n"

    bad = inspect(save({"User": "toor"}, {"etc/passwd": (accounts, {})}))
    good = inspect(save({"User": "app"}, {"etc/passwd": (accounts, {})}))

    assert failed(bad) == {"IMG-USER-001", "IMG-USER-002", "IMG-USER-003"}
    assert failed(good) == {"IMG-USER-002"}


@pytest.mark.parametrize(
    ("mode", "owner", "fails"),
    [
        (0o755, 0, False),
        (0o700, 0, True),
        (0o100, 65532, False),
        (0o655, 65532, True),
        (0o644, 0, True),
    ],
)
def test_execute_permission(
    save: Save, make_elf: Any, mode: int, owner: int, *, fails: bool
) -> None:
    """The execute bit of the image's user counts."""
    files: Files = {"app": (make_elf(), {"mode": mode, "uid": owner})}

    assert ("IMG-ENTRY-001" in failed(inspect(save(files=files)))) is fails


def test_the_command_is_found_along_path(save: Save, make_elf: Any) -> None:
    """A command without a slash is found along the PATH of the container."""
    files: Files = {"opt/run": (make_elf(), {"mode": 0o755})}
    config = {"Entrypoint": ["run"], "Env": ["PATH=/bin:/opt"]}

    report = inspect(save(config, files))

    assert report.executable is not None
    assert report.executable.path == "/opt/run"


def test_upper_layers_count(save: Save) -> None:
    """A shell that a later layer removes is not in the image, but its bytes are."""
    big: Files = {"bin/sh": (ELF + bytes(100_000), {"mode": 0o755})}

    report = inspect(save(files=big, upper=({"bin/.wh.sh": (b"", {})},)))

    assert report.image is not None
    assert report.image.shells == ()
    assert report.image.wasted_bytes == 100_004
    assert failed(report) == {"IMG-LAYER-001"}


def test_too_many_layers(save: Save) -> None:
    """A layer for each file is too many."""
    upper: tuple[Files, ...] = tuple({f"f{n}": (b"x", {})} for n in range(25))

    assert failed(inspect(save(upper=upper))) == {"IMG-LAYER-001"}


def test_evidence_is_short(save: Save) -> None:
    """A hundred faults of one kind become ten lines and a count."""
    files: Files = {f"f{n:03}": (b"", {"mode": 0o666}) for n in range(100)}

    found = finding(inspect(save(files=files)), "IMG-FS-003")

    assert len(found.evidence) == listing.MAX_EVIDENCE + 1
    assert found.evidence[-1] == "and 90 more"


def test_secrets_are_not_shown(save: Save) -> None:
    """The report of a secret does not contain it."""
    history = {"history": [{"created_by": "RUN API_KEY=hunter2 make"}]}
    report = inspect(save({"Env": ["API_TOKEN=hunter2"]}, document=history))

    assert "IMG-ENV-001" in failed(report)
    assert "hunter2" not in repr(report)


def test_a_changed_blob_is_found(image: Image, tmp_path: Path) -> None:
    """A repacked layer is another blob, although its files are the same."""
    write_layout(image, tmp_path / "out", "app:1")
    [layer] = image.layers
    blob = tmp_path / "out/blobs/sha256" / spec.hex_of(layer.descriptor.digest)
    blob.write_bytes(gzip.compress(gzip.decompress(blob_of(layer)), 1))

    report = inspect(tmp_path / "out")

    assert "IMG-DIG-001" in failed(report)
    assert "layer 1" in finding(report, "IMG-DIG-001").evidence[0]


@pytest.mark.parametrize("content", [b"", b"text", b"\x1f\x8bnot gzip", ELF, ELF + bytes(100)])
def test_neither_archive_nor_executable(tmp_path: Path, content: bytes) -> None:
    """Any other file is an ImageError that names it."""
    Path(tmp_path, "x").write_bytes(content)

    with pytest.raises(ImageError, match="x"):
        inspect(tmp_path / "x")


def test_nothing_there(tmp_path: Path) -> None:
    """A missing path, or an empty folder, is named."""
    with pytest.raises(ImageError, match="does not exist"):
        inspect(tmp_path / "none")
    with pytest.raises(ImageError, match="holds no image"):
        inspect(tmp_path)


def test_a_missing_layer(image: Image, tmp_path: Path) -> None:
    """A layout without one of its blobs is an ImageError that names the blob."""
    write_layout(image, tmp_path / "out", "app:1")
    name = spec.hex_of(image.layers[0].descriptor.digest)
    Path(tmp_path, "out/blobs/sha256", name).unlink()

    with pytest.raises(ImageError, match=name):
        inspect(tmp_path / "out")


def test_every_cut_of_an_archive(image: Image, tmp_path: Path) -> None:
    """Any truncation ends in a report or an ImageError."""
    whole = archive_bytes(image, "app:1")
    for cut in range(0, len(whole), 251):
        Path(tmp_path, "x").write_bytes(whole[:cut])
        try:
            report = inspect(tmp_path / "x")
        except ImageError:
            continue
        assert report.image is not None


@pytest.mark.parametrize("form", ["folder", "tar", "gz"])
def test_no_room_to_unpack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str) -> None:
    """A large program, or a gzipped archive, needs a folder for temporary files."""
    blob = hostile.squeezed(hostile.program(9 << 20))
    place = hostile.write(hostile.oci(hostile.config(1), blob), tmp_path / "image", form)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "none"))

    with pytest.raises(ImageError, match="cannot be read: No such file") as caught:
        inspect(place)
    assert "TMPDIR" in caught.value.hint


def test_a_bomb_stops_at_the_limit(save: Save) -> None:
    """An image that unpacks past the limit is refused with the number."""
    with pytest.raises(ImageError, match="100000"):
        inspect(save(files={"big": (bytes(200_000), {})}), Limits(unpacked_bytes=100_000))
