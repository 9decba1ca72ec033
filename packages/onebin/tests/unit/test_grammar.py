"""Archives from a grammar: any entries in any order, and good archives with a change."""

import gzip
import json
from contextlib import suppress
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from onebin.errors import ImageError
from onebin.inspection import render
from onebin.inspection.budget import Limits
from onebin.inspection.inspector import inspect

from .hostile import config, docker, entry, oci, pack, program, write

NAMES = st.sampled_from(["a", "a-b", "b", "..", ".wh.a", ".wh.b", ".wh..wh..opq", "x" * 90])
PATHS = st.lists(NAMES, min_size=1, max_size=4).map("/".join)
LAYER = st.lists(st.tuples(PATHS, st.sampled_from("0125"), PATHS), max_size=12)
PLAIN = st.lists(st.tuples(PATHS, st.sampled_from("05"), st.just("")), max_size=12)
"""Without links, which lead on as far as the layer's own go: ``test_hard_links`` has them."""


def laid(layers: list[list[tuple[str, str, str]]]) -> list[str]:
    """The remaining paths by the text of layer.md, without regard to cost."""
    seen: dict[str, tuple[int, str]] = {}
    for number, members in enumerate(layers):
        for raw, kind, _ in members:
            path = f"/{raw}"
            folder, _, name = path.rpartition("/")
            if "/../" in f"{path}/":
                continue
            lower = {one for one, (layer, _) in seen.items() if layer < number}
            above = {one for one in seen if path.startswith(f"{one}/") and seen[one][1] != "5"}
            if name.startswith(".wh.") and above - lower:
                continue  # below a file of the same layer, which no engine unpacks
            if name == ".wh..wh..opq":
                gone = above | {one for one in lower if one.startswith(f"{folder}/")}
            elif any(part.startswith(".wh..wh.") for part in raw.split("/")):
                continue  # AUFS's own records
            elif name.startswith(".wh."):
                gone = {one for one in lower if f"{one}/".startswith(f"{folder}/{name[4:]}/")}
                gone |= above
            else:
                # A file and a folder of one name replace each other.
                gone = above | {one for one in seen if kind != "5" and one.startswith(f"{path}/")}
                seen[path] = number, kind
            seen = {one: what for one, what in seen.items() if one not in gone}
    return sorted(seen)


@given(
    layers=st.lists(PLAIN, max_size=4) | st.lists(LAYER, max_size=4),
    memory=st.integers(300, 40_000),
)
def test_layers_of_a_grammar(
    layers: list[list[tuple[str, str, str]]], memory: int, tmp_path: Path
) -> None:
    """Any entries in any order: the remaining files are those of layer.md, or a limit is named."""
    blobs = [
        gzip.compress(
            b"".join(entry(p.encode(), b"", k.encode(), link.encode()) for p, k, link in members)
            + bytes(1024)
        )
        for members in layers
    ]
    for name, files in {
        "d": docker(config(len(blobs)), *blobs),
        "o": oci(config(len(blobs)), *dict.fromkeys(blobs)),
    }.items():
        place = write(files, tmp_path / name, "tar")
        with suppress(ImageError):  # a result within the limits is the same
            assert inspect(place, Limits(memory_bytes=memory)) == inspect(place)
        report = inspect(place)
        assert report.image is not None
        if name == "d" and all(kind in "05" for members in layers for _, kind, _ in members):
            assert [file.path for file in report.image.files] == laid(layers)
        assert json.loads("".join(render.json(report)))["image"]["file_count"] >= 0


@given(data=st.data())
def test_a_good_archive_with_bytes_changed(data: st.DataObject, tmp_path: Path) -> None:
    """With a few bytes changed, or a piece left out, it ends in a report or an ImageError."""
    blob = b"".join(program(2000, b"/home/x\0")) + entry(b"etc/passwd", b"a:x:1:1::/:/bin/sh\n")
    files = data.draw(st.sampled_from([docker, oci]))(config(1), blob)
    changed = bytearray(pack(files))
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(changed) - 1))
        changed[at] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(changed)))
    del changed[cut : cut + data.draw(st.sampled_from([0, 1, 512, 4096]))]
    (tmp_path / "x.tar").write_bytes(changed)

    with suppress(ImageError):
        text = render.text(inspect(tmp_path / "x.tar"), color=False)
        assert all(line.isprintable() for line in text.splitlines())
