"""What the platform really gives this workload: all parts in one value.

``msgspec.json.encode`` of it is the answer of the route; nothing in it is a secret.
"""

import msgspec

from devops_info_service.facts.container.filesystem import Filesystem, read_filesystem
from devops_info_service.facts.kubernetes.identity import Identity, read_identity
from devops_info_service.facts.linux.network import Network, read_network
from devops_info_service.facts.linux.resources import Resources, read_resources
from devops_info_service.facts.linux.uptime import rfc3339
from devops_info_service.facts.system_files import Clock, Tree
from devops_info_service.standards.security import Security, read_security


class Platform(msgspec.Struct, frozen=True):
    """One look at everything."""

    taken_at: str
    """RFC 3339, UTC."""
    seconds: float
    """What the look took."""
    resources: Resources
    security: Security
    identity: Identity
    network: Network
    filesystem: Filesystem


def platform(tree: Tree, clock: Clock, allowed: frozenset[str] = frozenset()) -> Platform:
    """Look at everything once: a few hundred small reads and one short walk.

    *allowed* are names of variables whose values may be shown.
    """
    started = clock.monotonic()
    resources = read_resources(tree)
    security = read_security(tree, clock)
    identity = read_identity(tree, clock)
    network = read_network(tree, allowed)
    filesystem = read_filesystem(tree)
    return Platform(
        taken_at=rfc3339(int(clock.time())),
        seconds=round(clock.monotonic() - started, 6),
        resources=resources,
        security=security,
        identity=identity,
        network=network,
        filesystem=filesystem,
    )
