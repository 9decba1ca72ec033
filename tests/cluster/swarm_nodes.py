"""Separate Docker engines: the nodes of a Swarm on one machine.

Each engine has a mount and a network namespace, directories and a control group, so the machine's
engine and its rules stay as they are; veth(4) joins the networks. Root, and Debian's docker.io.
"""

import contextlib
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from .commands import output

FOLDER: Final = Path(os.environ.get("SWARM", "/tmp/devops-info-swarm"))
NETWORK: Final = "198.51.100"
"""TEST-NET-2 (RFC 5737): nothing outside has it."""
PATIENCE_SECONDS: Final = 120


class Node:
    """One engine."""

    def __init__(self, number: int) -> None:
        self.name = f"node{number}"
        self.address = f"{NETWORK}.{number}"
        self.folder = FOLDER / self.name
        self._socket = f"unix://{self.folder}/docker.sock"
        # The namespaces live as long as this process.
        self._holder = subprocess.Popen(
            [
                "unshare",
                "--mount",
                "--net",
                "--uts",
                "--propagation",
                "private",
                "sleep",
                "infinity",
            ],
            start_new_session=True,
        )
        self._engine: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """A process in the node's namespaces."""
        return self._holder.pid

    def inside(self, *argv: str) -> list[str]:
        """Return *argv* for the node's namespaces."""
        return ["nsenter", "--target", str(self.pid), "--mount", "--net", "--uts", "--", *argv]

    def docker(self, *words: str) -> str:
        """Run the client for this engine and return stdout without its last line break."""
        return output(["docker", "--host", self._socket, *words]).strip()

    def start(self) -> None:
        """Start the engine and wait until it responds."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        (self.folder / "config.json").write_text("{}")
        wait(self._is_apart, f"{self.name} has no namespaces")
        for line in (
            f"hostname {self.name}",
            "mount -t tmpfs tmpfs /run",
            "ip link set lo up",
        ):
            output(self.inside(*line.split()))
        log = (self.folder / "log").open("wb")
        self._engine = subprocess.Popen(
            self.inside(
                "dockerd",
                "--config-file", f"{self.folder}/config.json",
                "--data-root", f"{self.folder}/data",
                "--pidfile", f"{self.folder}/pid",
                "--host", self._socket,
                "--cgroup-parent", f"/devops-info-swarm-{self.name}",
            ),
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
        wait(self._responds, f"{self.name}: see {self.folder}/log")

    def stop(self) -> None:
        """Stop the engine with its containers, and leave nothing of them."""
        if self._engine is not None:
            self._engine.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._engine.wait(PATIENCE_SECONDS)
        self._holder.kill()
        self._holder.wait()
        for root in Path("/sys/fs/cgroup").rglob(f"devops-info-swarm-{self.name}"):
            with contextlib.suppress(OSError):
                root.rmdir()
        if self._engine is not None and self._engine.poll() == 0:
            shutil.rmtree(self.folder, ignore_errors=True)

    def _is_apart(self) -> bool:
        own, other = (Path(f"/proc/{each}/ns/net").readlink() for each in ("self", self.pid))
        return own != other

    def _responds(self) -> bool:
        with contextlib.suppress(subprocess.CalledProcessError):
            return bool(self.docker("version", "--format", "{{.Server.Version}}"))
        return False


@contextlib.contextmanager
def swarm(image: Path) -> Iterator[tuple[Node, Node]]:
    """Start a Swarm of a manager and a worker, both with the image."""
    with contextlib.ExitStack() as stack:
        nodes = (Node(1), Node(2))
        for node in nodes:
            stack.callback(node.stop)
        for node in nodes:
            node.start()
            node.docker("load", "--input", str(image))
        manager, worker = nodes
        connect(manager, worker)
        manager.docker("swarm", "init", "--advertise-addr", manager.address)
        token = manager.docker("swarm", "join-token", "--quiet", "worker")
        worker.docker("swarm", "join", "--token", token, "--advertise-addr", worker.address,
                      f"{manager.address}:2377")  # fmt: skip
        yield nodes


def connect(one: Node, other: Node) -> None:
    """Join the networks of two nodes."""
    output(["ip", "link", "add", "nodes", "netns", str(one.pid),
            "type", "veth", "peer", "name", "nodes", "netns", str(other.pid)])  # fmt: skip
    for node in (one, other):
        for line in (f"ip addr add {node.address}/24 dev nodes", "ip link set nodes up"):
            output(node.inside(*line.split()))


def wait(fact: Callable[[], object], missing: str, seconds: float = PATIENCE_SECONDS) -> None:
    """Wait until *fact* returns something true."""
    deadline = time.monotonic() + seconds
    while not fact():
        assert time.monotonic() < deadline, f"not within {seconds:g} s: {missing}"
        time.sleep(0.5)
