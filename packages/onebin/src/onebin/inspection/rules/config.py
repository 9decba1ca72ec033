"""Rules on the config: who runs it, what is started, what it says of itself."""

import re
from collections.abc import Iterator
from typing import Final

from onebin.inspection import accounts
from onebin.inspection.evidence import Seen, judge, unknown
from onebin.inspection.report import Finding

_SHELLS: Final = frozenset({"sh", "ash", "bash", "dash", "ksh", "zsh", "busybox"})
_NOBODY: Final = 65534
_FIRST_USER: Final = 1000
"""Below are the system's own accounts (login.defs, UID_MIN)."""
_FIRST_FREE_PORT: Final = 1024
_LAST_PORT: Final = 65535
_SYSTEM_DIRS: Final = (
    "/bin",
    "/boot",
    "/dev",
    "/etc",
    "/lib",
    "/lib32",
    "/lib64",
    "/proc",
    "/sbin",
    "/sys",
    "/usr/bin",
    "/usr/lib",
    "/usr/sbin",
)
_KERNEL_DIRS: Final = ("/dev", "/proc", "/sys")
_SECRET: Final = re.compile(
    r"(?i)password|passwd"
    r"|(?:^|_)(?:pass|passphrase|secrets?|credentials?|tokens?|(?:api|access|auth|private)_?key)(?:_|$)"
)
"""Words of a name; COMPASS and KEYS are none, nor is GPG_KEY, which names a public key."""
_ASSIGNED: Final = re.compile(r"\b([A-Za-z_][A-Za-z0-9_]*)=\S")
_LABEL: Final = "org.opencontainers.image."
_WANTED_LABELS: Final = ("version", "licenses", "source")


def user_is_not_root(seen: Seen) -> Finding:
    """IMG-USER-001."""
    user, number = seen.process.user, accounts.uid(seen)
    check = "The image names a user, and it is not root."
    if not user:
        return judge("IMG-USER-001", check, ["User is empty: it runs as root"])
    if number is None:
        why = f"User is {user!r}, a name that /etc/passwd of the image does not have"
        return unknown("IMG-USER-001", check, why)
    against = [f"User is {user!r}, uid 0"] if not number else []
    return judge("IMG-USER-001", check, against, f"User is {user!r}, uid {number}")


def user_is_numeric(seen: Seen) -> Finding:
    """IMG-USER-002."""

    def against() -> Iterator[str]:
        user = seen.process.user
        name, colon, group = user.partition(":")
        for part in (name, group) if colon else (name,):
            if not accounts.is_id(part):
                yield f"User is {user!r}: a kubelet cannot tell whether {part!r} is root"
        if accounts.is_id(name) and int(name) < _FIRST_USER:
            yield f"uid {name} is below {_FIRST_USER}, where the system's own accounts are"
        if name == str(_NOBODY):
            yield f"uid {_NOBODY} is nobody, which other things run as too"

    check = "The user is a number, not of the system's own and not nobody's."
    return judge("IMG-USER-002", check, against(), f"User is {seen.process.user!r}")


def group_is_not_root(seen: Seen) -> Finding:
    """IMG-USER-003."""
    number = accounts.gid(seen)
    check = "The group is not root's."
    if number is None:
        return unknown("IMG-USER-003", check, f"/etc/group does not explain {seen.process.user!r}")
    return judge("IMG-USER-003", check, [] if number else ["gid is 0"], f"gid is {number}")


def entry_is_exec(seen: Seen) -> Finding:
    """IMG-ENTRY-001."""

    def against() -> Iterator[str]:
        if not seen.command:
            yield "there is neither an entry point nor a command"
            return
        first, *rest = seen.command
        if first.rpartition("/")[2] in _SHELLS and "-c" in rest:
            yield f"shell form: {' '.join(seen.command[:2])}"
        if not first.startswith("/"):
            yield f"{first} is not an absolute path: it is looked for along PATH"
        elif seen.entry is None:
            yield f"{first} is not in the image"
        elif seen.entry.kind not in ("file", "hardlink"):
            yield f"{first} is a {seen.entry.kind}"
        elif not _may_run(seen):
            yield f"{first} has mode {seen.entry.mode:04o}: the user may not run it"

    check = (
        "The entry point is in exec form: an absolute path, in the image, that the user may run."
    )
    return judge("IMG-ENTRY-001", check, against(), f"it starts {' '.join(seen.command)}")


