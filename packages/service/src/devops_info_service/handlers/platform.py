"""``GET /platform`` and its parts: what the platform really grants, read on request.

Imported with the first such request.
"""

from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from devops_info_service.client_path import ClientPath, client_path
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


def platform_handlers(
    snapshots: PlatformSnapshots, proxies: TrustedProxies, history: Callable[[], tuple[Change, ...]]
) -> Mapping[str, Handler]:
    """Return the handler of each path; they share *snapshots*."""
    return {
        "/platform": whole(snapshots),
        "/platform/resources": resources(snapshots, history),
        "/platform/security": part(snapshots, "security"),
        "/platform/identity": part(snapshots, "identity"),
        "/platform/network": network(snapshots, proxies),
        "/platform/filesystem": part(snapshots, "filesystem"),
    }


def whole(snapshots: PlatformSnapshots) -> Handler:
    """Return the handler of the whole snapshot."""
    body = Derived(msgspec.json.Encoder().encode)
    return lambda _: Response(200, body.of(snapshots.get()))


def part(snapshots: PlatformSnapshots, name: str) -> Handler:
    """Return the handler of the snapshot's field *name*."""
    body = Derived(msgspec.json.Encoder().encode)
    return lambda _: Response(200, body.of(getattr(snapshots.get(), name)))


def resources(snapshots: PlatformSnapshots, history: Callable[[], tuple[Change, ...]]) -> Handler:
    """Return the handler of the resources, with the *history* of their limits."""
    encode = msgspec.json.Encoder().encode

    def handle(_: Request) -> Response:
        fields = msgspec.structs.asdict(snapshots.get().resources)
        return Response(200, encode(ResourcesWithHistory(history=history(), **fields)))

    return handle


def network(snapshots: PlatformSnapshots, proxies: TrustedProxies) -> Handler:
    """Return the handler of the network, with how the request came here."""
    encode = msgspec.json.Encoder().encode

    def handle(request: Request) -> Response:
        fields = msgspec.structs.asdict(snapshots.get().network)
        path = client_path(request, proxies)
        return Response(200, encode(NetworkWithClientPath(client_path=path, **fields)))

    return handle
