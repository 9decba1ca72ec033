"""Volumes of the downward API: fields of the pod as files, whose names the manifest chose.

They live in memory, so the mount does not name them; kubelet's way of writing does: a
directory with a link ``..data`` in it.
"""

from typing import Final

import msgspec

from .claims import DIRECTORY
from .facts import Fact, File, Known, Unknown
from .mounts import Mounts
from .source import Tree
from .volumes import classify

FILES: Final = {
    "name": "pod",
    "pod-name": "pod",
    "podname": "pod",
    "pod_name": "pod",
    "namespace": "namespace",
    "pod-namespace": "namespace",
    "uid": "uid",
    "pod-uid": "uid",
    "node": "node",
    "node-name": "node",
    "service-account": "service_account",
    "serviceaccount": "service_account",
}
"""File names by custom -> the field."""
MAX_VOLUMES: Final = 16
"""Looked into: a pod has a handful."""
NONE: Final = Unknown("no volume of the downward API is mounted")


class Downward(msgspec.Struct, frozen=True):
    """What the volumes hold."""

    labels: Fact[dict[str, str]] = NONE
    annotations: Fact[tuple[str, ...]] = NONE
    fields: dict[str, Fact[str]] = {}


def read_downward(tree: Tree, mounts: Mounts | Unknown) -> Downward:
    """Read the first of each file found."""
    labels: Fact[dict[str, str]] = NONE
    annotations: Fact[tuple[str, ...]] = NONE
    fields: dict[str, Fact[str]] = {}
    for directory in _volumes(tree, mounts):
        names = tree.names(directory)
        for name in () if isinstance(names, Unknown) else names:
            file = tree.read(f"{directory}/{name}") if name in _KNOWN else None
            if file is None:
                continue
            if name == "labels" and isinstance(labels, Unknown):
                labels = _labels(file)
            elif name == "annotations" and isinstance(annotations, Unknown):
                annotations = _names(file)
            elif name in FILES and FILES[name] not in fields:
                fields[FILES[name]] = file.whole(_field)
    return Downward(labels, annotations, fields)


_KNOWN: Final = frozenset({"labels", "annotations", *FILES})


def _volumes(tree: Tree, mounts: Mounts | Unknown) -> list[str]:
    if isinstance(mounts, Unknown):
        return []
    found = []
    for mount in mounts.entries:
        volume = classify(mount, mounts)
        ours = volume.plugin == "downward-api" or volume.origin == "memory"
        if not ours or mount.point.endswith("/serviceaccount") or mount.point == DIRECTORY:
            continue
        if not isinstance(tree.link(f"{mount.point}/..data"), Unknown):
            found.append(mount.point)
    return found[:MAX_VOLUMES]


def _field(text: str) -> str:
    # One word on one line: a secret's file may have the same name, a whole key may not pass.
    if len(text.split()) != 1 or len(text) > 253:  # noqa: PLR2004 (RFC 1123)
        raise ValueError
    return text


def pairs(text: str) -> dict[str, str]:
    """Parse the lines ``key="value"`` as kubelet writes them, in Go's quotes."""
    found: dict[str, str] = {}
    for line in text.splitlines():
        key, equals, quoted = line.partition("=")
        if not equals or len(quoted) < 2 or quoted[0] != '"' or quoted[-1] != '"':  # noqa: PLR2004
            raise ValueError
        found[key] = quoted[1:-1]
    return found


def _labels(file: File) -> Fact[dict[str, str]]:
    fact = file.whole(pairs)
    if isinstance(fact, Unknown):
        return Unknown(f"{file.path} does not hold labels")
    return Known(fact.value, (file.evidence("", f"{len(fact.value)} labels"),))


def _names(file: File) -> Fact[tuple[str, ...]]:
    fact = file.whole(pairs)
    if isinstance(fact, Unknown):
        return Unknown(f"{file.path} does not hold annotations")
    names = tuple(sorted(fact.value))
    return Known(names, (file.evidence("", f"{len(names)} annotations"),))
