"""Labels made by the grammars of AppArmor, SELinux and Smack, and their meaning.

Sources: security/apparmor/label.c (aa_label_snxprint, label_modename), security/selinux/ss/mls.c
(mls_sid_to_context), security/smack/smack_access.c (smk_parse_smack), apparmor.d(5).
"""

from collections.abc import Callable
from typing import Final

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from devops_info_service.facts.container.labels import (
    APPARMOR_LABEL,
    LABEL,
    AppArmor,
    parse_apparmor,
    parse_context,
    read_labels,
)
from devops_info_service.facts.fact import Known, Unknown
from devops_info_service.facts.system_files import SystemFiles

MODES: Final = {
    "enforce": "enforces",
    "kill": "enforces",
    "complain": "does not enforce",
    "unconfined": "does not enforce",
    "prompt": "unknown",
    "user": "unknown",
    "mixed": "unknown",
    "-": "unknown",
}
names = st.one_of(
    st.sampled_from(
        [
            "docker-default",
            "cri-containerd.apparmor.d",
            "unconfined",
            "lxc-101_</var/lib/lxc>",
            "a b",
        ]
    ),
    st.text("abc(){}/.&- _é\r\u2028", min_size=1, max_size=12).filter(
        lambda each: (
            "//&" not in each
            and not each.startswith((" ", "&", "/&"))  # behind a name space: a stack
            and not each.endswith((" ", "/"))
        )
    ),
)
namespaces = st.lists(st.from_regex(r"[a-z0-9_<>-]{1,9}", fullmatch=True), max_size=2)


@st.composite
def stacks(draw: st.DrawFn) -> tuple[str, tuple[str, ...]]:
    """Make a stack: each profile in a namespace, or in the viewer's."""
    profiles = draw(st.lists(st.tuples(namespaces, names), min_size=1, max_size=3))
    spelled = [f":{'//'.join(spaces)}://{name}" if spaces else name for spaces, name in profiles]
    return "//&".join(spelled), tuple(name for _, name in profiles)


@given(stacks(), st.sampled_from(sorted(MODES)))
def test_apparmor(stack: tuple[str, tuple[str, ...]], mode: str) -> None:
    """The mode follows the last profile, whatever the names hold."""
    text, profiles = stack
    label = parse_apparmor(f"{text} ({mode})")

    assert (label.profiles, label.mode) == (profiles, mode)
    assert label.enforcement == MODES[mode]


@given(st.lists(namespaces, min_size=1, max_size=3))
def test_unconfined(spaces: list[list[str]]) -> None:
    """The kernel writes no mode behind labels that confine nothing."""
    text = "//&".join(
        f":{'//'.join(each)}://unconfined" if each else "unconfined" for each in spaces
    )

    assert parse_apparmor(text).enforcement == "does not enforce"


identifiers = st.from_regex(r"[a-z][a-z0-9_]{0,12}", fullmatch=True)
categories = st.lists(
    st.one_of(
        st.integers(0, 1023).map("c{}".format),
        st.tuples(st.integers(0, 500), st.integers(501, 1023)).map(
            lambda each: "c{}.c{}".format(*each)
        ),
    ),
    max_size=3,
).map(",".join)
levels = st.tuples(st.integers(0, 15), categories).map(
    lambda each: f"s{each[0]}:{each[1]}" if each[1] else f"s{each[0]}"
)
ranges = st.one_of(st.just(""), levels, st.tuples(levels, levels).map("-".join))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(identifiers, identifiers, identifiers, ranges, st.sampled_from(["", "\0", "\n"]))
def test_selinux(
    tree_of: Callable[..., SystemFiles], user: str, role: str, kind: str, level: str, end: str
) -> None:
    """The third part is the type; the level behind it may have colons, commas and dashes."""
    text = ":".join(filter(None, (user, role, kind, level)))
    labels = read_labels(tree_of({LABEL: f"{text}{end}"}))

    assert parse_context(text).type == kind
    assert isinstance(labels.selinux, Known)
    assert labels.selinux.value.type == kind
    assert isinstance(labels.apparmor, Unknown)
    assert not labels.selinux_off


smack = st.one_of(
    st.sampled_from(["_", "^", "*", "?", "@", "User::Home", "System::Privileged", "a:b:c"]),
    st.text(
        st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="/\"\\'"),
        min_size=1,
        max_size=255,
    ).filter(lambda each: each[0] != "-"),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(smack, st.booleans())
def test_smack(tree_of: Callable[..., SystemFiles], label: str, is_listed: bool) -> None:  # noqa: FBT001
    """A label of Smack is none of another module: both are off, and it is shown."""
    files = {LABEL: label, "/proc/self/attr/smack/current": label}
    if is_listed:
        files["/sys/kernel/security/lsm"] = "lockdown,capability,smack"
    labels = read_labels(tree_of(files))

    assert isinstance(labels.label, Known)
    assert labels.label.value == label
    assert labels.apparmor_off
    assert labels.selinux_off


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(stacks(), st.sampled_from(sorted(MODES)), identifiers)
def test_apparmor_beside_selinux(
    tree_of: Callable[..., SystemFiles], stack: tuple[str, tuple[str, ...]], mode: str, kind: str
) -> None:
    """Each module has its file where both are active."""
    text = f"{stack[0]} ({mode})"
    labels = read_labels(
        tree_of({LABEL: f"system_u:system_r:{kind}:s0\0", APPARMOR_LABEL: f"{text}\n"})
    )

    assert isinstance(labels.apparmor, Known)
    assert labels.apparmor.value == AppArmor(text, stack[1], mode)
    assert isinstance(labels.selinux, Known)
    assert labels.selinux.value.type == kind
