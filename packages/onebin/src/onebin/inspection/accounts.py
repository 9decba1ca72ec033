"""Accounts: ``/etc/passwd``, ``/etc/group``, and the ids of the config's ``User``.

Source: passwd(5), group(5); OCI image-spec v1.1, config.md (``User``).
"""

from collections.abc import Callable, Iterable
from typing import Final

from onebin.terminal import decoded

from .evidence import Account, InspectedImage

_PASSWD_FIELDS: Final = 4
"""Name, password and numbers; a line may end there (glibc, moby's ``user``)."""
_GROUP_FIELDS: Final = 3
_SHELL: Final = 6
"""Place of the shell, which has the rest of the line."""
_MEMBERS: Final = 3
_MAX_DIGITS: Final = 10
"""Of a 32-bit number."""
LAST_ID: Final = (1 << 31) - 1
"""The last user or group that engines start a container with (moby's ``user``)."""
_SPACES: Final = b" \t\v\f\r"


Parsed = tuple[tuple[Account, ...], tuple[str, ...]]
"""The accounts of a file, and its invalid lines."""


def users(data: bytes) -> Parsed:
    """Parse ``/etc/passwd`` into accounts and invalid lines."""

    def account(line: str) -> Account | None:
        fields = line.split(":", _SHELL)
        if len(fields) < _PASSWD_FIELDS or not all(map(is_id, fields[2:4])):
            return None
        shell = fields[_SHELL] if len(fields) > _SHELL else ""
        return Account(fields[0], fields[1], int(fields[2]), int(fields[3]), shell)

    return _parse(data, account)


def groups(data: bytes) -> Parsed:
    """Parse ``/etc/group`` into groups and invalid lines."""

    def group(line: str) -> Account | None:
        fields = line.split(":", _MEMBERS)
        if len(fields) < _GROUP_FIELDS or not is_id(fields[2]):
            return None
        members = fields[_MEMBERS] if len(fields) > _MEMBERS else ""
        return Account(fields[0], fields[1], int(fields[2]), members=members)

    return _parse(data, group)


def _parse(data: bytes, read: Callable[[str], Account | None]) -> Parsed:
    accounts, broken = [], []
    # Not splitlines(): getgrent(3) ends a line at a line feed alone, and skips C's white space
    # before a line.
    for raw in data.split(b"\n"):
        line = decoded(raw.lstrip(_SPACES))
        if not line or line.startswith("#"):
            continue
        account = read(line)
        if account is None:
            broken.append(line[:80])
        else:
            accounts.append(account)
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
    group = image.process.user.partition(":")[2]
    if group:
        return _number(group, image.groups)
    number = uid(image)
    if number is None:
        return None
    return next((user.gid for user in image.users if user.id == number), 0)


def gids(image: InspectedImage) -> frozenset[int] | None:
    """Return all groups: the main one, and without a named one those that list the user."""
    main = gid(image)
    if main is None:
        return None
    name, _, named = image.process.user.partition(":")
    if is_id(name):
        name = next((user.name for user in image.users if user.id == int(name)), "")
    listed = (group.id for group in image.groups if name in group.members.split(","))
    return frozenset({main, *(listed if name and not named else ())})


def _number(name: str, accounts: Iterable[Account]) -> int | None:
    if is_id(name):
        return int(name)
    # An image without accounts has root too.
    known = next((account.id for account in accounts if account.name == name), None)
    return 0 if known is None and name in ("", "root") else known
