"""The stack of deploy/compose on a Swarm, and load on it.

Load is the image's own ``load``, in two containers of the manager on the stack's network:
connections kept, and a new one for each request. It follows the names of the tasks
(``tasks.NAME``), not the routing mesh, for which a kernel needs IPVS.
"""

import contextlib
import json
import os
import tempfile
import time
from collections.abc import Iterator
from typing import Any, Final

from .commands import ROOT, output
from .swarm_nodes import Node, wait

IMAGE: Final = "devops-info-service:latest"
STACK: Final = "info"
SERVICE: Final = f"{STACK}_service"
NETWORK: Final = f"{STACK}_default"
KEPT: Final = ("--connections", "20", "--rate", os.environ.get("SWARM_RATE", "2000"))
NEW: Final = ("--connections", "20", "--rate", "300", "--no-keepalive")
ATTACHABLE: Final = """\
version: "3.9"
networks:
  default:
    driver: overlay
    attachable: true
"""
_TASKS: Final = f"label=com.docker.swarm.service.name={SERVICE}"


class Swarm:
    """The stack on two nodes, with the table of lost requests."""

    def __init__(self, manager: Node, worker: Node) -> None:
        self.manager = manager
        self.worker = worker
        self.table = [
            "| act | connections | requests | a second | lost | retried | slowest |",
            "|---|---|---|---|---|---|---|",
        ]

    def deploy(self) -> None:
        """Deploy the stack, its network open to containers, and wait until it is healthy."""
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
            file.write(ATTACHABLE)
            file.flush()
            stack = ROOT / "deploy/compose/stack.yaml"
            self.manager.docker("stack", "deploy", "--resolve-image", "never",
                                "--compose-file", str(stack), "--compose-file", file.name,
                                STACK)  # fmt: skip
        self.wait(3)

    def tasks(self, node: Node, *filters: str) -> list[str]:
        """Return the containers of running tasks on a node."""
        flags = [flag for each in (_TASKS, *filters) for flag in ("--filter", each)]
        return node.docker("ps", "--quiet", *flags).split()

    def wait(self, replicas: int) -> None:
        """Wait for so many healthy tasks, and no other."""
        nodes = (self.manager, self.worker)

        def is_so() -> bool:
            running = [each for node in nodes for each in self.tasks(node)]
            healthy = [each for node in nodes for each in self.tasks(node, "health=healthy")]
            return len(running) == len(healthy) == replicas

        wait(is_so, f"{replicas} healthy tasks", 240)

    def update(self, *words: str) -> str:
        """Update the service; return the state in which that ends."""
        self.manager.docker("service", "update", "--detach", *words, SERVICE)

        def ended() -> bool:
            return self._update_state() not in {"updating", "rollback_started"}

        wait(ended, "the update's end", 300)
        return self._update_state()

    def _update_state(self) -> str:
        found = json.loads(self.manager.docker("service", "inspect", SERVICE))[0]
        return str(found.get("UpdateStatus", {}).get("State", "updating"))

    @contextlib.contextmanager
    def load(self, act: str) -> Iterator[None]:
        """Send requests during the block; every one must be served."""
        url = f"http://tasks.{SERVICE}:8080/health"
        runs = {
            kind: self.manager.docker("run", "--detach", "--network", NETWORK, IMAGE,
                                      "load", url, "--json", "--seconds", "900", *flags)
            for kind, flags in (("kept", KEPT), ("new", NEW))
        }  # fmt: skip
        time.sleep(3)
        found: dict[str, Any] = {}
        try:
            yield
            # What the act leaves behind ends under load as well.
            time.sleep(8)
        finally:
            for kind, container in runs.items():
                self.manager.docker("stop", "--time", "30", container)
                found[kind] = json.loads(self.manager.docker("logs", container))
                self.manager.docker("rm", container)
        for kind, result in found.items():
            self.table.append(
                f"| {act} | {kind} | {result['requests']:,} | {result['rate']:,.0f} |"
                f" {sum(result['failures'].values())} | {result['retried']} |"
                f" {result['max'] * 1000:.0f} ms |"
            )
        lost = {kind: result["failures"] for kind, result in found.items() if result["failures"]}
        assert not lost, f"requests were lost: {lost}"
        assert all(result["requests"] for result in found.values())


def build(folder: str) -> str:
    """Build the image, and return the path of its archive."""
    output([ROOT / ".venv/bin/onebin", "image", ROOT / "packages/service", "-o", folder,
            "--tag", IMAGE])  # fmt: skip
    return f"{folder}/devops-info-service.tar"
