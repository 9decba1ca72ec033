"""What an operator does to a release under load: no request may be lost."""

import json
import shutil
import subprocess
import time

from .cluster import Cluster
from .commands import CHART, CLUSTER, NAME, PODS, RELEASE, output


def rolling_update(cluster: Cluster) -> str:
    """Replace every pod under load."""
    with cluster.load("rolling update"):
        cluster.upgrade("replicas=3", f"podAnnotations.rolled=at-{int(time.time())}")
    return "3 pods replaced"


def bad_version(cluster: Cluster) -> str:
    """Roll out a version that ends at once, and roll it back."""
    with cluster.load("rollback of a bad version"):
        try:
            cluster.helm("upgrade", RELEASE, CHART, "--wait",
                         "--timeout", "15s", "--set", "replicas=3",
                         "--set", "settings.MAX_FIELDS=none")  # fmt: skip
        except subprocess.CalledProcessError as exc:
            reason = str(exc.stderr).strip().splitlines()[-1]
        else:
            raise AssertionError("a version that cannot start was rolled out")
        cluster.helm("rollback", RELEASE, "--wait", "--timeout", "120s")
    return f"refused ({reason[:80]}), rolled back"


def scaling(cluster: Cluster) -> str:
    """Scale up and down."""
    with cluster.load("scaling 3, 6, 1, 3"):
        for replicas in ("6", "1", "3"):
            cluster.kubectl("scale", "deployment", NAME, f"--replicas={replicas}")
            cluster.kubectl("rollout", "status", "deployment", NAME, "--timeout=120s")
            time.sleep(8)
    return "3, 6, 1, 3"


def death_of_a_pod(cluster: Cluster) -> str:
    """Delete a pod, and read its termination message in its log."""
    first = cluster.pods(PODS)[0]["metadata"]["name"]
    with cluster.load("deletion of a pod"):
        log = subprocess.Popen(
            [CLUSTER / "kubectl", "logs", "--follow", "--tail=20", first],
            stdout=subprocess.PIPE,
            text=True,
        )
        cluster.kubectl("delete", "pod", first, "--wait=true")
        printed = log.communicate(timeout=60)[0]
        cluster.kubectl("rollout", "status", "deployment", NAME, "--timeout=120s")
    events = [json.loads(line) for line in printed.splitlines() if '"termination"' in line]
    assert events, printed
    return f"its log: {' '.join(events[-1]['advice'])}"


def termination_message(cluster: Cluster) -> str:
    """End a container in its pod: kubectl describes its last state with the message."""
    first = cluster.pods(PODS)[0]
    name = first["metadata"]["name"]
    container = first["status"]["containerStatuses"][0]["containerID"].removeprefix("containerd://")
    socket = str(CLUSTER / "node/run/containerd/containerd.sock")
    ctr = shutil.which("ctr") or str(CLUSTER / "root/usr/bin/ctr")
    with cluster.load("end of a container"):
        output([*cluster.inside, ctr, "--address", socket, "--namespace", "k8s.io",
                "tasks", "kill", "--signal", "SIGTERM", container])  # fmt: skip
        deadline = time.monotonic() + 60
        described = ""
        while '"advice"' not in described:
            assert time.monotonic() < deadline, described
            time.sleep(1)
            described = cluster.kubectl("describe", "pod", name)
        cluster.kubectl("wait", "--for=condition=ready", f"pod/{name}", "--timeout=60s")
    return described.partition("Message:")[2].splitlines()[0].strip()[:200]


def drain(cluster: Cluster) -> str:
    """Evict every pod as a drain does, within the budget; the one node takes the new ones."""
    with cluster.load("drain of the node"):
        running = subprocess.Popen(
            [CLUSTER / "kubectl", "drain", "node1", "--ignore-daemonsets", "--force",
             "--pod-selector", PODS, "--timeout=150s"],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        # There is no other node: without this the evicted ones would wait for one for ever.
        for _ in range(20):
            cluster.kubectl("uncordon", "node1")
            time.sleep(0.3)
        printed = running.communicate(timeout=180)[0]
        assert running.returncode == 0, printed
        cluster.kubectl("rollout", "status", "deployment", NAME, "--timeout=120s")
    evicted, delayed = printed.count("evicted"), printed.count("would violate")
    return f"{evicted} evicted, {delayed} put off by the budget"
