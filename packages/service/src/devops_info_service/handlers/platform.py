"""``GET /platform`` and its parts: what the platform really grants, read on request.

Imported with the first such request.
"""

from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from devops_info_service.client_path import ClientPath, client_path
from devops_info_service.escape import json_body
from devops_info_service.facts.container.filesystem import Filesystem
from devops_info_service.facts.kubernetes.identity import Identity
from devops_info_service.facts.linux.limit_watch import Change
from devops_info_service.facts.linux.network import Network
from devops_info_service.facts.linux.resources import Resources
from devops_info_service.http.wire.forwarded import TrustedProxies
from devops_info_service.http.wire.message import Handler, Request, Response
from devops_info_service.snapshot import PlatformSnapshot, Security
from devops_info_service.snapshot_cache import PlatformSnapshots
from devops_info_service.ttl_cache import Derived


class NetworkWithClientPath(Network, frozen=True, kw_only=True):
    """The body of ``/platform/network``."""

    client_path: ClientPath


class ResourcesWithHistory(Resources, frozen=True, kw_only=True):
    """The body of ``/platform/resources``."""

    history: tuple[Change, ...]
    """The last changes of limits that this process noticed, oldest first."""


BODIES: Final[Mapping[str, type]] = {
    "/platform": PlatformSnapshot,
    "/platform/resources": ResourcesWithHistory,
    "/platform/security": Security,
    "/platform/identity": Identity,
    "/platform/network": NetworkWithClientPath,
    "/platform/filesystem": Filesystem,
}


def platform(
    path: str,
    snapshots: PlatformSnapshots,
    proxies: TrustedProxies,
    history: Callable[[], tuple[Change, ...]],
) -> Handler:
    """Return the handler of *path*, one of ``BODIES``."""
    name = path.removeprefix("/platform").removeprefix("/")
    if name == "resources":
        return resources(snapshots, history)
    if name == "network":
        return network(snapshots, proxies)
    return part(snapshots, name)


def part(snapshots: PlatformSnapshots, name: str) -> Handler:
    """Return the handler of the snapshot's field *name*; of all of it if that is empty."""
    body = Derived(json_body)

    def handle(_: Request) -> Response:
        snapshot = snapshots.get()
        return Response(200, body.of(getattr(snapshot, name) if name else snapshot))

    return handle


def resources(snapshots: PlatformSnapshots, history: Callable[[], tuple[Change, ...]]) -> Handler:
    """Return the handler of the resources, with the *history* of their limits."""

    def handle(_: Request) -> Response:
        fields = msgspec.structs.asdict(snapshots.get().resources)
        return Response(200, json_body(ResourcesWithHistory(history=history(), **fields)))

    return handle


def network(snapshots: PlatformSnapshots, proxies: TrustedProxies) -> Handler:
    """Return the handler of the network, with how the request came here."""

    def handle(request: Request) -> Response:
        fields = msgspec.structs.asdict(snapshots.get().network)
        path = client_path(request, proxies)
        return Response(200, json_body(NetworkWithClientPath(client_path=path, **fields)))

    return handle
