"""The service's tools, used as an operator does: by kubectl alone."""

import contextlib
import json
import re
import subprocess
import time
from typing import Any

from .cluster import Cluster
from .commands import CLUSTER, NAME, PODS


def tools(cluster: Cluster) -> str:
    """Switch the tools on, and use each of them as an operator does: by kubectl alone."""
    cluster.upgrade("replicas=3", "tools.enabled=true")
    pods = [pod["metadata"]["name"] for pod in cluster.pods(PODS)]
    first, second, third = pods
    host = cluster.kubectl("get", "service", NAME, "-o", "jsonpath={.spec.clusterIP}")

    def control(verb: str, pod: str, path: str, body: str = "") -> str:
        raw = f"/api/v1/namespaces/default/pods/{pod}:9090/proxy/tools/{path}"
        return cluster.kubectl(verb, "--raw", raw, *(["-f", "-"] if body else []), stdin=body)

    def load(seconds: int) -> dict[str, Any]:
        """Send load from within the cluster, by the binary itself."""
        program = ["exec", third, "--", "/app/devops-info-service", "load", f"http://{host}/",
                   "--no-keepalive", "--connections", "4", "--rate", "300",
                   "--seconds", str(seconds), "--json"]  # fmt: skip
        argv = [str(CLUSTER / "kubectl"), *program]
        run = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=120)
        found: dict[str, Any] = json.loads(run.stdout)
        return found

    found = []
    control("replace", first, "faults", '{"ready": false, "for_seconds": 25}')
    cluster.kubectl("wait", "--for=condition=ready=false", f"pod/{first}", "--timeout=30s")
    without = load(5)
    assert not without["failures"], without
    found.append(f"unready pod: {without['requests']} requests, none lost")
    cluster.kubectl("wait", "--for=condition=ready", f"pod/{first}", "--timeout=60s")
    control("replace", second, "faults", '{"error_rate": 1, "error_status": 503}')
    failing = load(5)
    failed = failing["failures"].get("status 503", 0)
    # One of three pods, chosen at random for each connection.
    assert failing["failures"].keys() == {"status 503"}, failing
    assert 0.2 < failed / failing["requests"] < 0.47, failing
    found.append(f"one pod fails: {failed} of {failing['requests']}")
    control("delete", second, "faults")
    assert not load(2)["failures"]
    before = cpu_seconds(cluster, first)
    control("create", first, "burn", '{"cpus": 0.5, "memory_bytes": 10000000, "seconds": 20}')
    time.sleep(30)
    burnt = cpu_seconds(cluster, first) - before
    assert burnt > 1, burnt  # ten, on a machine with a CPU to spare
    found.append(f"burn of half a CPU for 20 s: the kubelet counts {burnt:.1f} s")
    with contextlib.suppress(subprocess.CalledProcessError):
        control("create", first, "exit/7", "{}")
    deadline = time.monotonic() + 60
    code = None
    while code != 7:
        assert time.monotonic() < deadline, code
        pod = json.loads(cluster.kubectl("get", "pod", first, "-o", "json"))
        container = pod["status"]["containerStatuses"][0]
        # The kubelet forgets the last state of a restarted container soon.
        ended = container["state"].get("terminated") or container["lastState"].get("terminated")
        code = (ended or {}).get("exitCode")
    cluster.kubectl("wait", "--for=condition=ready", f"pod/{first}", "--timeout=60s")
    found.append("ended with status 7, restarted")
    cluster.upgrade("replicas=3")
    return "; ".join(found)


def cpu_seconds(cluster: Cluster, pod: str) -> float:
    """Return the CPU time of *pod* by the kubelet, which an autoscaler's metrics come from."""
    text = cluster.kubectl("get", "--raw", "/api/v1/nodes/node1/proxy/metrics/resource")
    pattern = rf'^container_cpu_usage_seconds_total{{[^}}]*pod="{re.escape(pod)}"}} (\S+)'
    found = re.search(pattern, text, re.MULTILINE)
    return float(found[1]) if found else 0.0