def _may_run(seen: Seen) -> bool:
    entry = seen.entry
    if entry is None:
        return False
    if accounts.uid(seen) == entry.uid:
        return bool(entry.mode & 0o100)
    if accounts.gid(seen) == entry.gid:
        return bool(entry.mode & 0o010)
    return bool(entry.mode & 0o001)


def health_is_exec(seen: Seen) -> Finding:
    """IMG-ENTRY-002."""
    health = seen.process.healthcheck
    test = (health and health.test) or ()
    check = "The health check, if any, is in exec form and runs a file of the image."

    def against() -> Iterator[str]:
        if test[:1] == ("CMD-SHELL",):
            yield f"it needs a shell: {' '.join(test[1:])}"
        elif test[:1] == ("CMD",) and seen.contents.resolve(test[1] if test[1:] else "") is None:
            yield f"{' '.join(test[1:2])} is not in the image"
        elif test[:1] not in ((), ("NONE",), ("CMD",)):
            yield f"{test[0]} is no kind of health check"

    return judge("IMG-ENTRY-002", check, against(), " ".join(test) or "there is none")


def no_secrets(seen: Seen) -> Finding:
    """IMG-ENV-001. Values are never shown."""

    def against() -> Iterator[str]:
        for item in seen.process.env or ():
            name, _, value = item.partition("=")
            if value and _SECRET.search(name):
                yield f"the environment has {name}"
        for step in seen.document.history or ():
            for name in _ASSIGNED.findall(step.created_by):
                if _SECRET.search(name):
                    yield f"the history sets {name}"

    check = "No variable of the environment or the history has the name of a secret."
    against_once = list(dict.fromkeys(against()))
    count = len(seen.process.env or ())
    return judge("IMG-ENV-001", check, against_once, f"{count} variables")


def ports_are_free(seen: Seen) -> Finding:
    """IMG-PORT-001."""

    def against() -> Iterator[str]:
        for port in seen.process.exposed_ports or {}:
            number = port.partition("/")[0]
            if not (accounts.is_id(number) and _FIRST_FREE_PORT <= int(number) <= _LAST_PORT):
                yield f"{port} is exposed"

    check = "Exposed ports are ones that need no privilege: 1024 to 65535."
    return judge("IMG-PORT-001", check, against(), _listed(seen.process.exposed_ports))


def volumes_are_sane(seen: Seen) -> Finding:
    """IMG-VOL-001."""

    def against() -> Iterator[str]:
        for volume in seen.process.volumes or {}:
            if _below(volume, _KERNEL_DIRS):
                yield f"{volume} is a volume"

    check = "No volume lies on /dev, /proc or /sys."
    return judge("IMG-VOL-001", check, against(), _listed(seen.process.volumes))


def working_dir_is_sane(seen: Seen) -> Finding:
    """IMG-WORK-001."""
    folder = seen.process.working_dir or "/"

    def against() -> Iterator[str]:
        if not folder.startswith("/"):
            yield f"{folder} is relative"
        elif _below(folder, _SYSTEM_DIRS):
            yield f"{folder} is the system's"

    check = "The working directory is absolute and not one of the system's."
    return judge("IMG-WORK-001", check, against(), f"it is {folder}")


def stops_on_term(seen: Seen) -> Finding:
    """IMG-SIG-001."""
    signal = seen.process.stop_signal
    against = [] if signal in ("", "SIGTERM", "TERM", "15") else [f"it is {signal}"]
    return judge(
        "IMG-SIG-001", "The stop signal is SIGTERM.", against, signal or "not set: SIGTERM"
    )


def labels_are_there(seen: Seen) -> Finding:
    """IMG-LABEL-001."""
    labels = {**seen.annotations, **(seen.process.labels or {})}
    against = [
        f"{_LABEL}{name} is missing" for name in _WANTED_LABELS if not labels.get(_LABEL + name)
    ]
    check = "Labels or annotations tell the version, the licence and the source."
    return judge("IMG-LABEL-001", check, against, f"{len(labels)} labels")


def _below(path: str, folders: tuple[str, ...]) -> bool:
    return any(path == folder or path.startswith(folder + "/") for folder in folders)


def _listed(items: dict[str, dict[str, str]] | None) -> str:
    return ", ".join(items) if items else "none"


RULES: Final = (
    user_is_not_root,
    user_is_numeric,
    group_is_not_root,
    entry_is_exec,
    health_is_exec,
    no_secrets,
    ports_are_free,
    volumes_are_sane,
    working_dir_is_sane,
    stops_on_term,
    labels_are_there,
)
