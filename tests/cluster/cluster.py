"""The manifests of deploy/ on a real Kubernetes: what must be Ready, and what must lose no request.

``make cluster-test`` brings the cluster up (tests/cluster/up), runs this, and prints a table. Load
is two runs of hey at once, with connections kept and with a new one for each request, over the
Service's address in the node's network namespace. One request without a 200 fails the run.
"""

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from tests.docs import test_commands  # noqa: E402  by its path: this is a script

CLUSTER: Final = Path(os.environ.get("CLUSTER", "/tmp/k8s"))
IMAGE: Final = os.environ.get("CLUSTER_IMAGE", "")
"""Archive of the image; empty: built."""
KEPT: Final = ("-c", "50", "-q", os.environ.get("CLUSTER_RATE", "40"))
"""Connections, and requests a second on each."""
NEW: Final = ("-c", "20", "-q", "15", "-disable-keepalive")
RELEASE: Final = "info"
NAME: Final = "info-devops-info-service"
PODS: Final = f"app.kubernetes.io/instance={RELEASE},app.kubernetes.io/name=devops-info-service"
OLD_APIS: Final = {
    "apiVersion: policy/v1\n": "apiVersion: policy/v1beta1\n",
    "apiVersion: autoscaling/v2\n": "apiVersion: autoscaling/v2beta2\n",
}
"""For 1.20; the fields are the same."""


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


def output(argv: Sequence[str | Path], stdin: str = "") -> str:
    """Run to the end and return stdout."""
    return subprocess.run(
        argv, input=stdin, capture_output=True, text=True, check=True, timeout=300
    ).stdout


