"""The manifests of deploy/ on a real Kubernetes: what must be Ready, and what must lose no request.

``make cluster-test`` brings the cluster up (tests/cluster/up), runs this, and prints a table. Load
is two runs of hey at once, with connections kept and with a new one for each request, over the
Service's address in the node's network namespace. One request without a 200 fails the run.

    python -m tests.cluster [ACT ...]
"""

import subprocess
import sys
import time
from pathlib import Path
from typing import Final

from . import autoscaler_acts, grant_acts, install_acts, rollout_acts, tool_acts
from .cluster import Act, Cluster
from .commands import CLUSTER, ROOT, output

ACTS: Final[dict[str, Act]] = {
    "chart: install": install_acts.install,
    "helm test": install_acts.helm_test,
    "exec check": install_acts.exec_check,
    "rolling update": rollout_acts.rolling_update,
    "rollback of a bad version": rollout_acts.bad_version,
    "scaling": rollout_acts.scaling,
    "deletion of a pod": rollout_acts.death_of_a_pod,
    "end of a container": rollout_acts.termination_message,
    "drain of the node": rollout_acts.drain,
    "autoscaler": autoscaler_acts.autoscaler,
    "tools": tool_acts.tools,
    "tutorial": install_acts.tutorial,
    "Kustomize": install_acts.kustomizations,
    "Job": install_acts.job,
    "requested and granted": grant_acts.loosened,
    "volumes": grant_acts.volumes,
}


def main(*wanted: str) -> int:
    """Run the *wanted* acts, by default every one; return 1 if one failed."""
    if not (CLUSTER / "kubectl").exists():
        print(f"no cluster in {CLUSTER}: run tests/cluster/up", file=sys.stderr)
        return 2
    tools = Path(output([ROOT / ".ci/prepare-kubernetes"]).strip())
    cluster = Cluster(tools)
    cluster.load_image()
    acts = {name: act for name, act in ACTS.items() if name in (wanted or ACTS)}
    failures = [name for name, act in acts.items() if not attempt(name, act, cluster)]
    print("\n" + "\n".join(cluster.table))
    print(f"{len(acts)} acts, {len(failures)} failed: {', '.join(failures) or 'none'}")
    return 1 if failures else 0


def attempt(name: str, act: "Act", cluster: "Cluster") -> bool:
    """Run *act*, print its result in one line, and return whether it held."""
    started = time.monotonic()
    try:
        result = act(cluster)
    except (AssertionError, subprocess.SubprocessError, LookupError, ValueError) as exc:
        detail = getattr(exc, "stderr", "") or ""
        print(f"FAIL  {name}: {exc} {detail[-2000:]}", flush=True)
        return False
    print(f"ok    {name} ({time.monotonic() - started:.0f} s): {result}", flush=True)
    return True


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
