"""The stack of deploy/compose on a real Swarm of one node: what must lose no request.

    python tests/cluster/swarm.py [ACT ...]

Needs the image devops-info-service:latest in the engine; TAG names another tag of it. Load is the
image's own ``load``, in two containers on the stack's network: connections kept, and a new one for
each request. It follows the names of the tasks (``tasks.NAME``), not the routing mesh, which some
kernels lack. A drain is not tried: on one node it ends every task. Leaves the Swarm if it has
begun it.
"""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).parents[2]
IMAGE: Final = f"devops-info-service:{os.environ.get('TAG', 'latest')}"
STACK: Final = "info-swarm-test"
SERVICE: Final = f"{STACK}_service"
NETWORK: Final = f"{STACK}_default"
KEPT: Final = ("--connections", "20", "--rate", os.environ.get("SWARM_RATE", "1000"))
NEW: Final = ("--connections", "20", "--rate", "200", "--no-keepalive")
ATTACHABLE: Final = """\
version: "3.9"
networks:
  default:
    driver: overlay
    attachable: true
"""


def docker(*words: str, timeout: float = 300) -> str:
    """Run docker to the end and return stdout."""
    run = subprocess.run(
        ["docker", *words],
        capture_output=True,
        text=True,
        check=True,
        timeout=timeout,
        env={**os.environ, "PORT": os.environ.get("PORT", "18080")},
    )
    return run.stdout.strip()


class Swarm:
    """The stack, with the table of lost requests."""

    def __init__(self) -> None:
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
            docker("stack", "deploy", "-c", str(stack), "-c", file.name, STACK)
        self.wait(3)

    def tasks(self) -> list[str]:
        """Return the containers of running and healthy tasks."""
        name = f"label=com.docker.swarm.service.name={SERVICE}"
        return docker("ps", "--quiet", "--filter", name, "--filter", "health=healthy").split()

    def wait(self, replicas: int) -> None:
        """Wait for so many healthy tasks, and no other."""
        deadline = time.monotonic() + 180
        name = f"label=com.docker.swarm.service.name={SERVICE}"
        while True:
            running = docker("ps", "--quiet", "--filter", name).split()
            if len(running) == replicas == len(self.tasks()):
                return
            assert time.monotonic() < deadline, f"{len(running)} tasks; expected {replicas}"
            time.sleep(1)

    def update(self, *words: str) -> str:
        """Update the service; return the state in which that ends."""
        docker("service", "update", "--detach", *words, SERVICE)
        deadline = time.monotonic() + 240
        while True:
            status = json.loads(docker("service", "inspect", SERVICE))[0].get("UpdateStatus", {})
            if status.get("State", "updating") not in {"updating", "rollback_started"}:
                return str(status["State"])
            assert time.monotonic() < deadline, status
            time.sleep(1)

    @contextlib.contextmanager
    def load(self, act: str) -> Iterator[None]:
        """Send requests during the block; every one must be served."""
        url = f"http://tasks.{SERVICE}:8080/health"
        runs = {
            kind: docker("run", "--detach", "--network", NETWORK, IMAGE,
                         "load", url, "--json", "--seconds", "900", *flags)
            for kind, flags in (("kept", KEPT), ("new", NEW))
        }  # fmt: skip
        time.sleep(3)
        found: dict[str, Any] = {}
        try:
            yield
            time.sleep(8)
        finally:
            for kind, container in runs.items():
                docker("stop", "--time", "30", container)
                log = subprocess.run(["docker", "logs", container],
                                     capture_output=True, text=True, check=True)  # fmt: skip
                docker("rm", container)
                assert log.stdout, f"{container}: {log.stderr}"
                found[kind] = json.loads(log.stdout)
        for kind, result in found.items():
            self.table.append(
                f"| {act} | {kind} | {result['requests']:,} | {result['rate']:,.0f} |"
                f" {sum(result['failures'].values())} | {result['retried']} |"
                f" {result['max'] * 1000:.0f} ms |"
            )
        lost = {kind: result["failures"] for kind, result in found.items() if result["failures"]}
        assert not lost, f"requests were lost: {lost}"
        assert all(result["requests"] for result in found.values())


def rolling_update(swarm: Swarm) -> str:
    """Replace every task under load."""
    with swarm.load("rolling update"):
        state = swarm.update("--label-add", "a=b", "--env-add", f"ROLLED={int(time.time())}")
        swarm.wait(3)
    assert state == "completed", state
    return state


def bad_version(swarm: Swarm) -> str:
    """Roll out a version that ends at once: the Swarm rolls it back."""
    with swarm.load("rollback of a bad version"):
        state = swarm.update("--env-add", "MAX_FIELDS=none")
        swarm.wait(3)
    assert state == "rollback_completed", state
    return state


def scaling(swarm: Swarm) -> str:
    """Scale up and down."""
    with swarm.load("scaling 3, 6, 1, 3"):
        for replicas in (6, 1, 3):
            docker("service", "scale", "--detach", f"{SERVICE}={replicas}")
            swarm.wait(replicas)
    return "3, 6, 1, 3"


def end_of_a_task(swarm: Swarm) -> str:
    """End a task's container as the engine does; the Swarm starts another."""
    with swarm.load("end of a task"):
        docker("stop", "--time", "20", swarm.tasks()[0])
        swarm.wait(3)
    return "replaced"


ACTS: Final[dict[str, Callable[[Swarm], str]]] = {
    "rolling update": rolling_update,
    "rollback of a bad version": bad_version,
    "scaling": scaling,
    "end of a task": end_of_a_task,
}


def main(*wanted: str) -> int:
    """Run the *wanted* acts, by default every one; return 1 if one failed."""
    began = docker("info", "--format", "{{.Swarm.LocalNodeState}}") == "inactive"
    if began:
        docker("swarm", "init", "--advertise-addr", "127.0.0.1")
    swarm, failures = Swarm(), []
    try:
        swarm.deploy()
        for name, act in ACTS.items():
            if wanted and name not in wanted:
                continue
            started = time.monotonic()
            try:
                result = act(swarm)
            except (AssertionError, subprocess.SubprocessError, LookupError, ValueError) as exc:
                failures.append(name)
                result = f"FAIL: {exc} {getattr(exc, 'stderr', '') or ''}"
            print(f"{name} ({time.monotonic() - started:.0f} s): {result}", flush=True)
    finally:
        docker("stack", "rm", STACK)
        if began:
            docker("swarm", "leave", "--force")
    print("\n" + "\n".join(swarm.table))
    print(f"{len(failures)} failed: {', '.join(failures) or 'none'}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
