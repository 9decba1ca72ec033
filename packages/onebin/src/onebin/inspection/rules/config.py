"""Rules on the config: the account it runs as, the program it starts, its labels."""

import re
from collections.abc import Iterator
from typing import Final

from onebin.inspection import accounts
from onebin.inspection.evidence import InspectedImage

from .rule import Rule, Verdict, unknown, verdict

_SHELLS: Final = frozenset({"sh", "ash", "bash", "dash", "ksh", "zsh", "busybox"})
_NOBODY: Final = 65534
_FIRST_USER: Final = 1000
"""Below are system accounts (login.defs, UID_MIN)."""
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
"""Matches neither COMPASS nor KEYS, nor GPG_KEY, which names a public key."""
_ASSIGNED: Final = re.compile(r"\b([A-Za-z_][A-Za-z0-9_]*)=\S")
_LABEL: Final = "org.opencontainers.image."
_WANTED_LABELS: Final = ("version", "licenses", "source")


def _user_is_not_root(image: InspectedImage) -> Verdict:
    user, number = image.process.user, accounts.uid(image)
    if not user:
        return verdict(["User is empty: it runs as root"])
    if number is None:
        return unknown(f"User is {user!r}, a name that /etc/passwd of the image does not have")
    violations = [f"User is {user!r}, uid 0"] if not number else []
    return verdict(violations, f"User is {user!r}, uid {number}")


def _user_is_numeric(image: InspectedImage) -> Verdict:
    user = image.process.user

    def violations() -> Iterator[str]:
        name, colon, group = user.partition(":")
        for part in (name, group) if colon else (name,):
            if not accounts.is_id(part):
                yield f"User is {user!r}: a kubelet cannot prove that {part!r} is not root"
        if accounts.is_id(name) and int(name) < _FIRST_USER:
            yield f"uid {name} is below {_FIRST_USER}, in the range of system accounts"
        if name == str(_NOBODY):
            yield f"uid {_NOBODY} is nobody, which other programs run as too"

    return verdict(violations(), f"User is {user!r}")


def _group_is_not_root(image: InspectedImage) -> Verdict:
    number = accounts.gid(image)
    if number is None:
        return unknown(f"/etc/group does not explain {image.process.user!r}")
    return verdict([] if number else ["gid is 0"], f"gid is {number}")


def _entry_is_exec(image: InspectedImage) -> Verdict:
    def violations() -> Iterator[str]:
        if not image.command:
            yield "there is neither an entry point nor a command"
            return
        first, *rest = image.command
        if first.rpartition("/")[2] in _SHELLS and "-c" in rest:
            yield f"shell form: {' '.join(image.command[:2])}"
        if not first.startswith("/"):
            yield f"{first} is not an absolute path: it is searched along PATH"
        elif image.entry is None:
            yield f"{first} is not in the image"
        elif image.entry.kind not in ("file", "hardlink"):
            yield f"{first} is a {image.entry.kind}"
        elif not _may_run(image):
            yield f"{first} has mode {image.entry.mode:04o}: the user may not run it"

    return verdict(violations(), f"it starts {' '.join(image.command)}")


def _may_run(image: InspectedImage) -> bool:
    entry = image.entry
    if entry is None:
        return False
    if accounts.uid(image) == entry.uid:
        return bool(entry.mode & 0o100)
    if accounts.gid(image) == entry.gid:
        return bool(entry.mode & 0o010)
    return bool(entry.mode & 0o001)


def _health_is_exec(image: InspectedImage) -> Verdict:
    health = image.process.healthcheck
    test = (health and health.test) or ()

    def violations() -> Iterator[str]:
        if test[:1] == ("CMD-SHELL",):
            yield f"it needs a shell: {' '.join(test[1:])}"
        elif test[:1] == ("CMD",) and image.filesystem.resolve("".join(test[1:2])) is None:
            yield f"{' '.join(test[1:2])} is not in the image"
        elif test[:1] not in ((), ("NONE",), ("CMD",)):
            yield f"{test[0]} is not a kind of health check"

    return verdict(violations(), " ".join(test) or "there is none")