@dataclass(frozen=True)
class Load:
    """The result of one run of hey."""

    requests: int
    lost: int
    rate: float
    slowest: float
    errors: str


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
        self.helm("upgrade", "--install", RELEASE, "deploy/helm/devops-info-service",
                  "--wait", "--timeout", "120s", *flags)  # fmt: skip

    def pods(self, selector: str) -> list[dict[str, Any]]:
        """Return the pods of *selector* that are not about to end."""
        found = json.loads(self.kubectl("get", "pods", "-A", "-l", selector, "-o", "json"))
        return [pod for pod in found["items"] if "deletionTimestamp" not in pod["metadata"]]

    @contextlib.contextmanager
    def load(self, act: str) -> Iterator[None]:
        """Send requests during the block; every one must be served."""
        host = self.kubectl("get", "service", NAME, "-o", "jsonpath={.spec.clusterIP}")
        hey = [*self.inside, str(CLUSTER / "root/usr/bin/hey"), "-z", "600s", "-t", "10"]
        runs = [
            subprocess.Popen(
                [*hey, *flags, f"http://{host}/health"], stdout=subprocess.PIPE, text=True
            )
            for flags in (KEPT, NEW)
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
        for kind, found in zip(("kept", "new"), results, strict=True):
            self.table.append(
                f"| {act} | {kind} | {found.requests:,} | {found.rate:,.0f} | {found.lost} |"
                f" {found.slowest * 1000:.0f} ms |"
            )
        lost = [found.errors for found in results if found.lost]
        assert not lost, f"requests were lost: {lost}"
        assert all(found.requests for found in results)


def parse(text: str) -> Load:
    """Read the report of hey."""
    statuses = {int(code): int(n) for code, n in re.findall(r"\[(\d{3})\]\t(\d+) responses", text)}
    errors = re.findall(r"^ *\[(\d+)\]\t((?!\d+ responses).*)$", text, re.MULTILINE)
    failed = sum(int(count) for count, _ in errors)
    rate = re.search(r"Requests/sec:\s+([\d.]+)", text)
    slowest = re.search(r"Slowest:\s+([\d.]+)", text)
    others = sum(count for code, count in statuses.items() if code != 200)
    return Load(
        sum(statuses.values()) + failed,
        failed + others,
        float(rate[1]) if rate else 0,
        float(slowest[1]) if slowest else 0,
        "; ".join(f"{count} of {message}" for count, message in errors) or str(statuses),
    )


Act = Callable[[Cluster], str]


def install(cluster: Cluster) -> str:
    """Install the chart with three replicas."""
    cluster.upgrade("replicas=3")
    pods = cluster.pods(PODS)
    assert len(pods) == 3, [pod["metadata"]["name"] for pod in pods]
    return "3 pods Ready"


def helm_test(cluster: Cluster) -> str:
    """Run the chart's test."""
    cluster.helm("test", RELEASE, "--timeout", "60s")
    return "ready over the Service's address, restricted standard held"


def exec_check(cluster: Cluster) -> str:
    """Run the binary in a pod: the health check, and the management port."""
    first = cluster.pods(PODS)[0]["metadata"]["name"]
    program = ("exec", first, "--", "/app/devops-info-service", "check")
    health = cluster.kubectl(*program).strip()
    metrics = cluster.kubectl(*program, "http://127.0.0.1:9090/metrics").strip()
    return f"{health}; {metrics}"


def rolling_update(cluster: Cluster) -> str:
    """Replace every pod under load."""
    with cluster.load("rolling update"):
        cluster.upgrade("replicas=3", f"podAnnotations.rolled=at-{int(time.time())}")
    return "3 pods replaced"


def bad_version(cluster: Cluster) -> str:
    """Roll out a version that ends at once, and roll it back."""
    with cluster.load("rollback of a bad version"):
        try:
            cluster.helm("upgrade", RELEASE, "deploy/helm/devops-info-service", "--wait",
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


def tutorial(cluster: Cluster) -> str:
    """Walk the tutorial's page: each command succeeds and prints what the page shows."""
    page = ROOT / "docs/tutorial/laptop-to-cluster.md"
    chosen = [block for block in test_commands.blocks(page) if block.mark == "run: cluster"]
    steps = [command for block in chosen for command in test_commands.commands(block)]
    conf = CLUSTER / "pki/admin.conf"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for tool, words in (
            ("kubectl", [CLUSTER / "kubectl"]),
            ("helm", [*cluster.inside, cluster.tools / "helm", "--kubeconfig", conf]),
            ("devops-info-service", [ROOT / ".venv/bin/devops-info-service"]),
        ):
            line = " ".join(str(word) for word in words).replace(f"--wd={ROOT}", '--wd="$PWD"')
            (folder / tool).write_text(f'#!/bin/sh\nexec {line} "$@"\n')
            (folder / tool).chmod(0o755)
        test_commands.copy_repository(folder / "repository")
        steps.insert(0, test_commands.Command(f'export PATH="{folder}:$PATH"'))
        outputs = test_commands.run(steps, folder / "repository", folder, 8080)
    for step, printed in zip(steps, outputs, strict=True):
        absent = test_commands.missing(step.shown, printed)
        assert not absent, f"$ {step.text}\nprinted\n{printed}\nwithout {absent}"
    return f"{len(steps)} commands"


def cpu_seconds(cluster: Cluster, pod: str) -> float:
    """Return the CPU time of *pod* by the kubelet, which an autoscaler's metrics come from."""
    text = cluster.kubectl("get", "--raw", "/api/v1/nodes/node1/proxy/metrics/resource")
    pattern = rf'^container_cpu_usage_seconds_total{{[^}}]*pod="{re.escape(pod)}"}} (\S+)'
    found = re.search(pattern, text, re.MULTILINE)
    return float(found[1]) if found else 0.0


def kustomizations(cluster: Cluster) -> str:
    """Apply every kustomization, wait until it is ready, and remove it."""
    found = []
    for name, kind in (
        ("base", "deployment/devops-info-service"),
        ("overlays/development", "deployment/devops-info-service"),
        ("overlays/production", "deployment/devops-info-service"),
        ("overlays/restricted", "deployment/devops-info-service"),
        ("daemonset", "daemonset/devops-info-service-nodes"),
    ):
        namespace = "devops-info" if name.endswith("restricted") else "default"
        manifests = old(output([cluster.tools / "kubectl", "kustomize",
                                ROOT / "deploy/kustomize" / name]))  # fmt: skip
        cluster.kubectl("apply", "-f", "-", stdin=manifests)
        cluster.kubectl("-n", namespace, "rollout", "status", kind, "--timeout=120s")
        cluster.kubectl("delete", "--wait=true", "-f", "-", stdin=manifests)
        found.append(name)
    return f"Ready: {', '.join(found)}"


def job(cluster: Cluster) -> str:
    """Run the Job: it ends with the verdict of its report."""
    manifests = old(output([cluster.tools / "kubectl", "kustomize",
                            ROOT / "deploy/kustomize/job"]))  # fmt: skip
    cluster.kubectl("apply", "-f", "-", stdin=manifests)
    try:
        name = "job/devops-info-service-report"
        cluster.kubectl("wait", "--for=condition=complete", name, "--timeout=60s")
        verdict = cluster.kubectl("logs", name).rpartition("\nProfile ")[2].splitlines()[0]
    finally:
        cluster.kubectl("delete", "-f", "-", stdin=manifests)
    return f"Profile {verdict}"


def loosened(cluster: Cluster) -> str:
    """Grant more, value by value: audit and report name the same checks."""
    found = []
    for value in LOOSENED:
        manifests = output([cluster.tools / "helm", "template", "loose",
                            ROOT / "deploy/helm/devops-info-service", "--set", value,
                            "--set", "replicas=1", "--set", "networkPolicy.enabled=false",
                            "--show-only", "templates/workload.yaml",
                            "--set", "serviceAccount.create=false"])  # fmt: skip
        cluster.kubectl("apply", "-f", "-", stdin=manifests)
        name = "deployment/loose-devops-info-service"
        cluster.kubectl("rollout", "status", name, "--timeout=60s")
        report = cluster.kubectl("exec", name, "--", "/app/devops-info-service", "report", "--json")
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            file.write(report)
            file.flush()
            process = subprocess.run(
                [sys.executable, "-m", "devops_info_service", "audit", "--json", "--against",
                 file.name, "-"], input=manifests, capture_output=True, text=True, check=False,
            )  # fmt: skip
        assert process.stdout, process.stderr
        pod = json.loads(process.stdout)["pods"][0]
        states: dict[str, list[str]] = {}
        for each in pod["differences"]:
            states.setdefault(each["state"], []).append(each["name"])
        refused = [each["id"] for each in pod["checks"] if each["verdict"] == "fail"]
        different = ", ".join(states.get("different", [])) or "nothing"
        found.append(
            f"{value}: refused for {', '.join(refused) or 'nothing'};"
            f" {len(states['same'])} as requested, {different} different"
        )
        # In the foreground: the next one must not find a pod of this.
        cluster.kubectl("delete", "--cascade=foreground", "-f", "-", stdin=manifests)
    return "\n      " + "\n      ".join(found)


LOOSENED: Final = (
    "replicas=1",
    "security.readOnlyRootFilesystem=false",
    "security.runAsUser=0,security.runAsNonRoot=false",
    "security.seccompProfile=Unconfined",
    "security.allowPrivilegeEscalation=true",
    "security.addCapabilities={NET_RAW}",
    "security.keepDefaultCapabilities=true",
    "security.hostPID=true",
    "security.privileged=true",
    "resources.limits.cpu=250m",
)


def old(manifests: str) -> str:
    """Return *manifests* with the names that 1.20 has for their kinds."""
    for name, before in OLD_APIS.items():
        manifests = manifests.replace(name, before)
    return manifests


ACTS: Final[dict[str, Act]] = {
    "chart: install": install,
    "helm test": helm_test,
    "exec check": exec_check,
    "rolling update": rolling_update,
    "rollback of a bad version": bad_version,
    "scaling": scaling,
    "deletion of a pod": death_of_a_pod,
    "end of a container": termination_message,
    "drain of the node": drain,
    "tools": tools,
    "tutorial": tutorial,
    "Kustomize": kustomizations,
    "Job": job,
    "requested and granted": loosened,
}


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
