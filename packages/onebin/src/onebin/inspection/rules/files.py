"""Rules on the files of an image: unwanted and unsafe ones."""

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from typing import Final

from onebin.inspection.evidence import Account, InspectedImage

from .rule import Rule, Verdict, verdict

_NO_PASSWORDS: Final = ("x", "*", "!", "!!", "!*")
_NO_SHELLS: Final = ("nologin", "false")
_MAX_NAMES: Final = 1000
"""Of users, in one line that is cut at its length anyway."""


def _has_no_tools(image: InspectedImage) -> Verdict:
    return verdict(image.files.tools, "none")


def _has_no_privileged_files(image: InspectedImage) -> Verdict:
    return verdict(image.files.privileged.evidence, "none")


def _only_tmp_is_writable(image: InspectedImage) -> Verdict:
    return verdict(image.files.for_all_to_write.evidence, "none but /tmp")


def _entries_are_clean(image: InspectedImage) -> Verdict:
    layers = image.filesystem.layers

    def violations() -> Iterator[str]:
        for number, layer in enumerate(layers, start=1):
            for anomaly in layer.anomalies:
                yield f"layer {number}: {anomaly}"
        if len(layers) == 1 and layers[0].whiteouts:
            yield f"{layers[0].whiteouts} whiteouts with nothing below them"
        yield from image.files.absolute_links.evidence

    return verdict(violations(), "none")


def _has_no_junk(image: InspectedImage) -> Verdict:
    return verdict(chain(image.files.secrets.evidence, image.files.left_overs.evidence), "none")


def _accounts_are_closed(image: InspectedImage) -> Verdict:
    users, groups = image.users, image.groups

    def violations() -> Iterator[str]:
        yield from (f"not a line of /etc/passwd or /etc/group: {x}" for x in image.broken_accounts)
        yield from (f"two users have uid {number}" for number in _twice(users))
        yield from (f"two groups have gid {number}" for number in _twice(groups))
        for account in (*users, *groups):
            # Group passwords are empty in every distribution and mean "none".
            if account.password not in _NO_PASSWORDS and (account.password or account.gid >= 0):
                yield f"{account.name} has {'a' if account.password else 'an empty'} password"
        for user in users:
            if user.shell.rpartition("/")[2] not in _NO_SHELLS:
                yield f"{user.name} may log in with {user.shell or '/bin/sh'}"

    names = ", ".join(islice((user.name for user in users), _MAX_NAMES)) or "no /etc/passwd"
    return verdict(violations(), names)


def _twice(accounts: Iterable[Account]) -> list[int]:
    counts = Counter(account.id for account in accounts)
    return sorted(number for number, count in counts.items() if count > 1)


RULES: Final[tuple[Rule[InspectedImage], ...]] = (
    Rule(
        "IMG-FS-001",
        "No shell, interpreter, network tool or package manager is in it.",
        _has_no_tools,
    ),
    Rule(
        "IMG-FS-002",
        "No file gives its caller more rights: setuid, setgid, file capabilities.",
        _has_no_privileged_files,
    ),
    Rule(
        "IMG-FS-003",
        "No file is writable by every user; only /tmp is, with its sticky bit.",
        _only_tmp_is_writable,
    ),
    Rule(
        "IMG-FS-004",
        "No device, no path or link that leaves the image, none twice, no absolute link.",
        _entries_are_clean,
    ),
    Rule(
        "IMG-FS-005",
        "No key, credential, cache or file of a development tool is in it.",
        _has_no_junk,
    ),
    Rule(
        "IMG-FS-006",
        "Users and groups have one number each, no password and no shell.",
        _accounts_are_closed,
    ),
)
