"""Accounts: ``/etc/passwd``, ``/etc/group``, and the ids of the config's ``User``.

Source: passwd(5), group(5); OCI image-spec v1.1, config.md (``User``).
"""

from collections.abc import Iterable
from typing import Final

from onebin.terminal import decoded

from .evidence import Account, InspectedImage

_PASSWD_FIELDS: Final = 7
_GROUP_FIELDS: Final = 4
_MAX_DIGITS: Final = 10
"""Of a 32-bit number."""
_SPACES: Final = b" \t\v\f\r"


Parsed = tuple[tuple[Account, ...], tuple[str, ...]]
"""The accounts of a file, and its invalid lines."""


def parse(data: bytes) -> Parsed:
    """Parse either file into accounts and invalid lines."""
    accounts, broken = [], []
    # Not splitlines(): getgrent(3) ends a line at a line feed alone, and skips C's white space
    # before a line.
    for raw in data.split(b"\n"):
        line = decoded(raw.lstrip(_SPACES))
        if not line or line.startswith("#"):
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
    """Return whether *text* is a valid user or group number: 32 bits."""
    return text.isascii() and text.isdigit() and len(text) <= _MAX_DIGITS and int(text) < 1 << 32


def uid(image: InspectedImage) -> int | None:
    """Return the user id a container runs with; None for a name the image does not define."""
    name = image.process.user.partition(":")[0]
    return _number(name, image.users)


def gid(image: InspectedImage) -> int | None:
    """Return the main group: the one named, else the user's, else root's, as runtimes do."""
    _, colon, group = image.process.user.partition(":")
    if colon:
        return _number(group, image.groups)
    number = uid(image)
    if number is None:
        return None
    return next((user.gid for user in image.users if user.id == number), 0)


def _number(name: str, accounts: Iterable[Account]) -> int | None:
    if is_id(name):
        return int(name)
    # An image without accounts has root too.
    known = next((account.id for account in accounts if account.name == name), None)
    return 0 if known is None and name in ("", "root") else known
