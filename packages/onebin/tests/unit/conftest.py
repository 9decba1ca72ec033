"""Makers of the smallest real inputs: ELF files, binaries, images, tars."""

import functools
import hashlib
import http.server
import io
import json
import os
import struct
import tarfile
import threading
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from onebin.assemble import assemble
from onebin.image import spec
from onebin.image.application import ImageMetadata
from onebin.image.image import Image
from onebin.model import Binary, ImageSettings, Pin
from onebin.runtime import toolchain
from onebin.runtime.flags import PINNED

from .fakes import context

MakeElf = Callable[..., bytes]
MakeTar = Callable[..., bytes]
Save = Callable[..., Path]
Put = Callable[..., Pin]
Files = dict[str, tuple[bytes, dict[str, Any]]]

LABELS = {f"org.opencontainers.image.{name}": "x" for name in ("version", "licenses", "source")}


def _elf(
    *,
    wide: bool = True,
    order: str = "<",
    kind: int = 3,
    machine: int = 62,
    flags_1: int | None = 0x08000000,
    needed: str = "",
    interpreter: str = "",
    stack_flags: int | None = 6,
    load_flags: int = 5,
    relro: bool = True,
    payload: bytes = b"",
) -> bytes:
    """An ELF file with program headers and no sections; by default a hardened static PIE."""
    strings = b"\0" + needed.encode() + b"\0"
    word = "Q" if wide else "I"
    tags = [(1, 1)] if needed else []
    head_size, entry_size = (64, 56) if wide else (52, 32)
    rows: list[tuple[int, int, bytes]] = []
    body = payload + strings
    data_at = head_size + entry_size * 5
    tags.append((5, data_at + len(payload)))
    if flags_1 is not None:
        tags.append((0x6FFFFFFB, flags_1))
    dynamic = b"".join(struct.pack(order + 2 * word, *tag) for tag in [*tags, (0, 0)])
    rows.append((1, load_flags, body))
    rows.append((2, 6, dynamic))
    rows.append((3, 4, interpreter.encode() + b"\0") if interpreter else (0, 0, b""))
    rows.append((0x6474E551, stack_flags, b"") if stack_flags is not None else (0, 0, b""))
    rows.append((0x6474E552, 4, b"") if relro else (0, 0, b""))
    table, at = b"", data_at
    for number, flags, content in rows:
        size = len(content)
        if wide:
            table += struct.pack(order + "IIQQQQQQ", number, flags, at, at, at, size, size, 1)
        else:
            table += struct.pack(order + "IIIIIIII", number, at, at, at, size, size, flags, 1)
        at += size
    ident = b"\x7fELF" + bytes([1 + wide, 1 if order == "<" else 2, 1]) + bytes(9)
    words = f"{order}HHI{3 * word}IHHHHHH"
    head = struct.pack(
        words, kind, machine, 1, 0, head_size, 0, 0, head_size, entry_size, len(rows), 0, 0, 0
    )
    return ident + head + table + b"".join(content for _, _, content in rows)


