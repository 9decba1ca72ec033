"""Rules on the config: the account it runs as, the program it starts, its labels."""

import posixpath
import re
from collections.abc import Iterator
from typing import Final

from onebin.inspection import accounts, starting
from onebin.inspection.evidence import InspectedImage
from onebin.inspection.history import history_variables
from onebin.inspection.record import FileEntry

from .rule import Rule, Verdict, of_linux, unknown, verdict

_SHELLS: Final = frozenset({"sh", "ash", "bash", "dash", "ksh", "zsh", "busybox"})
_COMMAND_OPTION: Final = re.compile(r"-[a-z]*c[a-z]*")
"""``-c``, among other letters or alone."""
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
_SWITCHES: Final = frozenset({"true", "false", "yes", "no"})
"""Such as ALLOW_EMPTY_PASSWORD=no, of images with databases."""
_WORD_IN_CAMEL_CASE: Final = re.compile(r"([a-z0-9])(?=[A-Z])")
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
        name, _, group = user.partition(":")
        for part in (name, group) if group else (name,):
            if not accounts.is_id(part):
                yield f"User is {user!r}: a kubelet cannot prove that {part!r} is not root"
        if accounts.is_id(name) and int(name) < _FIRST_USER:
            yield f"uid {name} is below {_FIRST_USER}, in the range of system accounts"
        for part in (name, group):
            if accounts.is_id(part) and int(part) > accounts.LAST_ID:
                yield f"{part} is over {accounts.LAST_ID}: engines refuse it"
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
        if first.rpartition("/")[2] in _SHELLS and any(map(_COMMAND_OPTION.fullmatch, rest)):
            yield f"shell form: {' '.join(image.command[:2])}"
        if not first.startswith("/"):
            yield f"{first} is not an absolute path: it is searched along PATH"
        elif image.entry is None:
            yield f"{first} is not in the image"
        elif image.entry.kind not in ("file", "hardlink"):
            yield f"{first} is a {image.entry.kind}"
        else:
            yield from _not_started(image, image.entry)

    found = verdict(violations(), f"it starts {' '.join(image.command)}")
    entry = image.entry
    if found.status == "pass" and entry and starting.may_execute(image, entry) is None:
        user = image.process.user
        return unknown(f"User is {user!r}: whether it may run mode {entry.mode:04o} is not shown")
    return found


def _not_started(image: InspectedImage, entry: FileEntry) -> Iterator[str]:
    first = image.command[0]
    if _below(first, _KERNEL_DIRS):
        yield f"{first} is below a folder that engines mount over"
    yield from _closed(image, first, entry)
    needed = image.script_interpreter or (image.program.elf.interpreter if image.program else "")
    if not needed:
        if entry.program != "elf":
            yield f"{first} is neither an ELF file nor a script with an interpreter"
        return
    found = image.filesystem.resolve(starting.located(image.process, needed))
    if found is None:
        yield f"{first} needs {needed}, which is not in the image"
    elif found.kind not in ("file", "hardlink"):
        yield f"{first} needs {needed}, which is a {found.kind}"
    else:
        if not found.program:
            yield f"{first} needs {needed}, which is neither an ELF file nor a script"
        yield from _closed(image, needed, found)


def _closed(image: InspectedImage, name: str, entry: FileEntry) -> Iterator[str]:
    folder = starting.closed_folder(image, starting.located(image.process, name))
    if folder is not None:
        yield f"{name}: the user may not search {folder.path} (mode {folder.mode:04o})"
    elif starting.may_execute(image, entry) is False:
        yield f"{name} has mode {entry.mode:04o}: the user may not run it"


def _health_is_exec(image: InspectedImage) -> Verdict:
    health = image.process.healthcheck
    test = (health and health.test) or ()

    def violations() -> Iterator[str]:
        if test[:1] == ("CMD-SHELL",):
            yield f"it needs a shell: {' '.join(test[1:])}"
        elif test[:1] == ("CMD",):
            yield from _not_run(image, "".join(test[1:2]))
        elif test[:1] not in ((), ("NONE",), ("CMD",)):
            yield f"{test[0]} is not a kind of health check"

    return verdict(violations(), " ".join(test) or "there is none")