def _has_no_secrets(image: InspectedImage) -> Verdict:
    """Values are never shown."""

    def violations() -> Iterator[str]:
        for item in image.process.env or ():
            name, _, value = item.partition("=")
            if value and _SECRET.search(name):
                yield f"the environment has {name}"
        for step in image.config.history or ():
            for name in _ASSIGNED.findall(step.created_by):
                if _SECRET.search(name):
                    yield f"the history sets {name}"

    count = len(image.process.env or ())
    return verdict(dict.fromkeys(violations()), f"{count} variables")


def _ports_are_unprivileged(image: InspectedImage) -> Verdict:
    ports = image.process.exposed_ports

    def violations() -> Iterator[str]:
        for port in ports or {}:
            number = port.partition("/")[0]
            if not (accounts.is_id(number) and _FIRST_FREE_PORT <= int(number) <= _LAST_PORT):
                yield f"{port} is exposed"

    return verdict(violations(), _listed(ports))


def _volumes_avoid_the_kernel(image: InspectedImage) -> Verdict:
    volumes = image.process.volumes
    below = (f"{path} is a volume" for path in volumes or {} if _below(path, _KERNEL_DIRS))
    return verdict(below, _listed(volumes))


def _working_dir_is_its_own(image: InspectedImage) -> Verdict:
    folder = image.process.working_dir or "/"

    def violations() -> Iterator[str]:
        if not folder.startswith("/"):
            yield f"{folder} is relative"
        elif _below(folder, _SYSTEM_DIRS):
            yield f"{folder} is a system directory"

    return verdict(violations(), f"it is {folder}")


def _stops_on_term(image: InspectedImage) -> Verdict:
    signal = image.process.stop_signal
    violations = [] if signal in ("", "SIGTERM", "TERM", "15") else [f"it is {signal}"]
    return verdict(violations, signal or "not set: SIGTERM")


def _has_labels(image: InspectedImage) -> Verdict:
    labels = {**image.annotations, **(image.process.labels or {})}
    missing = (name for name in _WANTED_LABELS if not labels.get(_LABEL + name))
    return verdict((f"{_LABEL}{name} is missing" for name in missing), f"{len(labels)} labels")


def _below(path: str, folders: tuple[str, ...]) -> bool:
    return any(path == folder or path.startswith(folder + "/") for folder in folders)


def _listed(items: dict[str, dict[str, str]] | None) -> str:
    return ", ".join(items) if items else "none"


RULES: Final[tuple[Rule[InspectedImage], ...]] = (
    Rule("IMG-USER-001", "The image names a user, and it is not root.", _user_is_not_root),
    Rule(
        "IMG-USER-002",
        "The user is a number, neither a system account's nor the shared nobody's.",
        _user_is_numeric,
    ),
    Rule("IMG-USER-003", "The group is not root's.", _group_is_not_root),
    Rule(
        "IMG-ENTRY-001",
        "The entry point is in exec form: an absolute path, in the image, that the user may run.",
        _entry_is_exec,
    ),
    Rule(
        "IMG-ENTRY-002",
        "The health check, if any, is in exec form and runs a file of the image.",
        _health_is_exec,
    ),
    Rule(
        "IMG-ENV-001",
        "No variable of the environment or the history has the name of a secret.",
        _has_no_secrets,
    ),
    Rule(
        "IMG-PORT-001",
        "Exposed ports need no privilege: 1024 to 65535.",
        _ports_are_unprivileged,
    ),
    Rule("IMG-VOL-001", "No volume is on /dev, /proc or /sys.", _volumes_avoid_the_kernel),
    Rule(
        "IMG-WORK-001",
        "The working directory is absolute and not a system directory.",
        _working_dir_is_its_own,
    ),
    Rule("IMG-SIG-001", "The stop signal is SIGTERM.", _stops_on_term),
    Rule(
        "IMG-LABEL-001",
        "Labels or annotations give the version, the license and the source.",
        _has_labels,
    ),
)
