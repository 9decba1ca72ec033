"""The pods that a manifest's objects start, of whatever kind the objects are."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

from devops_info_service.standards.requested.pod import LATEST, Metadata, Requested, Template

MAX_BYTES: Final = 8 * 1024 * 1024
"""Of one text: the largest charts render to 5 MB, most of it schemas of custom resources."""

_TEMPLATE: Final = ("spec", "template")
TEMPLATES: Final[Mapping[str, tuple[str, ...]]] = {
    "Pod": (),
    "PodTemplate": ("template",),
    "ReplicationController": _TEMPLATE,
    "ReplicaSet": _TEMPLATE,
    "Deployment": _TEMPLATE,
    "StatefulSet": _TEMPLATE,
    "DaemonSet": _TEMPLATE,
    "Job": _TEMPLATE,
    "CronJob": ("spec", "jobTemplate", "spec", "template"),
}
"""Kind -> where its pod is: the kinds that the admission controller of the standards knows."""
_GROUPS: Final = frozenset({"v1", "apps", "batch", "extensions"})
"""API groups that these kinds have or had."""


class ObjectError(ValueError):
    """An object that the API server would not take: its name, and the reason."""


class Skipped(msgspec.Struct, frozen=True):
    """An object that starts no pod."""

    file: str
    kind: str
    name: str


class Workload(msgspec.Struct, frozen=True):
    """A pod, and the object that starts it."""

    file: str
    line: int
    """Of the document; 1 in JSON."""
    kind: str
    namespace: str
    """Empty: the one it is applied to."""
    name: str
    pod: Requested

    @property
    def title(self) -> str:
        """Kind and name, with the namespace if there is one."""
        place = f"{self.namespace}/" if self.namespace else ""
        return f"{self.kind} {place}{self.name}"


def workloads(
    value: object, file: str, line: int, version: tuple[int, int] = LATEST
) -> Iterator[Workload | Skipped]:
    """Yield the pods of one document, and the objects without any.

    Objects of kinds that Kubernetes itself does not have are searched for templates of pods.

    Raises:
        ObjectError: it is not an object of Kubernetes, or a field has a wrong type.
    """
    if value is None:
        return
    for kind, found in _objects(value, ""):
        metadata = _mapping(found.get("metadata"), f"{kind}: metadata")
        name = _text(metadata, "name") or _text(metadata, "generateName") or "without a name"
        title = f"{kind} {name}"
        places = list(_places(kind, found, title))
        if not places:
            yield Skipped(file, kind, name)
        for steps, template in places:
            pod = _pod(template, steps, file, title, version)
            yield Workload(file, line, kind, _text(metadata, "namespace"), name, pod)


def _objects(value: object, kind: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the objects of *value*; the members of a DeploymentList may leave their kind away."""
    if not isinstance(value, dict):
        raise ObjectError(f"{type(value).__name__}; expected an object of Kubernetes")
    kind = _text(value, "kind") or kind
    if not kind:
        raise ObjectError("no kind; expected an object of Kubernetes, such as a Deployment")
    if _text(value, "apiVersion").startswith("kustomize.config.k8s.io/"):
        raise ObjectError(f"{kind}; expected its output: kubectl kustomize DIRECTORY")
    items = value.get("items")
    if not kind.endswith("List") or not isinstance(items, list):
        yield kind, value
        return
    for item in items:
        yield from _objects(item, kind.removesuffix("List"))


def _places(
    kind: str, found: Mapping[str, Any], title: str
) -> Iterator[tuple[tuple[str, ...], Mapping[str, Any]]]:
    """Yield path and value of each template of a pod; a pod is its own."""
    group = _text(found, "apiVersion").partition("/")[0]
    if kind not in TEMPLATES or (group and group not in _GROUPS):
        yield from _search(found, ())
        return
    template: Any = found
    for step in TEMPLATES[kind]:
        template = _mapping(template, title).get(step)
    if template is None and kind == "ReplicationController":
        return  # it may have none, and starts nothing then
    if not isinstance(template, dict) or not isinstance(template.get("spec"), dict):
        path = ".".join((*TEMPLATES[kind], "spec"))
        raise ObjectError(f"{title}: no {path}; expected a pod's spec there")
    yield TEMPLATES[kind], template


def _search(
    value: object, steps: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], Mapping[str, Any]]]:
    if isinstance(value, list):
        for index, member in enumerate(value):
            yield from _search(member, (*steps[:-1], f"{steps[-1]}[{index}]"))
    if not isinstance(value, dict):
        return
    spec = value.get("spec")
    containers = spec.get("containers") if isinstance(spec, dict) else None
    if isinstance(containers, list) and all(isinstance(each, dict) for each in containers):
        yield steps, value
        return
    for name, member in value.items():
        yield from _search(member, (*steps, name))


def _pod(
    template: Mapping[str, Any],
    steps: tuple[str, ...],
    file: str,
    title: str,
    version: tuple[int, int],
) -> Requested:
    try:
        typed = msgspec.convert(template, Template)
    except msgspec.ValidationError as exc:
        path = ".".join(("", *steps))
        raise ObjectError(f"{title}: {str(exc).replace('$', path)}") from None
    spec, metadata = typed.spec, typed.metadata or Metadata()
    if not spec.containers:
        path = ".".join((*steps, "spec"))
        raise ObjectError(f"{title}: no containers in {path}; expected one at least")
    return Requested(
        spec,
        metadata,
        file,
        ".".join((*steps, "spec")),
        ".".join((*steps, "metadata")),
        version,
    )


def _mapping(value: object, where: str) -> Mapping[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise ObjectError(f"{where}: {type(value).__name__}; expected a mapping")
    return value


def _text(found: Mapping[str, Any], name: str) -> str:
    value = found.get(name)
    return value if isinstance(value, str) else ""