def _not_run(image: InspectedImage, name: str) -> Iterator[str]:
    """Yield why an engine cannot run *name* in the container, as its user."""
    entry = starting.find(image.filesystem, image.process, name)
    if entry is None or entry.kind not in ("file", "hardlink"):
        yield f"{name or 'its command'} is not in the image"
    else:
        if not entry.program:
            yield f"{name} is neither an ELF file nor a script"
        yield from _closed(image, name if "/" in name else entry.path, entry)


def _has_no_secrets(image: InspectedImage) -> Verdict:
    """Values are never shown."""

    def violations() -> Iterator[str]:
        for item in image.process.env or ():
            name, _, value = item.partition("=")
            if value and _is_secret(name, value):
                yield f"the environment has {name}"
        for step in image.config.history or ():
            for name, value in history_variables(step.created_by):
                if _is_secret(name, value):
                    yield f"the history sets {name}"

    count = len(image.process.env or ())
    return verdict(dict.fromkeys(violations()), f"{count} variables")


def _is_secret(name: str, value: str) -> bool:
    """Whether *name* is that of a secret, and *value* neither a file's path nor a switch."""
    if name.upper().endswith("_FILE") and value.startswith("/"):
        return False
    if value.lower() in _SWITCHES:
        return False
    return _SECRET.search(_WORD_IN_CAMEL_CASE.sub(r"\1_", name)) is not None


def _ports_are_unprivileged(image: InspectedImage) -> Verdict:
    ports = image.process.exposed_ports

    def violations() -> Iterator[str]:
        for port in ports or {}:
            ends = port.partition("/")[0].split("-")  # a range has two
            if not all(
                accounts.is_id(number) and _FIRST_FREE_PORT <= int(number) <= _LAST_PORT
                for number in ends
            ):
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
        found = image.filesystem.resolve(folder)
        if found is not None and found.kind != "directory":
            yield f"{folder} is a {found.kind} in the image"

    return verdict(violations(), f"it is {folder}")


def _stops_on_term(image: InspectedImage) -> Verdict:
    signal = image.process.stop_signal
    # Engines take the name in any case, with or without SIG.
    is_term = signal.upper().removeprefix("SIG") in ("", "TERM", "15")
    violations = [] if is_term else [f"it is {signal}"]
    return verdict(violations, signal or "not set: SIGTERM")


def _has_labels(image: InspectedImage) -> Verdict:
    labels = {**image.annotations, **(image.process.labels or {})}
    missing = (name for name in _WANTED_LABELS if not labels.get(_LABEL + name))
    return verdict((f"{_LABEL}{name} is missing" for name in missing), f"{len(labels)} labels")


def _below(path: str, folders: tuple[str, ...]) -> bool:
    path = posixpath.normpath(f"/{path.lstrip('/')}")
    return any(path == folder or path.startswith(folder + "/") for folder in folders)


def _listed(items: dict[str, dict[str, str]] | None) -> str:
    return ", ".join(items) if items else "none"


RULES: Final[tuple[Rule[InspectedImage], ...]] = (
    Rule(
        "IMG-USER-001",
        "The image names a user, and it is not root.",
        of_linux(_user_is_not_root),
    ),
    Rule(
        "IMG-USER-002",
        "The user is a number, neither a system account's nor the shared nobody's.",
        of_linux(_user_is_numeric),
    ),
    Rule("IMG-USER-003", "The group is not root's.", of_linux(_group_is_not_root)),
    Rule(
        "IMG-ENTRY-001",
        "The entry point is in exec form: an absolute path, in the image, that the user may run.",
        of_linux(_entry_is_exec),
    ),
    Rule(
        "IMG-ENTRY-002",
        "The health check, if any, is in exec form and runs a file of the image.",
        of_linux(_health_is_exec),
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
    Rule(
        "IMG-VOL-001",
        "No volume is on /dev, /proc or /sys.",
        of_linux(_volumes_avoid_the_kernel),
    ),
    Rule(
        "IMG-WORK-001",
        "The working directory is absolute and not a system directory.",
        of_linux(_working_dir_is_its_own),
    ),
    Rule("IMG-SIG-001", "The stop signal is SIGTERM.", _stops_on_term),
    Rule(
        "IMG-LABEL-001",
        "Labels or annotations give the version, the license and the source.",
        _has_labels,
    ),
)
