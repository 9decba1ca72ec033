"""Volumes of the downward API: fields of the pod as files, whose names the manifest chose.

They live in memory, as Secrets do, and kubelet writes both alike (``..data``). So a file is
taken for the downward API's by positive signs alone: the mount names the plugin, or only kubelet
or a controller writes such content, and it fits this very pod.

Sources: kubelet, pkg/volume/util/atomic_writer.go and pkg/fieldpath/fieldpath.go (FormatMap).
"""

from collections.abc import Callable
from typing import Final

import msgspec

from devops_info_service.facts.container.signs import is_dated
from devops_info_service.facts.container.volumes import Volumes
from devops_info_service.facts.fact import Fact, File, Known, Unknown
from devops_info_service.facts.forms import (
    LABEL,
    LABEL_KEY,
    LABEL_VALUE,
    NAME,
    QUANTITY,
    UUID,
    Form,
)
from devops_info_service.facts.lines import lines
from devops_info_service.facts.system_files import SystemFiles

from .claims import DIRECTORY

FIELDS: Final = {
    "pod": NAME,
    "uid": UUID,
    "namespace": LABEL,
    "node": NAME,
    "service_account": NAME,
}
"""Fields of the pod -> the form each has."""
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
QUANTITIES: Final = frozenset({"cpu_limit", "cpu_request", "mem_limit", "mem_request"})
"""File names in Kubernetes' own examples; not shown, but no foreign ones either."""
MAX_VOLUMES: Final = 16
"""Read: a pod has a handful."""
NONE: Final = Unknown("no volume of the downward API is mounted")
NO_SIGN: Final = "nothing shows that {} is the downward API's and no Secret"
_SOURCES: Final = frozenset({"api", "file", "http"})
"""Of ``kubernetes.io/config.source``, which kubelet adds to the annotations it passes on."""


class Signs(msgspec.Struct, frozen=True):
    """Facts of the pod from other sources."""

    pods: frozenset[str] = frozenset()
    """Its name, by the token and by the host name."""
    uid: str = ""
    """By the paths of kubelet's mounts or the token; empty: not known."""


class Downward(msgspec.Struct, frozen=True):
    """The content of the volumes."""

    labels: Fact[dict[str, str]] = NONE
    annotations: Fact[tuple[str, ...]] = NONE
    fields: dict[str, Fact[str]] = {}


class _Volume(msgspec.Struct, frozen=True):
    labels: File | None
    annotations: File | None
    fields: dict[str, File]
    proven: bool
    """Whether every file has the form of its name, and one of them a sign."""


def read_downward(tree: SystemFiles, volumes: Volumes, signs: Signs) -> Downward:
    """Read the first of each file found that has a positive sign."""
    labels: Fact[dict[str, str]] = NONE
    annotations: Fact[tuple[str, ...]] = NONE
    fields: dict[str, Fact[str]] = {}
    for directory, named in _volumes(tree, volumes):
        volume = _read(tree, directory, signs, named=named)
        if volume is None:
            continue
        if volume.labels and isinstance(labels, Unknown):
            shown = volume.proven or _are_of_pod(_pairs_of(volume.labels), signs)
            if shown:
                tree.vouch(volume.labels.path)
            labels = _labels(volume.labels) if shown else _withheld(volume.labels)
        if volume.annotations and isinstance(annotations, Unknown):
            shown = volume.proven or _are_kubelets(_pairs_of(volume.annotations))
            if shown:
                tree.vouch(volume.annotations.path)
            annotations = _names(volume.annotations) if shown else _withheld(volume.annotations)
        if volume.proven:
            for name, file in volume.fields.items():
                fields.setdefault(name, file.parse(FIELDS[name].parse))
    return Downward(labels, annotations, fields)


def _volumes(tree: SystemFiles, volumes: Volumes) -> list[tuple[str, bool]]:
    """Return the mounts that kubelet wrote, and whether each names the plugin."""
    found = []
    for mount, volume in volumes.entries:
        named = volume.plugin == "downward-api"
        is_kubelets = named or volume.plugin == "projected" or mount.kind == "tmpfs"
        if not is_kubelets or mount.point.endswith("/serviceaccount") or mount.point == DIRECTORY:
            continue
        target = tree.link(f"{mount.point}/..data")
        if not isinstance(target, Unknown) and is_dated(target):
            found.append((mount.point, named))
    return found[:MAX_VOLUMES]


