"""The grants of the platform to this workload: all parts in one value.

``msgspec.json.encode`` of it is the response of the route; nothing in it is a secret.
"""

import msgspec

from devops_info_service.facts.container.confinement import (
    Namespaces,
    Process,
    masked_paths,
    namespaces_of,
    process_of,
    read_only_root,
)
from devops_info_service.facts.container.exposure import Device, read_exposure
from devops_info_service.facts.container.filesystem import Filesystem, read_filesystem
from devops_info_service.facts.container.process_view import ProcessView, read_process_view
from devops_info_service.facts.fact import Fact, Known, Unknown
from devops_info_service.facts.kubernetes.claims import ServiceAccount, read_service_account
from devops_info_service.facts.kubernetes.identity import Identity, read_identity
from devops_info_service.facts.linux.network import Network, read_network
from devops_info_service.facts.linux.provenance import sourced
from devops_info_service.facts.linux.resources import Resources, read_resources
from devops_info_service.facts.linux.sandbox import Detection
from devops_info_service.facts.linux.setid_files import SetIdFiles, find_setid_files
from devops_info_service.facts.linux.uptime import rfc3339
from devops_info_service.facts.system_files import Clock, SystemFiles
from devops_info_service.standards.checks import Finding, Observed
from devops_info_service.standards.verdicts import PodSecurity, check, sum_up


class Security(msgspec.Struct, frozen=True):
    """The facts of confinement, and the verdicts that rest on them."""

    pod_security: PodSecurity
    checks: tuple[Finding, ...]
    process: Process
    namespaces: Namespaces
    read_only_root: Fact[bool]
    masked_paths: Fact[tuple[str, ...]]
    devices: Fact[tuple[Device, ...]]
    engine_sockets: Fact[tuple[str, ...]]
    writable: Fact[tuple[str, ...]]
    set_id_files: Fact[SetIdFiles]
    service_account: ServiceAccount


class PlatformSnapshot(msgspec.Struct, frozen=True):
    """One reading of the platform."""

    placement: Fact[Detection]
    """``container`` or ``machine``: the first thing to know of all that follows."""
    taken_at: str
    """RFC 3339, UTC."""
    seconds: float
    """Duration of the reading."""
    resources: Resources
    security: Security
    identity: Identity
    network: Network
    filesystem: Filesystem


def read_platform(
    tree: SystemFiles, clock: Clock, allowed: frozenset[str] = frozenset()
) -> PlatformSnapshot:
    """Read everything once: a few hundred small reads and one short search.

    *allowed* are names of variables whose values may be shown.
    """
    started = clock.monotonic()
    tree = sourced(tree)
    resources = read_resources(tree)
    view = read_process_view(tree)
    account = read_service_account(tree, clock)
    security = _security(tree, clock, view, account)
    identity = read_identity(tree, view, resources, account)
    network = read_network(tree, allowed)
    filesystem = read_filesystem(tree, view.volumes)
    return PlatformSnapshot(
        placement=view.placement,
        taken_at=rfc3339(int(clock.time())),
        seconds=round(clock.monotonic() - started, 6),
        resources=resources,
        security=security,
        identity=identity,
        network=network,
        filesystem=filesystem,
    )


def _security(
    tree: SystemFiles, clock: Clock, view: ProcessView, account: ServiceAccount
) -> Security:
    exposure = read_exposure(tree, view.mounts, view.volumes)
    set_id = find_setid_files(tree, clock)
    observed = Observed(
        **msgspec.structs.asdict(view),
        exposure=exposure,
        set_id_files=set_id,
        service_account=account,
    )
    findings = check(observed)
    return Security(
        pod_security=sum_up(findings),
        checks=findings,
        process=process_of(view),
        namespaces=namespaces_of(view),
        read_only_root=read_only_root(view),
        masked_paths=masked_paths(view),
        devices=exposure.devices,
        engine_sockets=exposure.engine_sockets,
        writable=exposure.writable,
        # The paths are their own evidence.
        set_id_files=set_id if isinstance(set_id, Unknown) else Known(set_id),
        service_account=account,
    )
