"""The JSON documents of an image, as values: index, manifest, config.

They decode foreign documents, so every field that is omitted or ``null`` in
practice may be missing here. They encode in the order of the fields and without
the missing ones, so the same values give the same bytes.

Source: OCI image-spec v1.1 (descriptor.md, image-index.md, manifest.md,
config.md); ``Healthcheck`` is Docker's addition, which podman and Docker read.
"""

import hashlib
import re
from typing import Final, TypeVar

import msgspec

from onebin.errors import ImageError

OCI_INDEX: Final = "application/vnd.oci.image.index.v1+json"
OCI_MANIFEST: Final = "application/vnd.oci.image.manifest.v1+json"
OCI_CONFIG: Final = "application/vnd.oci.image.config.v1+json"
OCI_EMPTY: Final = "application/vnd.oci.empty.v1+json"
OCI_LAYER: Final = "application/vnd.oci.image.layer.v1.tar"
OCI_LAYER_GZIP: Final = "application/vnd.oci.image.layer.v1.tar+gzip"
OCI_FOREIGN: Final = "application/vnd.oci.image.layer.nondistributable.v1.tar"
DOCKER_INDEX: Final = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_MANIFEST: Final = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_CONFIG: Final = "application/vnd.docker.container.image.v1+json"
DOCKER_LAYER: Final = "application/vnd.docker.image.rootfs.diff.tar"
DOCKER_LAYER_GZIP: Final = "application/vnd.docker.image.rootfs.diff.tar.gzip"
DOCKER_FOREIGN: Final = "application/vnd.docker.image.rootfs.foreign.diff.tar"

INDEX_TYPES: Final = frozenset({OCI_INDEX, DOCKER_INDEX})
MANIFEST_TYPES: Final = frozenset({OCI_MANIFEST, DOCKER_MANIFEST})
CONFIG_TYPES: Final = frozenset({OCI_CONFIG, DOCKER_CONFIG})
LAYER_TYPES: Final = frozenset(
    {
        *(OCI_LAYER, OCI_LAYER_GZIP, f"{OCI_LAYER}+zstd"),
        *(OCI_FOREIGN, f"{OCI_FOREIGN}+gzip", f"{OCI_FOREIGN}+zstd"),
        *(DOCKER_LAYER, DOCKER_LAYER_GZIP, f"{DOCKER_LAYER}.zstd"),
        *(DOCKER_FOREIGN, f"{DOCKER_FOREIGN}.gzip"),
    }
)

LAYER_PREFIXES: Final = ("application/vnd.oci.image.layer.", "application/vnd.docker.image.rootfs.")
"""Of types of layers, encrypted ones and later ones too."""

SCHEMA_VERSION: Final = 2
"""Of index and manifest; the only version of the specification."""

REF_NAME: Final = "org.opencontainers.image.ref.name"
"""Annotation of an index entry: the tag (annotations.md)."""

CONTAINERD_NAME: Final = "io.containerd.image.name"
"""Annotation of an index entry: the whole name, as containerd and Docker write it."""


class Platform(msgspec.Struct, frozen=True, omit_defaults=True):
    """The platform of a manifest in an index."""

    architecture: str = ""
    os: str = ""
    variant: str = ""


