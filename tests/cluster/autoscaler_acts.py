"""The HorizontalPodAutoscaler: more pods by load, fewer without."""

import contextlib
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

from .cluster import LIGHT, Cluster
from .commands import NAME, ROOT

MIN, MAX = 2, 4


def autoscaler(cluster: Cluster) -> str:
    """Scale up by the CPU time of the load, and down when little of it is left."""
    with pod_metrics(cluster):
        limits = (f"autoscaling.minReplicas={MIN}", f"autoscaling.maxReplicas={MAX}")
        cluster.upgrade("autoscaling.enabled=true", *limits)
        wait(lambda: current(cluster)[1] is not None, 180)
        with cluster.load("autoscaler, up"):
            wait(lambda: ready(cluster) > MIN, 180)
            most, (_, high) = ready(cluster), current(cluster)
        with cluster.load("autoscaler, down", LIGHT):
            wait(lambda: ready(cluster) == MIN, 240)
            _, low = current(cluster)
        top = cluster.kubectl("top", "pods").splitlines()
    assert len(top) > MIN, top
    cluster.upgrade("replicas=3")
    return f"{MIN} to {most} pods at {high} % of the request, back to {MIN} at {low} %"


@contextlib.contextmanager
def pod_metrics(cluster: Cluster) -> Iterator[None]:
    """Serve the metrics of pods during the block."""
    program = [sys.executable, "-m", "tests.cluster.pod_metrics"]
    process = subprocess.Popen([*cluster.inside, *program], cwd=ROOT)
    try:
        wait(lambda: cluster.kubectl("get", "--raw", "/apis/metrics.k8s.io/v1beta1/pods"), 60)
        yield
    finally:
        process.terminate()
        process.wait(timeout=30)
        cluster.kubectl("delete", "apiservice", "v1beta1.metrics.k8s.io", "--ignore-not-found")


def current(cluster: Cluster) -> tuple[int, int | None]:
    """Return the autoscaler's number of pods, and their use in per cent of the request."""
    kind = "horizontalpodautoscaler.v1.autoscaling"  # the version with a field for the CPU
    found = cluster.kubectl("get", kind, NAME, "--output", "json")
    status = json.loads(found)["status"]
    return int(status["currentReplicas"]), status.get("currentCPUUtilizationPercentage")


def ready(cluster: Cluster) -> int:
    """Return the number of Ready pods; 0 while there are others than wanted."""
    status = json.loads(cluster.kubectl("get", "deployment", NAME, "--output", "json"))["status"]
    same = status.get("readyReplicas") == status["replicas"]
    return int(status["replicas"]) if same else 0


def wait(fact: Callable[[], object], seconds: float) -> None:
    """Wait until *fact* returns something true; an error of kubectl is not."""
    deadline = time.monotonic() + seconds
    while True:
        with contextlib.suppress(subprocess.CalledProcessError):
            if fact():
                return
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(1)
