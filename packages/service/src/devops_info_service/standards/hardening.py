"""Checks beyond the Pod Security Standards: further limits to the harm of a break-in."""

from typing import Final

from devops_info_service.facts import parse
from devops_info_service.facts.container.user_ids import is_root_outside
from devops_info_service.facts.fact import Evidence, Unknown, evidence_of, value_of
from devops_info_service.facts.lines import joined
from devops_info_service.facts.linux.sandbox import SANDBOXED

from .checks import Check, Observed, Outcome, failed, passed, unknown

_RAW: Final = frozenset({"/dev/mem", "/dev/kmem", "/dev/port", "/dev/kmsg", "/dev/kvm"})
"""Character devices as good as a disk: the machine's memory, ports, log, and virtual machines."""


def read_only_root(view: Observed) -> Outcome:
    """Check ``readOnlyRootFilesystem``."""
    if isinstance(view.mounts, Unknown):
        return unknown(view.mounts)
    root = view.mounts.at("/")
    if root is None:
        return unknown("no mount at / is listed")
    if root.read_only:
        return passed("The image cannot be changed while it runs.", root.evidence())
    return failed("An intruder can change the programs of the image.", root.evidence())


def user_namespace(view: Observed) -> Outcome:
    """Check whether root here is root on the machine."""
    if view.gvisor:
        return unknown(SANDBOXED, *evidence_of(view.sandbox))
    if view.kata and isinstance(view.shared["user"], Unknown):
        return unknown(view.shared["user"], *evidence_of(view.sandbox))
    is_root = is_root_outside(view.shared["user"], view.uid_map, 0)
    mapped = view.uid_map.evidence("", joined(view.uid_map.text))
    if isinstance(is_root, Unknown):
        return unknown(is_root, mapped)
    if is_root.value:
        return failed("User ids here are the machine's: root is root.", *is_root.evidence, mapped)
    return passed("Root here is another user on the machine.", *is_root.evidence)


def engine_sockets(view: Observed) -> Outcome:
    """Check the sockets of container engines."""
    fact = view.exposure.engine_sockets
    if isinstance(fact, Unknown):
        return unknown(fact)
    exposed = [path for path in view.exposure.open_sockets if path not in view.exposure.own_sockets]
    if exposed:
        return failed(
            f"A client of {exposed[0]} can start anything on the node; this process may be one.",
            *fact.evidence,
        )
    if own := view.exposure.own_sockets:
        return unknown(
            f"{own[0]} is in the files of this container or pod: of an engine beside this process,"
            " which may be as strong as the node's",
            *fact.evidence,
        )
    if fact.value:
        return unknown(
            f"{fact.value[0]} is there, but access(2) refuses it to this user: not to every other",
            *fact.evidence,
        )
    return passed("No socket of an engine where engines listen, nor there under other mounts.")


def device_nodes(view: Observed) -> Outcome:
    """Check the device nodes beyond those of every container."""
    fact = view.exposure.devices
    if isinstance(fact, Unknown):
        return unknown(fact)
    grave = [each for each in fact.value if each.kind == "block" or each.path in _RAW]
    # The deciding ones come first: of a whole /dev not everything is repeated.
    shown = (grave or fact.value)[:10]
    seen = tuple([Evidence(each.path, "", each.kind) for each in shown])
    # Kubelet gives a claim's block device as any other; privileged brings the log as well.
    if grave and (not view.pod or {each.path for each in grave} & _RAW):
        return failed(f"{grave[0].path} of the machine can be named here.", *seen)
    elsewhere = [
        mount
        for mount, _ in view.volumes.entries
        if mount.kind == "devtmpfs" and mount.root == "/" and mount.point != "/dev"
    ]
    if elsewhere:
        return failed(
            f"All devices of the machine can be named at {elsewhere[0].point}.",
            *(mount.evidence() for mount in elsewhere[:10]),
        )
    if fact.value:
        return unknown(f"{shown[0].path} may be a device the workload needs", *seen)
    return passed("In /dev are only the devices that every container has.", *fact.evidence)


def set_id_files(view: Observed) -> Outcome:
    """Check set-uid and set-gid programs."""
    files = view.set_id_files
    if isinstance(files, Unknown):
        return unknown(files)
    seen = tuple([Evidence(path, "mode", "set-uid or set-gid") for path in files.found[:10]])
    no_new_privileges = view.status.parse_field("NoNewPrivs", parse.flag, ":")
    harmless = value_of(no_new_privileges, default=False)
    if files.found and harmless:
        return passed(
            "There are set-uid programs, but they give nothing: no new privileges.",
            *evidence_of(no_new_privileges),
            *seen,
        )
    if files.found:
        return failed("Programs here run with another user's rights.", *seen)
    if not files.complete:
        return unknown(f"none among the first {files.scanned} files, and there are more")
    return passed(f"None among the {files.scanned} files of the root file system.")


def service_account_token(view: Observed) -> Outcome:
    """Check whether a token is mounted."""
    account = view.service_account
    if not account.mounted:
        return passed("No token of a service account is mounted at the usual place.")
    return failed(
        "An intruder in this process can talk to the cluster as its service account.",
        *evidence_of(account.token),
    )


HARDENING: Final = (
    Check("readOnlyRootFilesystem", "hardening", observed=read_only_root),
    Check("userNamespace", "hardening", observed=user_namespace),
    Check("engineSockets", "hardening", observed=engine_sockets),
    Check("deviceNodes", "hardening", observed=device_nodes),
    Check("setIdFiles", "hardening", observed=set_id_files),
    Check("serviceAccountToken", "hardening", observed=service_account_token),
)