class Descriptor(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    """One document or blob, by its digest."""

    media_type: str
    digest: str
    size: int
    """Bytes."""
    annotations: dict[str, str] | None = None
    platform: Platform | None = None
    artifact_type: str = ""
    """Of a manifest without an image: the type of its contents."""


class Index(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    """The entry document of a layout, or an image of several platforms."""

    schema_version: int = msgspec.field(default_factory=lambda: SCHEMA_VERSION)  # never omitted
    media_type: str = ""
    manifests: tuple[Descriptor, ...] = ()
    annotations: dict[str, str] | None = None


class Manifest(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    """One image of one platform."""

    config: Descriptor
    layers: tuple[Descriptor, ...] = msgspec.field(default_factory=lambda: ())  # never omitted
    schema_version: int = msgspec.field(default_factory=lambda: SCHEMA_VERSION)
    media_type: str = ""
    annotations: dict[str, str] | None = None
    artifact_type: str = ""
    """The type of its contents, if they are not an image."""
    subject: Descriptor | None = None
    """The image that it is about."""


class Healthcheck(msgspec.Struct, frozen=True, omit_defaults=True, rename="pascal"):
    """The command that checks a running container; times in nanoseconds."""

    test: tuple[str, ...] | None = None
    interval: int = 0
    timeout: int = 0
    start_period: int = 0
    start_interval: int = 0
    retries: int = 0


class Process(msgspec.Struct, frozen=True, omit_defaults=True, rename="pascal"):
    """The ``config`` member of an image's config: how to run it."""

    user: str = ""
    exposed_ports: dict[str, dict[str, str]] | None = None
    env: tuple[str, ...] | None = None
    entrypoint: tuple[str, ...] | None = None
    cmd: tuple[str, ...] | None = None
    volumes: dict[str, dict[str, str]] | None = None
    working_dir: str = ""
    labels: dict[str, str] | None = None
    stop_signal: str = ""
    healthcheck: Healthcheck | None = None


class RootFs(msgspec.Struct, frozen=True):
    """The layers, by the digests of their uncompressed tars."""

    type: str = ""
    diff_ids: tuple[str, ...] = ()


class History(msgspec.Struct, frozen=True, omit_defaults=True):
    """One step of the build."""

    created: str = ""
    created_by: str = ""
    comment: str = ""
    empty_layer: bool = False


class Config(msgspec.Struct, frozen=True, omit_defaults=True):
    """The image's config document."""

    architecture: str = ""
    os: str = ""
    rootfs: RootFs = msgspec.field(default_factory=RootFs)  # never omitted
    created: str | None = None
    config: Process | None = None
    history: tuple[History, ...] | None = None


Document = TypeVar("Document")

_SETS: Final = frozenset({"ExposedPorts", "Volumes"})
"""Members that are sets: Go writes ``map[string]struct{}``, and reads any value."""
_TEXTS: Final = frozenset({"Labels", "annotations"})
_COMMANDS: Final = frozenset({"Entrypoint", "Cmd"})


def encode(document: Index | Manifest | Config) -> bytes:
    """Return the document's bytes: no spaces, the fields in their order."""
    return msgspec.json.encode(document)


def decode(data: bytes, kind: type[Document], *, what: str) -> Document:
    """Decode a foreign document; *what* names it in the error.

    Raises:
        ImageError: it is not JSON, or a member has a wrong type.
    """
    return read_json(data, kind, what=f"{what}: not an image {kind.__name__.lower()}")


def read_json(data: bytes, kind: type[Document], *, what: str) -> Document:
    """Decode foreign JSON as the engines do; *what* begins the error.

    Raises:
        ImageError: it is not JSON, or a member has a wrong type.
    """
    try:
        return msgspec.convert(_as_go_reads(msgspec.json.decode(data)), kind)
    # On a thousand levels the decoder raises RecursionError.
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as exc:
        raise ImageError(f"{what}: {exc}") from exc


def _as_go_reads(value: object) -> object:
    """Leave out null members, as encoding/json does; take a command of one word as a list."""
    if isinstance(value, list):
        return [_as_go_reads(item) for item in value if item is not None]
    if not isinstance(value, dict):
        return value
    found: dict[str, object] = {}
    for name, member in value.items():
        if member is None:
            continue
        if name in _SETS and isinstance(member, dict):
            found[name] = {key: {} for key in member}
        elif name in _TEXTS and isinstance(member, dict):
            found[name] = {key: "" if text is None else text for key, text in member.items()}
        elif name in _COMMANDS and isinstance(member, str):
            found[name] = [member] if member else []
        else:
            found[name] = _as_go_reads(member)
    return found


def sha256(data: bytes) -> str:
    """Return the digest of *data*, as descriptors write it."""
    return "sha256:" + hashlib.sha256(data).hexdigest()


def blob_path(digest: str) -> str:
    """Return the path of the blob *digest* in a layout (image-layout.md).

    Raises:
        ImageError: it is not a sha256 digest.
    """
    return f"blobs/sha256/{hex_of(digest)}"


def hex_of(digest: str) -> str:
    """Return the hex of a sha256 digest, the only kind supported, and safe as a file name.

    Raises:
        ImageError: it is anything else, such as a path that climbs.
    """
    if not is_sha256(digest):
        raise ImageError(not_sha256(digest))
    return digest.removeprefix("sha256:")


def is_sha256(digest: str) -> bool:
    """Return whether *digest* is one of sha256."""
    return re.fullmatch(r"sha256:[0-9a-f]{64}", digest) is not None


def not_sha256(digest: str) -> str:
    """Return the fault of a *digest* that is not one of sha256."""
    return f"{digest[:80]!r}: not a digest of sha256; expected sha256 and 64 hex digits"
