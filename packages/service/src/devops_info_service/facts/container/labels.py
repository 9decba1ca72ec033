"""The labels of the security modules, by the grammar of each.

Sources: security/apparmor/label.c (``aa_label_snxprint``, ``label_modename``), apparmor.d(5);
security/selinux/ss/mls.c and services.c (``security_sid_to_context``);
Documentation/admin-guide/LSM/Smack.rst, security/smack/smack_access.c (``smk_parse_smack``);
Documentation/admin-guide/LSM/index.rst: AppArmor, SELinux and Smack exclude each other.
"""

from collections.abc import Callable
from typing import Any, Final, Literal

import msgspec

from devops_info_service.facts import parse
from devops_info_service.facts.fact import Evidence, Fact, Known, Unknown, evidence_of
from devops_info_service.facts.system_files import SystemFiles

LABEL: Final = "/proc/self/attr/current"
APPARMOR_LABEL: Final = "/proc/self/attr/apparmor/current"
MODULES: Final = "/sys/kernel/security/lsm"
_APPARMOR: Final = "/sys/module/apparmor"
_NAMESPACE: Final = "/sys/kernel/security/apparmor/.ns_level"
_STACKED: Final = "/sys/kernel/security/apparmor/.ns_stacked"
_SMACK_LABEL: Final = "/proc/self/attr/smack/current"
_SMACK_LENGTH: Final = 255
_REFUSED: Final = "is refused by the kernel"
"""As ``system_files`` words EINVAL: no security module is behind it."""
_CONTEXT_PARTS: Final = 3
"""user:role:type, before a level."""

Mode = Literal["enforces", "does not enforce", "unknown"]
_MODES: Final[dict[str, Mode]] = {
    "enforce": "enforces",
    "kill": "enforces",
    "complain": "does not enforce",
    "unconfined": "does not enforce",
}
"""``mixed`` and ``-`` are no mode; ``prompt`` leaves the decision to a person."""


class AppArmor(msgspec.Struct, frozen=True):
    """A label of AppArmor."""

    text: str
    profiles: tuple[str, ...]
    """A stack: all must allow an access."""
    mode: str
    """Of all of them; empty where the kernel writes none."""

    @property
    def enforcement(self) -> Mode:
        """Whether one of the profiles stops anything."""
        if not self.mode:
            bare = all(name == "unconfined" for name in self.profiles)
            return "does not enforce" if bare else "unknown"
        return _MODES.get(self.mode, "unknown")


class Context(msgspec.Struct, frozen=True):
    """A context of SELinux."""

    text: str
    type: str


class Labels(msgspec.Struct, frozen=True):
    """The label of the process by each security module."""

    label: Fact[str]
    """Of whichever comes first in the kernel's list."""
    apparmor: Fact[AppArmor]
    selinux: Fact[Context]
    apparmor_off: tuple[Evidence, ...]
    """The signs that AppArmor is not active here; none: it may be."""
    selinux_off: tuple[Evidence, ...]
    is_namespaced: Fact[bool]
    """Whether AppArmor's name space is an inner one: what confines further out does not show."""


_OF_SMACK: Final = Unknown("the label is one of Smack")
Switch = Callable[[SystemFiles], tuple[Evidence, ...]]
"""Reads the signs that a module is not active."""


def read_labels(tree: SystemFiles) -> Labels:
    """Read both files, and the signs of which module is behind them."""
    label = tree.read(LABEL).parse(_word)
    own = tree.read(APPARMOR_LABEL).parse(_word)
    modules = tree.read(MODULES).parse(lambda text: tuple(parse.word(text).split(",")))
    smack = _smack(tree, modules)
    apparmor: Fact[AppArmor] = _OF_SMACK
    context: Fact[Context] = _OF_SMACK
    if not smack:
        context = _context(label)
        is_own = isinstance(own, Known)
        apparmor = _apparmor(own if is_own else label, is_own=is_own)
    none = smack or _nothing_answers(label)

    def off(name: str, fact: Fact[Any], other: Fact[Any], switch: Switch) -> tuple[Evidence, ...]:
        if isinstance(modules, Known) and name not in modules.value:
            return modules.evidence
        if isinstance(fact, Known):
            return ()
        # The three exclude each other.
        return none or evidence_of(other) or switch(tree)

    return Labels(
        label=label if isinstance(label, Known) else own if isinstance(own, Known) else label,
        apparmor=apparmor,
        selinux=context,
        apparmor_off=off("apparmor", apparmor, context, _switched_off),
        selinux_off=off("selinux", context, apparmor, _switched_on),
        is_namespaced=_is_namespaced(tree),
    )