def _read(tree: SystemFiles, directory: str, signs: Signs, *, named: bool) -> _Volume | None:
    names = tree.names(directory)
    if isinstance(names, Unknown):
        return None
    # Names that begin with two dots are the writer's own.
    names = tuple([name for name in names if not name.startswith("..")])
    found = {
        name: tree.read(f"{directory}/{name}")
        for name in names
        if name in _FORMS and tree.link(f"{directory}/{name}") == f"..data/{name}"
    }
    fits = all(
        name in found and not isinstance(found[name].parse(_FORMS[name].parse), Unknown)
        for name in names
    )
    fields: dict[str, File] = {}
    for name, file in found.items():
        if name in FILES:
            fields.setdefault(FILES[name], file)
    labels, annotations = found.get("labels"), found.get("annotations")
    sign = (
        named
        or (labels is not None and _are_of_pod(_pairs_of(labels), signs))
        or (annotations is not None and _are_kubelets(_pairs_of(annotations)))
        or ("uid" in fields and fields["uid"].text.rstrip("\n") == (signs.uid or None))
        or ("pod" in fields and fields["pod"].text.rstrip("\n") in signs.pods)
    )
    for file in found.values() if fits and sign else ():
        tree.vouch(file.path)
    return _Volume(labels, annotations, fields, proven=fits and sign)


def _are_of_pod(labels: dict[str, str], signs: Signs) -> bool:
    """Return whether a controller wrote these labels, for this pod."""
    if {"controller-revision-hash", "pod-template-generation"} <= labels.keys():
        return True  # Of a DaemonSet, whose marks are not in the pod's name.
    template = labels.get("pod-template-hash")
    job = labels.get("batch.kubernetes.io/job-name") or labels.get("job-name")
    return any(
        labels.get("statefulset.kubernetes.io/pod-name") == pod
        or (template and f"-{template}-" in pod)
        or (job and pod.startswith(f"{job}-"))
        for pod in signs.pods
    )


def _are_kubelets(annotations: dict[str, str]) -> bool:
    """Return whether kubelet's own annotation is among them."""
    return annotations.get("kubernetes.io/config.source") in _SOURCES


def pairs(text: str) -> dict[str, str]:
    """Parse the lines ``key="value"`` as kubelet writes them, sorted, in Go's quotes."""
    found: dict[str, str] = {}
    for line in lines(text):
        key, equals, quoted = line.partition("=")
        if not equals or len(quoted) < 2 or quoted[0] != '"' or quoted[-1] != '"':  # noqa: PLR2004
            raise ValueError
        found[LABEL_KEY.parse(key)] = quoted[1:-1]
    if list(found) != sorted(found):
        raise ValueError
    return found


def without_values(text: str) -> str:
    """Return annotations with empty values, but for kubelet's own sign."""
    try:
        found = pairs(text.strip(" \t\n"))
    except ValueError:
        return ""
    source = "kubernetes.io/config.source"
    shown = {
        key: value if key == source and value in _SOURCES else "" for key, value in found.items()
    }
    return "".join([f'{key}="{value}"\n' for key, value in shown.items()])


def _label_pairs(text: str) -> dict[str, str]:
    found = pairs(text)
    for value in found.values():
        LABEL_VALUE.parse(value)
    return found


def _takes(parse: Callable[[str], object]) -> Callable[[str], bool]:
    def holds(text: str) -> bool:
        try:
            parse(text)
        except ValueError:
            return False
        return True

    return holds


_FORMS: Final[dict[str, Form]] = {
    **{name: FIELDS[field] for name, field in FILES.items()},
    **dict.fromkeys(QUANTITIES, QUANTITY),
    "labels": Form("labels", _takes(_label_pairs)),
    "annotations": Form("annotations", _takes(pairs)),
}
"""File names by custom -> the form of their content."""


def _pairs_of(file: File) -> dict[str, str]:
    try:
        return pairs(file.text.strip(" \t\n"))
    except ValueError:
        return {}


def _withheld(file: File) -> Unknown:
    return file.content if isinstance(file.content, Unknown) else Unknown(NO_SIGN.format(file.path))


def _labels(file: File) -> Fact[dict[str, str]]:
    fact = file.parse(_label_pairs)
    if isinstance(fact, Unknown):
        return Unknown(f"{file.path} does not hold labels")
    return Known(fact.value, (file.evidence("", f"{len(fact.value)} labels"),))


def _names(file: File) -> Fact[tuple[str, ...]]:
    fact = file.parse(pairs)
    if isinstance(fact, Unknown):
        return Unknown(f"{file.path} does not hold annotations")
    names = tuple(sorted(fact.value))
    return Known(names, (file.evidence("", f"{len(names)} annotations"),))
