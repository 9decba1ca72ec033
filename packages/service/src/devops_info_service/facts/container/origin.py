"""The type of a mount's origin, with the sign that shows it."""

from typing import Final, Literal

import msgspec

Origin = Literal[
    "image", "kernel", "runtime", "memory", "kubelet", "engine-volume", "host", "network", "other"
]


OWN: Final[frozenset[Origin]] = frozenset({"image", "memory", "kubelet", "engine-volume"})
"""Files of the container or of its pod: an engine's socket there is that of an engine beside it."""


class Volume(msgspec.Struct, frozen=True):
    """The origin of a mount."""

    origin: Origin
    """``other``: no sign shows it."""
    sign: str
    """What shows the origin, or why nothing does: a part of a sentence."""
    plugin: str = ""
    """Of kubelet, such as ``configmap``; empty if the mount does not name it."""
    name: str = ""
    pod: str = ""
    """The uid of the pod it was made for."""
