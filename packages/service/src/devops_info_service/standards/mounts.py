"""Checks of mounts: hostPath, the kinds of volumes, the masks over /proc."""

from collections.abc import Iterable, Iterator
from typing import Final

from devops_info_service.facts.container.confinement import masks
from devops_info_service.facts.container.exposure import ENGINE_SOCKETS, SOCKET_NAMES
from devops_info_service.facts.container.origin import OWN, Volume
from devops_info_service.facts.container.user_ids import is_root_outside
from devops_info_service.facts.fact import Evidence, Unknown, evidence_of, value_of
from devops_info_service.facts.linux.mounts import Mount
from devops_info_service.facts.linux.sandbox import SANDBOXED

from .checks import Observed, Outcome, failed, passed, unknown

MAX_SHOWN: Final = 10
"""Mounts named as evidence: a node has thousands."""
PLUGINS: Final = frozenset({
    "configmap",
    "csi",
    "downward-api",
    "empty-dir",
    "local-volume",
    "projected",
    "secret",
    "",  # a path inside a volume: kubelet does not name the plugin there
})  # fmt: skip
_READ_ONLY: Final = frozenset({"/proc/sys", "/proc/sysrq-trigger"})
"""Bound again without being hidden: by LXC alone, by others beside masks."""
_WORDS: Final = {
    "image": "the image's",
    "kernel": "the kernel's",
    "runtime": "the runtime's",
    "memory": "of volumes in memory",
    "kubelet": "of kubelet's volumes",
    "engine-volume": "of the engine's volumes",
}


def host_path_volumes(view: Observed) -> Outcome:
    """Check hostPath volumes by the roots of mounts."""
    if closed := _closed(view):
        return closed
    if host := [each for each in view.volumes.entries if _is_host(*each)]:
        mount, volume = host[0]
        what = volume.sign if volume.origin == "host" else "the socket of an engine"
        above = () if isinstance(view.mounts, Unknown) else view.mounts.around(mount.point)[:1]
        # A part of proc is the machine's if the mount above it is another proc.
        compared = [each.evidence() for each in above if each.kind == mount.kind]
        return failed(f"{mount.point} is the machine's: {what}.", *_lines(host), *compared)
    if unclear := [each for each in view.volumes.entries if each[1].origin in {"other", "network"}]:
        mount, volume = unclear[0]
        return unknown(f"{mount.point} may be a hostPath: {volume.sign}", *_lines(unclear))
    return _all_known(view)


def volumes(view: Observed) -> Outcome:
    """Check the kinds of volumes."""
    host = host_path_volumes(view)
    if host.verdict != "pass":
        return host
    strange = [
        each
        for each in view.volumes.entries
        if each[1].origin == "kubelet" and each[1].plugin not in PLUGINS
    ]
    if strange:
        mount, volume = strange[0]
        return unknown(
            f"{mount.point}, {volume.plugin}, may be a persistent volume, which is allowed, or be"
            " named in the pod itself, which is not",
            *_lines(strange),
        )
    return host


def proc_mount(view: Observed) -> Outcome:
    """Check ``procMount``: the masks over /proc."""
    return next(_proc_mount(view))


def proc_mount_restricted(view: Observed) -> Outcome:
    """Check ``procMount`` of any pod, with a user namespace or without."""
    return next(_proc_mount(view, restricted=True))


def _proc_mount(view: Observed, *, restricted: bool = False) -> Iterator[Outcome]:
    if closed := _closed(view):
        yield closed
    if isinstance(view.mounts, Unknown):
        return
    found = masks(view.mounts)
    seen = tuple([mount.evidence() for mount in found])
    proc, proc_sys = view.mounts.at("/proc"), view.mounts.at("/proc/sys")
    is_masked = any(mount.point not in _READ_ONLY for mount in found)
    if is_masked and proc_sys is not None and proc_sys.read_only:
        yield passed("Parts of /proc are masked and /proc/sys is read-only.", *seen)
    is_root = is_root_outside(view.shared["user"], view.uid_map, 0)
    if value_of(is_root, default=True) is False and not restricted:
        yield passed(
            "In its own user namespace a pod may have an unmasked /proc (since 1.35).",
            *evidence_of(is_root),
        )
    if unread := view.mounts.unread_lines:
        yield unknown(unread, *seen)
    if not found and proc is not None:
        yield failed(
            "Nothing in /proc is masked: kernel memory and settings are readable.",
            proc.evidence(),
        )
    if not found:
        yield unknown("no mount at /proc is listed")
    lack = "/proc/sys is not read-only" if is_masked else "nothing there is hidden"
    yield unknown(f"Some of /proc is masked or read-only, but {lack}", *seen)


def _closed(view: Observed) -> Outcome | None:
    """Return why nothing can be stated of every mount."""
    if view.gvisor:
        return unknown(SANDBOXED, *evidence_of(view.sandbox))
    if isinstance(view.mounts, Unknown):
        return unknown(view.mounts)
    return None


def _is_host(mount: Mount, volume: Volume) -> bool:
    # Docker in Docker shares its socket by a volume of the pod.
    is_socket = mount.point in ENGINE_SOCKETS or mount.root.endswith(SOCKET_NAMES)
    return volume.origin == "host" or (is_socket and volume.origin not in OWN)


def _all_known(view: Observed) -> Outcome:
    if not isinstance(view.mounts, Unknown) and (unread := view.mounts.unread_lines):
        return unknown(unread)
    found: dict[str, list[tuple[Mount, Volume]]] = {}
    for each in view.volumes.entries:
        found.setdefault(each[1].origin, []).append(each)
    counts = ", ".join(
        [f"{len(found[origin])} {_WORDS[origin]}" for origin in _WORDS if origin in found]
    )
    # The volumes first: of them there is doubt.
    ordered = [each for origin in reversed(_WORDS) for each in found.get(origin, ())]
    return passed(f"Every mount has a sign of its origin: {counts}.", *_lines(ordered))


def _lines(entries: Iterable[tuple[Mount, Volume]]) -> tuple[Evidence, ...]:
    return tuple([mount.evidence() for mount, _ in tuple(entries)[:MAX_SHOWN]])
