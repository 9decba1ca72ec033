"""Confinement: ids, capabilities, namespaces, masks; and the checks that are made of it."""

from typing import TYPE_CHECKING, Final

from devops_info_service.facts.fact import Fact, Known, Unknown, derive, value_of
from devops_info_service.facts.linux.capabilities import NAMES as CAPABILITIES
from devops_info_service.standards.verdicts import CHECKS

from .capability_meanings import explained
from .formatting import comma_list, duration, yes_no
from .property import Expect, Property
from .row import Note, Row, row

if TYPE_CHECKING:
    from devops_info_service.facts.container.user_ids import IdMap
    from devops_info_service.facts.kubernetes.claims import Claims
    from devops_info_service.facts.linux.setid_files import SetIdFiles
    from devops_info_service.snapshot import PlatformSnapshot

PROFILES: Final = ("baseline", "restricted")
"""Each includes those before it."""


def _ids(ids: tuple[int, ...]) -> str:
    names = ("real", "effective", "saved", "file system")
    if len(set(ids)) == 1:
        return str(ids[0])
    return ", ".join([f"{number} {name}" for name, number in zip(names, ids, strict=False)])


def _all(names: tuple[str, ...]) -> str:
    # Never cut: the last may matter most.
    return ", ".join(names) or "none"


def _effective(snapshot: "PlatformSnapshot") -> tuple[Row]:
    fact = snapshot.security.process.capabilities.effective
    shown = row("capabilities, effective", fact, _all)
    notes = [Note(line) for line in explained(value_of(fact, ()))]
    return (Row(shown.label, shown.value, (*shown.notes, *notes)),)


def _read_only(read_only: bool) -> str:  # noqa: FBT001  a fact's value
    return "read-only" if read_only else "writable"


def _namespaces(snapshot: "PlatformSnapshot") -> tuple[Row]:
    kinds: dict[str, list[str]] = {"own": [], "the host's": [], "unknown": []}
    for kind, fact in snapshot.security.namespaces.shared.items():
        if isinstance(fact, Unknown):
            kinds["unknown"].append(kind)
        else:
            kinds["the host's" if fact.value else "own"].append(kind)
    parts = (f"{owner}: {', '.join(found)}" for owner, found in kinds.items() if found)
    return (Row("namespaces", "; ".join(parts)),)


def _id_map(ranges: "tuple[IdMap, ...]") -> str:
    return comma_list(
        [
            f"{_from(each.inside, each.length)} here, {_from(each.outside, each.length)} outside"
            for each in ranges
        ]
    )


def _from(first: int, length: int) -> str:
    return str(first) if length == 1 else f"{first}-{first + length - 1}"


def _set_id(files: "SetIdFiles") -> str:
    seen = "all" if files.complete else "the first"
    return f"{comma_list(files.found)}; {seen} {files.scanned} files were scanned"


def _claims(claims: "Claims") -> str:
    left = claims.expires_in_seconds
    ends = "never expires"
    if left is not None:
        ends = f"expires in {duration(left)}" if left >= 0 else f"expired {duration(-left)} ago"
    return f"{claims.subject}, for {comma_list(claims.audiences)}; {ends}"


def _id(path: str, label: str, name: str, meaning: str) -> Property:
    """Return user or group ids; the effective one can be expected."""

    def effective(snapshot: "PlatformSnapshot") -> Fact[int]:
        fact: Fact[tuple[int, ...]] = getattr(snapshot.security.process, path.rpartition(".")[2])
        return derive(fact, lambda ids: ids[1])

    expect = Expect(name, "count", meaning, read=effective)
    return Property(path, label, _ids, "identity", expect=expect)


def _check(check_id: str) -> Property:
    """Return the expectation of a check's verdict."""

    def read(snapshot: "PlatformSnapshot") -> Fact[str]:
        for check in snapshot.security.checks:
            if check.id == check_id and check.verdict != "unknown":
                return Known(check.verdict, check.evidence)
            if check.id == check_id:
                return Unknown(check.message)
        return Unknown(f"{check_id} was not checked")

    meaning = "the verdict of the check of this id"
    return Property(
        "security.checks",
        expect=Expect(f"security.{check_id}", "string", meaning, ("pass", "fail"), read),
    )


SECURITY: Final = (
    _id("security.process.user_ids", "user id", "security.user", "the effective user id"),
    _id("security.process.group_ids", "group id", "security.group", "the effective group id"),
    Property(
        "security.process.groups", "groups", lambda ids: comma_list(map(str, ids)), "confinement"
    ),
    Property(
        "security.process.no_new_privileges",
        "no new privileges",
        yes_no,
        "confinement",
        expect=Expect(
            "security.no_new_privileges", "boolean", "whether no program can gain rights"
        ),
    ),
    Property(
        "security.process.seccomp",
        "seccomp",
        shown="confinement",
        expect=Expect(
            "security.seccomp", "string", "the mode of seccomp", ("disabled", "strict", "filter")
        ),
    ),
    Property("security.process.seccomp_filters", "seccomp filters", shown="confinement"),
    Property(
        "security.process.label",
        "label",
        shown="confinement",
        expect=Expect("security.label", "string", "the label of AppArmor or SELinux"),
    ),
    Property("security.process.security_modules", "security modules", comma_list, "confinement"),
    Property(
        "security.process.capabilities.bounding",
        "capabilities, bounding",
        _all,
        "confinement",
        expect=Expect(
            "security.capabilities",
            "set",
            "those the container was given, without `CAP_`",
            CAPABILITIES,
        ),
    ),
    Property(
        "security.process.capabilities.effective",
        shown="confinement",
        rows=_effective,
        expect=Expect("security.effective_capabilities", "set", "those in force now", CAPABILITIES),
    ),
    *(
        Property(
            f"security.process.capabilities.{kind}", f"capabilities, {kind}", _all, "confinement"
        )
        for kind in ("permitted", "inheritable", "ambient")
    ),
    Property("security.namespaces", shown="confinement", rows=_namespaces),
    Property("security.namespaces.uid_map", "user ids mapped", _id_map, "confinement"),
    Property("security.namespaces.gid_map", "group ids mapped", _id_map, "confinement"),
    Property(
        "security.read_only_root",
        "root file system",
        _read_only,
        "confinement",
        expect=Expect(
            "security.read_only_root", "boolean", "whether the root file system is read-only"
        ),
    ),
    Property("security.masked_paths", "masked paths", comma_list, "confinement"),
    Property(
        "security.writable",
        "writable",
        comma_list,
        "confinement",
        expect=Expect(
            "filesystem.writable", "set", "mounts and common directories the process may write to"
        ),
    ),
    Property(
        "security.devices",
        "devices",
        lambda found: comma_list([each.path for each in found]),
        "confinement",
    ),
    Property("security.engine_sockets", "engine sockets", comma_list, "confinement"),
    Property("security.set_id_files", "set-uid files", _set_id, "confinement"),
    Property("security.service_account.token", "service account token", _claims, "confinement"),
    Property(
        "security.pod_security",
        expect=Expect(
            "security.profile",
            "profile",
            "the Pod Security Standard that holds; `restricted` has all of `baseline`",
            PROFILES,
        ),
    ),
    # Nothing inside a container shows the others: expected, they could never be met.
    *(_check(each.id) for each in CHECKS if not each.unobservable),
)