def _tar(members: Mapping[str, bytes | tarfile.TarInfo], **settings: int) -> bytes:
    """A tar of files, or of whatever members are given; *settings* go to every member."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name, what in members.items():
            info = what if isinstance(what, tarfile.TarInfo) else tarfile.TarInfo(name)
            data = b"" if isinstance(what, tarfile.TarInfo) else what
            info.name = name
            info.size = info.size or len(data)
            for key, value in settings.items():
                setattr(info, key, value)
            tar.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


@pytest.fixture
def make_elf() -> MakeElf:
    return _elf


@pytest.fixture
def make_tar() -> MakeTar:
    return _tar


@pytest.fixture
def binary(tmp_path: Path) -> Binary:
    data = _elf()
    path = tmp_path / "app"
    path.write_bytes(data)
    return Binary("app", path, len(data), hashlib.sha256(data).hexdigest(), "x86_64")


@pytest.fixture
def image(binary: Binary, tmp_path_factory: pytest.TempPathFactory) -> Image:
    return assemble(
        binary,
        context(tmp_path_factory.mktemp("cache")),
        metadata=ImageMetadata(
            name="app",
            version="1.2",
            description="describes itself",
            license="MIT",
            source="https://example.org/app",
        ),
        settings=ImageSettings(ports=(8080,), healthcheck=("check",), env={"MODE": "fast"}),
        epoch=0,
    )


def _layer(files: Files) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name, (data, facts) in sorted(files.items()):
            info = tarfile.TarInfo(name)
            info.size = len(data)
            for key, value in facts.items():
                setattr(info, key, value)
            tar.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


@pytest.fixture
def save(make_elf: Any, make_tar: Any, tmp_path: Path) -> Save:
    """Write what docker save writes, of a good image with something changed."""

    def write(
        config: dict[str, Any] | None = None,
        files: Files | None = None,
        upper: tuple[Files, ...] = (),
        document: dict[str, Any] | None = None,
    ) -> Path:
        base: Files = {"app": (make_elf(), {"mode": 0o755}), **(files or {})}
        layers = [_layer(content) for content in (base, *upper)]
        process = {"User": "65532:65532", "Entrypoint": ["/app"], "Labels": LABELS}
        saved = {
            "architecture": "amd64",
            "os": "linux",
            "created": "1970-01-01T00:00:00Z",
            "rootfs": {"type": "layers", "diff_ids": [spec.sha256(data) for data in layers]},
            "config": process | (config or {}),
            **(document or {}),
        }
        names = [f"{number}/layer.tar" for number in range(len(layers))]
        entry = {"Config": "c.json", "RepoTags": ["app:1"], "Layers": names}
        parts = {
            "c.json": json.dumps(saved).encode(),
            "manifest.json": json.dumps([entry]).encode(),
            **dict(zip(names, layers, strict=True)),
        }
        place = tmp_path / "saved.tar"
        place.write_bytes(make_tar(parts))
        return place

    return write


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a folder the only index of pip."""
    folder = tmp_path / "shelf"
    folder.mkdir()
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


def _pin(name: str, version: str, file: Path) -> Pin:
    return Pin(name, version, (f"sha256:{hashlib.sha256(file.read_bytes()).hexdigest()}",))


@pytest.fixture
def put_wheel(shelf: Path) -> Put:
    """Put a wheel with one module of the same name on the shelf, and return its pin."""

    def put(
        name: str,
        *requires: str,
        tag: str = "py3-none-any",
        version: str = "1",
        code: str = "",
        more: Mapping[str, str] = {},
    ) -> Pin:
        head = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\nProvides-Extra: more\n"
        info = f"{name}-{version}.dist-info"
        parts = {
            f"{name}.py": code,
            f"{info}/METADATA": head + "".join(f"Requires-Dist: {line}\n" for line in requires),
            f"{info}/WHEEL": f"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: {tag}\n",
            **more,
        }
        parts[f"{info}/RECORD"] = "".join(f"{path},,\n" for path in parts)
        file = shelf / f"{name}-{version}-{tag}.whl"
        with zipfile.ZipFile(file, "w") as archive:
            for path, text in parts.items():
                archive.writestr(path, text)
        return _pin(name, version, file)

    return put


@pytest.fixture
def put_source(shelf: Path, make_tar: MakeTar) -> Put:
    """Put a source distribution on the shelf and return its pin."""

    def put(name: str, **files: str) -> Pin:
        file = shelf / f"{name}-1.tar.gz"
        with tarfile.open(file, "w:gz") as tar:
            for path, text in files.items():
                info = tarfile.TarInfo(f"{name}-1/{path}")
                info.size = len(text.encode())
                tar.addfile(info, io.BytesIO(text.encode()))
        return _pin(name, "1", file)

    return put


@pytest.fixture
def site(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """A folder and the address that serves it."""
    folder = tmp_path / "site"
    folder.mkdir()

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None: ...

    handler = functools.partial(Quiet, directory=folder)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield folder, f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A compiler's files."""
    root = tmp_path / "compiler"
    (root / "lib" / "musl").mkdir(parents=True)
    (root / "zig").write_text("program")
    (root / "zig").chmod(0o755)
    (root / "lib" / "musl" / "malloc.c").write_text("source")
    return root


@pytest.fixture
def installed(tree: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make *tree* the installed compiler, and the pinned one."""
    spec = SimpleNamespace(submodule_search_locations=[str(tree)])
    monkeypatch.setattr("onebin.runtime.toolchain.find_spec", lambda _: spec)
    monkeypatch.setattr("onebin.runtime.toolchain.installed_version", lambda _: "0.17.1")
    monkeypatch.setitem(PINNED, ("ziglang 0.17.1", "x86_64"), toolchain.contents(tree))
    return tree
