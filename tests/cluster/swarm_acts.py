"""The stack of deploy/compose on a real Swarm of two nodes: what must lose no request.

    python -m tests.cluster.swarm_acts [ACT ...]

Needs root and Debian's docker.io, not its engine: the nodes are separate engines, which end
with the run. SWARM_IMAGE names an archive of the image, which is built otherwise.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from .swarm import SERVICE, Swarm, build
from .swarm_nodes import swarm


def rolling_update(stack: Swarm) -> str:
    """Replace every task under load."""
    with stack.load("rolling update"):
        state = stack.update("--env-add", f"ROLLED={int(time.time())}")
        stack.wait(3)
    assert state == "completed", state
    return state


def bad_version(stack: Swarm) -> str:
    """Roll out a version that ends at once: the Swarm rolls it back."""
    with stack.load("rollback of a bad version"):
        state = stack.update("--env-add", "MAX_FIELDS=none")
        stack.wait(3)
    assert state == "rollback_completed", state
    return state


def scaling(stack: Swarm) -> str:
    """Scale up and down."""
    with stack.load("scaling 3, 6, 1, 3"):
        for replicas in (6, 1, 3):
            stack.manager.docker("service", "scale", "--detach", f"{SERVICE}={replicas}")
            stack.wait(replicas)
    return "3, 6, 1, 3"


def end_of_a_task(stack: Swarm) -> str:
    """End a task's container behind the Swarm's back, which starts another."""
    with stack.load("end of a task"):
        stack.manager.docker("stop", "--time", "20", stack.tasks(stack.manager)[0])
        stack.wait(3)
    return "replaced"


def drain(stack: Swarm) -> str:
    """Drain the worker: its tasks move to the manager."""
    moved = len(stack.tasks(stack.worker))
    assert moved, "no task on the worker"
    with stack.load("drain of a node"):
        stack.manager.docker("node", "update", "--availability", "drain", stack.worker.name)
        stack.wait(3)
    assert not stack.tasks(stack.worker)
    stack.manager.docker("node", "update", "--availability", "active", stack.worker.name)
    return f"{moved} moved"


ACTS: Final[dict[str, Callable[[Swarm], str]]] = {
    "rolling update": rolling_update,
    "rollback of a bad version": bad_version,
    "scaling": scaling,
    "end of a task": end_of_a_task,
    "drain of a node": drain,
}


def main(*wanted: str) -> int:
    """Run the *wanted* acts, by default every one; return 1 if one failed."""
    failures = []
    with tempfile.TemporaryDirectory() as folder:
        image = Path(os.environ.get("SWARM_IMAGE") or build(folder))
        with swarm(image) as nodes:
            stack = Swarm(*nodes)
            stack.deploy()
            for name, act in ACTS.items():
                if wanted and name not in wanted:
                    continue
                started = time.monotonic()
                try:
                    result = act(stack)
                except (AssertionError, subprocess.SubprocessError, LookupError, ValueError) as exc:
                    failures.append(name)
                    result = f"FAIL: {exc} {getattr(exc, 'stderr', '') or ''}"
                print(f"{name} ({time.monotonic() - started:.0f} s): {result}", flush=True)
            stack.manager.docker("stack", "rm", "info")
    print("\n" + "\n".join(stack.table))
    print(f"{len(failures)} failed: {', '.join(failures) or 'none'}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
