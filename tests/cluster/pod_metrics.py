"""The CPU time of pods as ``metrics.k8s.io``, from kubelet's own summary.

A HorizontalPodAutoscaler and ``kubectl top`` read it; metrics-server is not in Debian. It serves
for the one node of tests/cluster/up, in whose network it runs:

    python -m tests.cluster.pod_metrics
"""

import json
import ssl
import urllib.parse
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

from .commands import CLUSTER, output

NODE: Final = "node1"
ADDRESS: Final = "198.51.100.10"
PORT: Final = 9443
API: Final = "/apis/metrics.k8s.io/v1beta1"
_META: Final = {"name": "pod-metrics", "namespace": "kube-system"}
OBJECTS: Final = (
    {"apiVersion": "v1", "kind": "Service", "metadata": _META,
     "spec": {"ports": [{"port": 443, "targetPort": PORT}]}},
    {"apiVersion": "v1", "kind": "Endpoints", "metadata": _META,
     "subsets": [{"addresses": [{"ip": ADDRESS}], "ports": [{"port": PORT}]}]},
    {"apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService",
     "metadata": {"name": "v1beta1.metrics.k8s.io"},
     "spec": {"group": "metrics.k8s.io", "version": "v1beta1", "insecureSkipTLSVerify": True,
              "groupPriorityMinimum": 100, "versionPriority": 100, "service": _META}},
)  # fmt: skip
"""The Service has no selector: its one address is the node's, where this listens."""


def kubectl(*words: str) -> Any:
    """Run kubectl and return the JSON that it prints."""
    return json.loads(output([CLUSTER / "kubectl", *words]))


def usage(namespace: str, wanted: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    """Yield the PodMetrics of running pods; an empty *namespace* is every one."""
    where = ("--namespace", namespace) if namespace else ("--all-namespaces",)
    labels = {
        (pod["metadata"]["namespace"], pod["metadata"]["name"]): pod["metadata"].get("labels", {})
        for pod in kubectl("get", "pods", *where, "--output", "json")["items"]
    }
    summary = kubectl("get", "--raw", f"/api/v1/nodes/{NODE}/proxy/stats/summary")
    for pod in summary["pods"]:
        place = (pod["podRef"]["namespace"], pod["podRef"]["name"])
        own = labels.get(place)
        if own is None or not wanted.items() <= own.items():
            continue
        containers = [each for each in pod.get("containers", ()) if "usageNanoCores" in each["cpu"]]
        if containers:
            yield {
                "metadata": {"namespace": place[0], "name": place[1], "labels": own},
                "timestamp": containers[0]["cpu"]["time"],
                "window": "10s",
                "containers": [
                    {
                        "name": each["name"],
                        "usage": {
                            "cpu": f"{each['cpu']['usageNanoCores']}n",
                            "memory": str(each["memory"]["workingSetBytes"]),
                        },
                    }
                    for each in containers
                ],
            }


class Handler(BaseHTTPRequestHandler):
    """Discovery, and the list of pods with a selector of equalities, as the autoscaler sends it."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Respond to one request."""
        path, _, query = self.path.partition("?")
        if path.rstrip("/") == API:
            kind = {"name": "pods", "singularName": "", "namespaced": True, "kind": "PodMetrics",
                    "verbs": ["get", "list"]}  # fmt: skip
            self._send({"kind": "APIResourceList", "apiVersion": "v1",
                        "groupVersion": "metrics.k8s.io/v1beta1", "resources": [kind]})  # fmt: skip
            return
        namespace = path.partition("/namespaces/")[2].partition("/")[0]
        selector = dict(urllib.parse.parse_qsl(query)).get("labelSelector", "")
        wanted = dict(each.split("=", 1) for each in selector.split(",") if each)
        self._send({"kind": "PodMetricsList", "apiVersion": "metrics.k8s.io/v1beta1",
                    "metadata": {}, "items": list(usage(namespace, wanted))})  # fmt: skip

    def _send(self, document: Mapping[str, Any]) -> None:
        body = json.dumps(document).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Log nothing."""


def main() -> None:
    """Register the API and serve it until the process is ended."""
    objects = json.dumps({"apiVersion": "v1", "kind": "List", "items": OBJECTS})
    output([CLUSTER / "kubectl", "apply", "--filename", "-"], objects)
    server = ThreadingHTTPServer((ADDRESS, PORT), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CLUSTER / "pki/server.crt", CLUSTER / "pki/server.key")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
