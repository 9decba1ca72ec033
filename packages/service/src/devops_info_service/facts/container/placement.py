"""Container or machine around this process, each by its positive signs."""

from typing import Final

from devops_info_service.facts.fact import Fact, Known, Unknown
from devops_info_service.facts.linux.sandbox import Detection

from .engine import NO_CONTAINER
from .volumes import Volumes

CONTAINER: Final = "container"
MACHINE: Final = "machine"
ON_MACHINE: Final = Detection(MACHINE, "certain")


def read_placement(
    engine: Fact[Detection], sandbox: Fact[Detection], volumes: Volumes
) -> Fact[Detection]:
    """Return ``container`` or ``machine``; without a sign of either it is unknown.

    An engine that is likely makes a container likely, and no more.
    """
    if isinstance(volumes.pod, Known):
        return Known(Detection(CONTAINER, "certain"), volumes.pod.evidence)
    if isinstance(engine, Known) and engine.value == NO_CONTAINER:
        return Known(ON_MACHINE, engine.evidence)
    # Which of two engines it was may be open; that one made these mounts is not. systemd masks for
    # its units as well.
    made = [mount for mount, maker in volumes.engine_mounts if maker != "systemd"]
    if made:
        return Known(Detection(CONTAINER, "certain"), (made[0].evidence(),))
    if isinstance(engine, Known):
        return Known(Detection(CONTAINER, engine.value.confidence), engine.evidence)
    if isinstance(sandbox, Known) and sandbox.value.name in {"gvisor", "kata"}:
        return Known(Detection(CONTAINER, sandbox.value.confidence), sandbox.evidence)
    return Unknown(f"container or machine: {engine.reason}")
