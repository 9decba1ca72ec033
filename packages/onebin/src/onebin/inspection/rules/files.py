"""Rules on the files of an image: what has no place in it, and what is unsafe there."""

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Final

from onebin.inspection.evidence import Account, Seen, judge
from onebin.inspection.report import Finding

_NO_PASSWORDS: Final = ("x", "*", "!", "!!", "!*")
_NO_SHELLS: Final = ("nologin", "false")
_MAX_NAMES: Final = 1000
"""Of users, in one line that is cut at its length anyway."""


def no_shells(seen: Seen) -> Finding:
    """IMG-FS-001."""
    check = "No shell, interpreter, network tool or package manager is in it."
    return judge("IMG-FS-001", check, seen.files.tools, "none")


def no_setuid(seen: Seen) -> Finding:
    """IMG-FS-002."""
    check = "No file gives its caller more rights: setuid, setgid, file capabilities."
    return judge("IMG-FS-002", check, seen.files.privileged.evidence, "none")


def nothing_for_all_to_write(seen: Seen) -> Finding:
    """IMG-FS-003."""
    check = "Nobody may write to the files of others; only /tmp is for all, and sticky."
    return judge("IMG-FS-003", check, seen.files.for_all_to_write.evidence, "none, /tmp apart")


def no_odd_entries(seen: Seen) -> Finding:
    """IMG-FS-004."""

    def against() -> Iterator[str]:
        for number, layer in enumerate(seen.contents.layers, start=1):
            for oddity in layer.oddities:
                yield f"layer {number}: {oddity}"
        if len(seen.contents.layers) == 1 and seen.contents.layers[0].whiteouts:
            yield f"{seen.contents.layers[0].whiteouts} whiteouts with nothing below them"
        yield from seen.files.absolute_links.evidence

    check = "No device, no path or link that leaves the image, none twice, no absolute link."
    return judge("IMG-FS-004", check, against(), "none")


def no_junk(seen: Seen) -> Finding:
    """IMG-FS-005."""
    check = "No key, credential, cache or file of a development tool is in it."
    return judge("IMG-FS-005", check, seen.files.junk.evidence, "none")


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
    names = ", ".join(islice((user.name for user in seen.users), _MAX_NAMES)) or "no /etc/passwd"
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
