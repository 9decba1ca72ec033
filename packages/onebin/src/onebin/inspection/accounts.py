"""Users: ``/etc/passwd`` and ``/etc/group``, and who the config's ``User`` is.

Source: passwd(5), group(5); OCI image-spec v1.1, config.md (``User``).
"""

from collections.abc import Iterable
from typing import Final

from .evidence import Account, Seen

_PASSWD_FIELDS: Final = 7
_GROUP_FIELDS: Final = 4
_MAX_DIGITS: Final = 10
"""Of a 32-bit number."""


Parsed = tuple[tuple[Account, ...], tuple[str, ...]]
"""The accounts of a file, and the lines that are none."""


def parse(data: bytes) -> Parsed:
    """Read either file: its accounts, and the lines that are none."""
    accounts, broken = [], []
    for line in data.decode("utf-8", "backslashreplace").splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        fields = line.split(":")
        user = len(fields) == _PASSWD_FIELDS
        numbers = fields[2:4] if user else fields[2:3]
        if len(fields) not in (_PASSWD_FIELDS, _GROUP_FIELDS) or not all(map(is_id, numbers)):
            broken.append(line[:80])
        elif user:
            account = Account(fields[0], fields[1], int(fields[2]), int(fields[3]), fields[6])
            accounts.append(account)
        else:
            accounts.append(Account(fields[0], fields[1], int(fields[2])))
    return tuple(accounts), tuple(broken)


def is_id(text: str) -> bool:
    """Tell whether *text* is a number a user or group can have: 32 bits."""
    return text.isascii() and text.isdigit() and len(text) <= _MAX_DIGITS and int(text) < 1 << 32


def uid(seen: Seen) -> int | None:
    """Give the number a container runs as; None for a name the image does not explain."""
    name = seen.process.user.partition(":")[0]
    return _number(name, seen.users)


def gid(seen: Seen) -> int | None:
    """Give the main group: the one named, else the user's, else root's as runtimes have it."""
    _, colon, group = seen.process.user.partition(":")
    if colon:
        return _number(group, seen.groups)
    number = uid(seen)
    if number is None:
        return None
    return next((user.gid for user in seen.users if user.id == number), 0)


def _number(name: str, accounts: Iterable[Account]) -> int | None:
    if is_id(name):
        return int(name)
    # Root is root by whatever means it is named; an image without accounts has it too.
    known = next((account.id for account in accounts if account.name == name), None)
    return 0 if known is None and name in ("", "root") else known
