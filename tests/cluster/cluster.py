"""kubectl and helm on the cluster that tests/cluster/up started, and load on its Service."""

import contextlib
import json
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from .commands import CHART, CLUSTER, NAME, RELEASE, ROOT, output
from .hey import parse

IMAGE: Final = os.environ.get("CLUSTER_IMAGE", "")
"""Archive of the image; empty: built."""
KEPT: Final = ("-c", "50", "-q", os.environ.get("CLUSTER_RATE", "40"))
"""Connections, and requests a second on each."""
NEW: Final = ("-c", "20", "-q", "15", "-disable-keepalive")
HEAVY: Final = {"kept": KEPT, "new": NEW}
LIGHT: Final = {"kept": ("-c", "2", "-q", "5"), "new": ("-c", "2", "-q", "5", "-disable-keepalive")}
"""So little that an autoscaler takes pods away."""


class Cluster:
    """kubectl and helm in the node's namespaces."""

    def __init__(self, tools: Path) -> None:
        self.tools = tools
        holder = (CLUSTER / "run/holder.pid").read_text().strip()
        self.inside = ["nsenter", "--target", holder, "--mount", "--net", f"--wd={ROOT}", "--"]
        self.table = ["| act | connections | requests | a second | lost | slowest |",
                      "|---|---|---|---|---|---|"]  # fmt: skip
        # New connections by the thousand: a closed one's port is free after a second.
        for name, value in (("ip_local_port_range", "1024 65000"), ("tcp_tw_reuse", "1")):
            output([*self.inside, "sh", "-c", f"echo {value} > /proc/sys/net/ipv4/{name}"])

    def load_image(self) -> None:
        """Give the node the image, under the tag of the chart and as latest."""
        with tempfile.TemporaryDirectory() as folder:
            for tag in ("1.0.0", "latest"):
                file = Path(IMAGE) if IMAGE else Path(folder) / "devops-info-service.tar"
                if not IMAGE:
                    onebin = ROOT / ".venv/bin/onebin"
                    output([onebin, "image", ROOT / "packages/service", "-o", folder,
                            "--tag", f"devops-info-service:{tag}"])  # fmt: skip
                output([CLUSTER / "image", file])

    def kubectl(self, *words: str, stdin: str = "") -> str:
        """Run the cluster's kubectl."""
        return output([CLUSTER / "kubectl", *words], stdin)

    def helm(self, *words: str) -> str:
        """Run helm."""
        conf = CLUSTER / "pki/admin.conf"
        return output([*self.inside, self.tools / "helm", "--kubeconfig", str(conf), *words])

    def upgrade(self, *values: str) -> None:
        """Install or upgrade the chart and wait until it is ready."""
        flags = [flag for value in values for flag in ("--set", value)]
        self.helm("upgrade", "--install", RELEASE, CHART,
                  "--wait", "--timeout", "120s", *flags)  # fmt: skip

    def pods(self, selector: str) -> list[dict[str, Any]]:
        """Return the pods of *selector* that are not about to end."""
        found = json.loads(self.kubectl("get", "pods", "-A", "-l", selector, "-o", "json"))
        return [pod for pod in found["items"] if "deletionTimestamp" not in pod["metadata"]]

    @contextlib.contextmanager
    def load(self, act: str, kinds: Mapping[str, tuple[str, ...]] = HEAVY) -> Iterator[None]:
        """Send requests of these *kinds* during the block; every one must be served."""
        host = self.kubectl("get", "service", NAME, "-o", "jsonpath={.spec.clusterIP}")
        hey = [*self.inside, str(CLUSTER / "root/usr/bin/hey"), "-z", "600s", "-t", "10"]
        runs = [
            subprocess.Popen(
                [*hey, *flags, f"http://{host}/health"], stdout=subprocess.PIPE, text=True
            )
            for flags in kinds.values()
        ]
        time.sleep(3)
        try:
            yield
            # What the act leaves behind ends under load as well.
            time.sleep(8)
        finally:
            for run in runs:
                run.send_signal(signal.SIGINT)
            results = [parse(run.communicate(timeout=60)[0]) for run in runs]
        for kind, found in zip(kinds, results, strict=True):
            self.table.append(
                f"| {act} | {kind} | {found.requests:,} | {found.rate:,.0f} | {found.lost} |"
                f" {found.slowest * 1000:.0f} ms |"
            )
        lost = [found.errors for found in results if found.lost]
        assert not lost, f"requests were lost: {lost}"
        assert all(found.requests for found in results)


Act = Callable[[Cluster], str]
"""Raises AssertionError, or the error of a program, if it does not hold."""