def is_smack(text: str) -> bool:
    """Return whether *text* is a label of Smack: printable ASCII without slash and quotes."""
    return (
        0 < len(text) <= _SMACK_LENGTH
        and text[0] != "-"
        and all("!" <= each <= "~" and each not in "/\"\\'" for each in text)
    )


def _smack(tree: SystemFiles, modules: Fact[tuple[str, ...]]) -> tuple[Evidence, ...]:
    """Return the signs that Smack is active: its file has a label, or its file system is there."""
    own = tree.read(_SMACK_LABEL)
    text = own.text.rstrip("\0\n")
    if is_smack(text):
        return (own.evidence("", text),)
    if isinstance(modules, Known):
        return modules.evidence if "smack" in modules.value else ()
    names = tree.names("/sys/fs")
    if not isinstance(names, Unknown) and "smackfs" in names:
        return (Evidence("/sys/fs", "", "has smackfs"),)
    return ()


def _word(text: str) -> str:
    # SELinux counts the NUL at the end of its text.
    return parse.word(text.removesuffix("\\x00").rstrip("\0\n"))


def parse_apparmor(text: str) -> AppArmor:
    """Parse ``PROFILE//&PROFILE (MODE)``; ValueError where neither name nor mode is one."""
    name, parenthesis, mode = text.rpartition(" (")
    if not parenthesis or not mode.endswith(")"):
        name, mode = text, ""
    else:
        mode = mode[:-1]
    profiles = tuple([_without_namespace(each) for each in name.split("//&")])
    if not all(profiles):
        raise ValueError(text)
    if not mode and profiles != ("unconfined",) * len(profiles):
        raise ValueError(text)
    return AppArmor(text, profiles, mode)


def _without_namespace(name: str) -> str:
    # The name space is between colons, with two slashes after it or without.
    if name.startswith(":"):
        return name[1:].partition(":")[2].removeprefix("//")
    return name


def parse_context(text: str) -> Context:
    """Parse ``user:role:type`` and, where the policy has levels, ``:level``."""
    parts = text.split(":", _CONTEXT_PARTS)
    if len(parts) < _CONTEXT_PARTS or not all(map(_is_identifier, parts[:_CONTEXT_PARTS])):
        raise ValueError(text)
    return Context(text, parts[2])


def _is_identifier(text: str) -> bool:
    return bool(text) and all(each.isalnum() or each in "_.-" for each in text)


def _apparmor(label: Fact[str], *, is_own: bool) -> Fact[AppArmor]:
    if isinstance(label, Unknown):
        return label
    try:
        return Known(parse_apparmor(label.value), label.evidence)
    except ValueError:
        file = APPARMOR_LABEL if is_own else LABEL
        return Unknown(f"the label in {file} is not one of AppArmor's form")


def _context(label: Fact[str]) -> Fact[Context]:
    if isinstance(label, Unknown):
        return label
    try:
        return Known(parse_context(label.value), label.evidence)
    except ValueError:
        return Unknown(f"the label in {LABEL} is not a context of SELinux")


def _nothing_answers(label: Fact[str]) -> tuple[Evidence, ...]:
    if isinstance(label, Unknown) and label.reason == f"{LABEL} {_REFUSED}":
        return (Evidence(LABEL, "", "no security module is behind it"),)
    return ()


def _switched_off(tree: SystemFiles) -> tuple[Evidence, ...]:
    enabled = tree.read(f"{_APPARMOR}/parameters/enabled")
    if enabled.text.strip("\n") == "N":
        return (enabled.evidence("", "N"),)
    modules = tree.names("/sys/module")
    if not isinstance(modules, Unknown) and "kernel" in modules and "apparmor" not in modules:
        return (Evidence("/sys/module", "", "has no apparmor"),)
    return ()


def _switched_on(tree: SystemFiles) -> tuple[Evidence, ...]:
    """Return the sign that AppArmor is active, which excludes SELinux; or that there is none."""
    enabled = tree.read(f"{_APPARMOR}/parameters/enabled")
    if enabled.text.strip("\n") == "Y":
        return (enabled.evidence("", "Y"),)
    names = tree.names("/sys/fs")
    if not isinstance(names, Unknown) and "cgroup" in names and "selinux" not in names:
        return (Evidence("/sys/fs", "", "has no selinux"),)
    return ()


def _is_namespaced(tree: SystemFiles) -> Fact[bool]:
    if tree.read(_STACKED).text == "yes\n":
        return Known(value=True)
    return tree.read(_NAMESPACE).parse(lambda text: parse.word(text) != "0")
