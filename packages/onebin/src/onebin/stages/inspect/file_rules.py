"""Rules on the files of an image: what has no place in it, and what is unsafe there."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Final

from onebin.model import Finding
from onebin.oci.scan import Entry

from . import programs
from .evidence import Account, Seen, judge

_SETID: Final = 0o6000
_STICKY: Final = 0o1000
_OTHERS_WRITE: Final = 0o002

_JUNK_PARTS: Final = frozenset(
    [
        ".aws",
        ".azure",
        ".cache",
        ".docker",
        ".env",
        ".git",
        ".gcp",
        ".gnupg",
        ".idea",
        ".kube",
        ".netrc",
        ".npmrc",
        ".pypirc",
        ".ssh",
        ".svn",
        ".vscode",
        ".DS_Store",
        "__pycache__",
        "id_dsa",
        "id_ecdsa",
        "id_ed25519",
        "id_rsa",
    ]
)
_KEY_FILE: Final = re.compile(r".*\.(key|p12|pfx|jks|kdbx)|.*key.*\.pem", re.IGNORECASE)
_NO_PASSWORDS: Final = ("x", "*", "!", "!!", "!*")
_NO_SHELLS: Final = ("nologin", "false")


def no_shells(seen: Seen) -> Finding:
    """IMG-FS-001."""
    check = "No shell, interpreter, network tool or package manager is in it."
    return judge("IMG-FS-001", check, programs.find(seen.contents), "none")


def no_setuid(seen: Seen) -> Finding:
    """IMG-FS-002."""
    against = (
        f"{entry.path} ({'capabilities' if entry.capabilities else f'mode {entry.mode:04o}'})"
        for entry in privileged(seen)
    )
    check = "No file gives its caller more rights: setuid, setgid, file capabilities."
    return judge("IMG-FS-002", check, against, "none")


def privileged(seen: Seen) -> list[Entry]:
    """Find such files; a setgid folder only hands on its group."""
    return [
        entry
        for entry in seen.contents.entries.values()
        if entry.kind == "file" and (entry.mode & _SETID or entry.capabilities)
    ]


def nothing_for_all_to_write(seen: Seen) -> Finding:
    """IMG-FS-003."""
    # /tmp is what everyone expects to write to; its sticky bit keeps their files apart.
    against = (
        f"{entry.path} (mode {entry.mode:04o})"
        for entry in world_writable(seen)
        if not (entry.path == "/tmp" and entry.mode & _STICKY)  # noqa: S108  a path in the image
    )
    check = "Nobody may write to the files of others; only /tmp is for all, and sticky."
    return judge("IMG-FS-003", check, against, "none, /tmp apart")


def world_writable(seen: Seen) -> list[Entry]:
    """Find what anyone may write to, ``/tmp`` included; devices are IMG-FS-004's."""
    return [
        entry
        for entry in seen.contents.entries.values()
        if entry.kind in ("file", "directory", "fifo") and entry.mode & _OTHERS_WRITE
    ]


def no_odd_entries(seen: Seen) -> Finding:
    """IMG-FS-004."""

    def against() -> Iterator[str]:
        for number, layer in enumerate(seen.contents.layers, start=1):
            for oddity in layer.oddities:
                yield f"layer {number}: {oddity}"
        if len(seen.contents.layers) == 1 and seen.contents.layers[0].whiteouts:
            yield f"{seen.contents.layers[0].whiteouts} whiteouts with nothing below them"
        for entry in seen.contents.entries.values():
            if entry.kind == "symlink" and entry.link.startswith("/"):
                yield f"{entry.path} is an absolute link to {entry.link}"

    check = "No device, no path or link that leaves the image, none twice, no absolute link."
    return judge("IMG-FS-004", check, against(), "none")


def no_junk(seen: Seen) -> Finding:
    """IMG-FS-005."""

    def against() -> Iterator[str]:
        inside = None
        for entry in seen.contents.entries.values():
            if inside and entry.path.startswith(inside + "/"):
                continue  # its folder is listed
            name = entry.path.rpartition("/")[2]
            if name in _JUNK_PARTS or (entry.kind == "file" and _KEY_FILE.fullmatch(name)):
                inside = entry.path
                yield entry.path

    check = "No key, credential, cache or file of a development tool is in it."
    return judge("IMG-FS-005", check, against(), "none")


def accounts_are_closed(seen: Seen) -> Finding:
    """IMG-FS-006."""

    def against() -> Iterator[str]:
        yield from (f"not a line of /etc/passwd or /etc/group: {x}" for x in seen.broken_accounts)
        yield from (f"two users have uid {number}" for number in _twice(seen.users))
        yield from (f"two groups have gid {number}" for number in _twice(seen.groups))
        for account in (*seen.users, *seen.groups):
            # Group passwords are empty in every distribution and mean "none".
            if account.password not in _NO_PASSWORDS and (account.password or account.gid >= 0):
                yield f"{account.name} has {'a' if account.password else 'an empty'} password"
        for user in seen.users:
            if user.shell.rpartition("/")[2] not in _NO_SHELLS:
                yield f"{user.name} may log in with {user.shell or '/bin/sh'}"

    check = "Users and groups have one number each, no password and no shell."
    names = ", ".join(user.name for user in seen.users) or "no /etc/passwd"
    return judge("IMG-FS-006", check, against(), names)


def _twice(accounts: Iterable[Account]) -> list[int]:
    counts = Counter(account.id for account in accounts)
    return sorted(number for number, count in counts.items() if count > 1)


RULES: Final = (
    no_shells,
    no_setuid,
    nothing_for_all_to_write,
    no_odd_entries,
    no_junk,
    accounts_are_closed,
)
