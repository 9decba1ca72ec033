"""The documents of an image: from layers and settings to a manifest and a config.

Source: OCI image-spec v1.1, manifest.md and config.md.
"""

from collections.abc import Sequence
from typing import Final

import msgspec

from onebin.errors import ImageError
from onebin.model import Architecture

from . import spec
from .attachment import Attached
from .blob import Blob, distinct, document
from .date import rfc3339
from .layer import Layer

_SECOND: Final = 1_000_000_000  # nanoseconds


class ImageConfig(msgspec.Struct, frozen=True, kw_only=True):
    """How an image runs and how it describes itself."""

    architecture: Architecture
    entrypoint: tuple[str, ...]
    """Exec form: the executable and its arguments, without a shell."""
    user: str
    """``uid:gid`` in numbers: a kubelet cannot prove that a name is not root."""
    env: dict[str, str] = {}
    ports: tuple[int, ...] = ()
    """TCP."""
    labels: dict[str, str] = {}
    healthcheck: tuple[str, ...] = ()
    """Exec form; empty for none."""
    epoch: int = 0
    """Date of the image: seconds, as ``SOURCE_DATE_EPOCH``."""
    made_by: str = ""
    """For the history: the command that added the layers."""


class Image(msgspec.Struct, frozen=True):
    """A finished image of one platform; the documents are the very bytes that digests name."""

    manifest: bytes
    config: bytes
    layers: tuple[Layer, ...]
    platform: spec.Platform
    attached: tuple[Attached, ...] = ()
    """Documents about it, for destinations that hold them."""

    @property
    def digest(self) -> str:
        """The image's name by content, as in ``name@sha256:...``."""
        return spec.sha256(self.manifest)

    @property
    def id(self) -> str:
        """The digest of the config, which ``docker images`` prints."""
        return spec.sha256(self.config)

    @property
    def descriptor(self) -> spec.Descriptor:
        """The image as an index lists it."""
        return spec.Descriptor(
            spec.OCI_MANIFEST, self.digest, len(self.manifest), platform=self.platform
        )

    def blobs(self) -> tuple[Blob, ...]:
        """Return every blob by its digest, equal ones once."""
        layers = [
            Blob(layer.descriptor.digest, layer.descriptor.size, layer.open)
            for layer in self.layers
        ]
        return distinct((document(self.manifest), document(self.config), *layers))


def build(layers: Sequence[Layer], config: ImageConfig) -> Image:
    """Make the documents of an image: the same values give the same bytes.

    Raises:
        ImageError: the time or a port is out of range.
    """
    text = spec.encode(_config(layers, config))
    manifest = spec.Manifest(
        config=spec.Descriptor(spec.OCI_CONFIG, spec.sha256(text), len(text)),
        layers=tuple(layer.descriptor for layer in layers),
        media_type=spec.OCI_MANIFEST,
        # Registries show annotations without fetching the config, so both have them.
        annotations=_in_order(config.labels) or None,
    )
    platform = spec.Platform(architecture=config.architecture, os="linux")
    return Image(spec.encode(manifest), text, tuple(layers), platform)


def _config(layers: Sequence[Layer], config: ImageConfig) -> spec.Config:
    created = rfc3339(config.epoch)
    for port in config.ports:
        if not 0 < port < 1 << 16:
            raise ImageError(f"port {port}: out of range; expected 1 to 65535")
    process = spec.Process(
        user=config.user,
        exposed_ports={f"{port}/tcp": {} for port in sorted(config.ports)} or None,
        env=tuple(f"{name}={value}" for name, value in sorted(config.env.items())) or None,
        entrypoint=config.entrypoint,
        working_dir="/",
        labels=_in_order(config.labels) or None,
        stop_signal="SIGTERM",
        healthcheck=_healthcheck(config.healthcheck),
    )
    return spec.Config(
        architecture=config.architecture,
        os="linux",
        created=created,
        config=process,
        rootfs=spec.RootFs("layers", tuple(layer.diff_id for layer in layers)),
        history=tuple(spec.History(created, config.made_by) for _ in layers),
    )


def _healthcheck(command: tuple[str, ...]) -> spec.Healthcheck | None:
    if not command:
        return None
    return spec.Healthcheck(
        test=("CMD", *command),
        # Docker's default of 30 s leaves a container "starting" for as long; with the
        # start interval (Docker 25) it checks each second until the first success.
        interval=10 * _SECOND,
        timeout=3 * _SECOND,
        start_period=10 * _SECOND,
        start_interval=1 * _SECOND,
        retries=3,
    )


def _in_order(labels: dict[str, str]) -> dict[str, str]:
    return dict(sorted(labels.items()))
