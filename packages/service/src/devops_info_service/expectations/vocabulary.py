"""Every name that can be expected: its kind, its meaning, where its value stands.

The reference's table is made of these, so whoever adds a name has documented it.
"""

from collections.abc import Iterable
from typing import Final, Literal

import msgspec

from devops_info_service.facts.linux.capabilities import NAMES as CAPABILITIES
from devops_info_service.standards.baseline import BASELINE, INVISIBLE
from devops_info_service.standards.hardening import HARDENING
from devops_info_service.standards.restricted import RESTRICTED

from . import extract as reading
from .extract import PROFILES, Read, follow

Kind = Literal["bytes", "CPUs", "count", "truth", "word", "set", "profile"]


class Name(msgspec.Struct, frozen=True):
    """One thing that can be expected."""

    name: str
    kind: Kind
    meaning: str
    at: str
    """Where in ``/platform``."""
    read: Read
    allowed: tuple[str, ...] = ()
    """The words it can be; empty: any."""


def _number(name: str, kind: Kind, at: str, meaning: str) -> Name:
    return Name(name, kind, meaning, at, reading.numbers(at))


def _truth(name: str, at: str, meaning: str) -> Name:
    return Name(name, "truth", meaning, at, follow(at))


def _word(name: str, at: str, meaning: str, *allowed: str) -> Name:
    return Name(name, "word", meaning, at, follow(at), allowed)


def _guess(name: str, at: str, meaning: str) -> Name:
    return Name(name, "word", meaning, at, reading.guess(at))


def _set(name: str, at: str, meaning: str, allowed: tuple[str, ...] = ()) -> Name:
    return Name(name, "set", meaning, at, reading.words(at), allowed)


def _rlimit(name: str, kind: Kind, meaning: str) -> Name:
    read = reading.rlimit(name)
    return Name(f"rlimits.{name}", kind, f"{meaning}: the soft limit", "resources.rlimits", read)


def _id(name: str, at: str, meaning: str) -> Name:
    return Name(name, "count", meaning, at, reading.effective(at))


def _check(check_id: str) -> Name:
    read = reading.check(check_id)
    meaning = "what the check of this id says"
    return Name(f"security.{check_id}", "word", meaning, "security.checks", read, ("pass", "fail"))


def _of_resolver(name: str, kind: Kind, meaning: str) -> Name:
    read = reading.of_resolver(name, frozenset if kind == "set" else reading.spans)
    return Name(f"dns.{name}", kind, meaning, "network.resolver", read)


def _check_ids() -> Iterable[str]:
    for rule in (*BASELINE, *RESTRICTED):
        # Nothing inside a container ever shows these: expected, they could never be met.
        if rule.id not in INVISIBLE:
            yield rule.id
    yield from HARDENING


_SMALLEST: Final = "the smallest limit that can be seen, the container's or one above it"
_OWN: Final = "the container's own limit, whatever stands above it"

NAMES: Final = (
    _number("cpu.limit", "CPUs", "resources.cpu.limit.effective", _SMALLEST),
    _number("cpu.own_limit", "CPUs", "resources.cpu.limit.own", _OWN),
    _number(
        "cpu.effective",
        "CPUs",
        "resources.cpu.effective",
        "the smaller of the limit and of the CPUs the process may run on",
    ),
    _number(
        "cpu.usable",
        "count",
        "resources.cpu.usable",
        "threads or workers worth starting: `cpu.effective` rounded up",
    ),
    _number(
        "cpu.request",
        "CPUs",
        "identity.cpu_request",
        "the request, computed back from the weight: a range",
    ),
    _number("memory.limit", "bytes", "resources.memory.limit.effective", _SMALLEST),
    _number("memory.own_limit", "bytes", "resources.memory.limit.own", _OWN),
    _number(
        "memory.high", "bytes", "resources.memory.high", "above it the kernel slows down; v2 only"
    ),
    _number(
        "memory.request",
        "bytes",
        "identity.memory_request",
        "the request, computed back from `oom_score_adj`: a range",
    ),
    _number("memory.machine", "bytes", "resources.memory.machine", "the machine's memory"),
    _number(
        "memory.oom_kills",
        "count",
        "resources.memory.oom_kills",
        "processes of this container killed for want of memory",
    ),
    _number("pids.limit", "count", "resources.processes.limit.effective", _SMALLEST),
    _number("pids.own_limit", "count", "resources.processes.limit.own", _OWN),
    _rlimit("open_files", "count", "open files"),
    _rlimit("processes", "count", "processes of the user"),
    _rlimit("core_file_size", "bytes", "core dumps"),
    _rlimit("locked_memory", "bytes", "memory that may be locked"),
    _rlimit("stack_size", "bytes", "the stack"),
    _word("cgroup.version", "resources.cgroup.version", "how it is held", "v1", "v2", "hybrid"),
    _word(
        "qos.class",
        "identity.qos",
        "the pod's class of service",
        "Guaranteed",
        "Burstable",
        "BestEffort",
    ),
    Name(
        "security.profile",
        "profile",
        "the Pod Security Standard that holds; `restricted` has all of `baseline`",
        "security.pod_security",
        reading.profile(PROFILES[-1]),
        PROFILES,
    ),
    _truth(
        "security.read_only_root",
        "security.read_only_root",
        "whether the root file system is read-only",
    ),
    _truth(
        "security.no_new_privileges",
        "security.process.no_new_privileges",
        "whether no program can gain rights",
    ),
    _word(
        "security.seccomp",
        "security.process.seccomp",
        "the mode of seccomp",
        "disabled",
        "strict",
        "filter",
    ),
    _set(
        "security.capabilities",
        "security.process.capabilities.bounding",
        "what the container was given, without `CAP_`",
        CAPABILITIES,
    ),
    _set(
        "security.effective_capabilities",
        "security.process.capabilities.effective",
        "what this process may do now",
        CAPABILITIES,
    ),
    _id("security.user", "security.process.user_ids", "the effective user id"),
    _id("security.group", "security.process.group_ids", "the effective group id"),
    _word("security.label", "security.process.label", "the label of AppArmor or SELinux"),
    *(_check(check_id) for check_id in _check_ids()),
    _of_resolver("ndots", "count", "dots from which on a name is tried as it is first"),
    _of_resolver("servers", "set", "the servers that are asked"),
    _of_resolver("search", "set", "the search domains"),
    _of_resolver("timeout_seconds", "count", "seconds for one server"),
    _of_resolver("attempts", "count", "rounds over all servers"),
    Name(
        "network.mtu",
        "bytes",
        "of the interface of the default route",
        "network.interfaces",
        reading.mtu,
    ),
    _guess("identity.engine", "identity.engine", "what started the container"),
    _guess("identity.sandbox", "identity.sandbox", "whose kernel it is; `none`: no mark of one"),
    _word("identity.hostname", "identity.hostname", "the host name"),
    _word("identity.container_id", "identity.container_id", "the container's long number"),
    _word("identity.container", "identity.container", "the container's name in the pod"),
    _word("identity.pod", "identity.pod", "the pod's name"),
    _word("identity.pod_uid", "identity.pod_uid", "the pod's uid"),
    _word("identity.namespace", "identity.namespace", "the pod's namespace"),
    _word("identity.node", "identity.node", "the node's name"),
    _word("identity.service_account", "identity.service_account", "the service account's name"),
    _set(
        "filesystem.writable",
        "security.writable",
        "mounts and common directories the process may write to",
    ),
)
"""Every name, in the order in which the reference lists them."""

BY_NAME: Final = {name.name: name for name in NAMES}
