"""The owner of the kernel: the host, or a sandbox made for this workload alone.

Inside a sandbox every other file describes the sandbox: its namespaces, its seccomp, its
mounts. A check of those has to know.
"""

from typing import Final, Literal

import msgspec

from devops_info_service.facts.fact import Evidence, Fact, Known, Unknown, value_of
from devops_info_service.facts.lines import joined, words
from devops_info_service.facts.system_files import SystemFiles

from .mounts import MOUNTINFO, Mounts

VERSION: Final = "/proc/version"
CMDLINE: Final = "/proc/cmdline"

Confidence = Literal["certain", "likely", "possible"]


class Detection(msgspec.Struct, frozen=True):
    """A name and how far to trust it."""

    name: str
    confidence: Confidence


SANDBOXED: Final = Unknown(
    "the kernel is gVisor's own; the confinement of gVisor itself cannot be seen"
)
GUEST: Final = Unknown(
    "it is the first one of the guest of Kata Containers; the machine's do not show in the guest"
)
NONE: Final = Detection("none", "possible")
"""No mark of a sandbox, which proves nothing: a sandbox may hide."""


def read_sandbox(tree: SystemFiles, mounts: Mounts | Unknown) -> Fact[Detection]:
    """Find the marks that gVisor, Kata Containers and Firecracker leave."""
    version = tree.read(VERSION)
    if isinstance(version.content, Unknown):
        return version.content
    banner = joined(version.content)
    seen = (version.evidence("", banner),)
    # gVisor's kernel is a program that claims to be this Linux, built at this date, since 2018; its
    # newer releases name it.
    if "Sun Jan 10 15:06:54 PST 2016" in banner or "-gvisor " in banner.partition("#")[0]:
        return Known(Detection("gvisor", "certain"), seen)
    if banner.startswith("Linux version 4.4.0 "):
        return Known(Detection("gvisor", "possible"), seen)
    return _kata(tree, mounts) or _by_command_line(tree) or Known(NONE, seen)


def is_gvisor(sandbox: Fact[Detection]) -> bool:
    """Return whether the files here are made by gVisor, not by Linux."""
    guess = value_of(sandbox, NONE)
    return guess.name == "gvisor" and guess.confidence == "certain"


def is_kata(sandbox: Fact[Detection]) -> bool:
    """Return whether the kernel here is that of a guest of Kata Containers."""
    guess = value_of(sandbox, NONE)
    return guess.name == "kata" and guess.confidence == "certain"


def _kata(tree: SystemFiles, mounts: Mounts | Unknown) -> Fact[Detection] | None:
    # A table may have thousands of lines, and each of several facts needs this.
    text = tree.read(MOUNTINFO).text
    if isinstance(mounts, Unknown) or (_TAG not in text and KATA_FILES not in text):
        return None
    for mount in mounts.entries:
        # The tag of the directory that the host shares with a Kata guest; without such a one, the
        # agent's own directory, which has another name on the host.
        if mount.origin == _TAG or KATA_FILES in mount.root:
            seen = (Evidence(MOUNTINFO, mount.point, f"{mount.root} {mount.kind} {mount.origin}"),)
            return Known(Detection("kata", "certain"), seen)
    return None


_TAG: Final = "kataShared"
KATA_FILES: Final = "/kata-containers/shared/containers/"
"""Kata Containers, src/agent/src/rpc.rs: files that the host copies into the guest."""
_KATAS: Final = ("systemd.unit=kata-containers", "agent.log")
_FIRECRACKERS: Final = "virtio_mmio.device="
"""Firecracker hands its devices over like this; so may another VMM, and the machine may hold one
container or hundreds."""


def marks_of(command_line: str) -> str:
    """Return the words of the kernel's *command_line* that a sandbox leaves."""
    marks = (*_KATAS, _FIRECRACKERS)
    return " ".join([word for word in words(command_line.rstrip("\n")) if word.startswith(marks)])


def _by_command_line(tree: SystemFiles) -> Fact[Detection] | None:
    for word in words(tree.read(CMDLINE).text.rstrip("\n")):
        if word.startswith(_KATAS):
            return Known(Detection("kata", "certain"), (Evidence(CMDLINE, "", word),))
        if word.startswith(_FIRECRACKERS):
            return Known(Detection("firecracker", "possible"), (Evidence(CMDLINE, "", word),))
    return None
