"""Network interfaces: those of this process's network namespace.

/sys shows the namespace it was mounted in, /proc/net that of the reader: after ``unshare --net``
they differ. The two are compared, and /sys is unknown where they do.

Source: Linux, net/core/net-procfs.c and net-sysfs.c; network_namespaces(7).
"""

from typing import Final

import msgspec

from devops_info_service.facts import parse
from devops_info_service.facts.fact import Evidence, Fact, Known, Unknown, value_of
from devops_info_service.facts.lines import lines, words
from devops_info_service.facts.system_files import SystemFiles

CLASS: Final = "/sys/class/net"
DEV: Final = "/proc/net/dev"
IF_INET6: Final = "/proc/net/if_inet6"
MAX_INTERFACES: Final = 64
"""Listed: a pod has two, a node a few hundred."""
OTHER_NAMESPACE: Final = Unknown(f"{CLASS} shows another network namespace than /proc/net")
_HEAD: Final = 2
"""Lines before the first interface in /proc/net/dev."""


class Interface(msgspec.Struct, frozen=True):
    """One interface."""

    name: str
    mtu: Fact[int]
    """Bytes; 50 or so less than 1500 is an overlay's tunnel."""
    state: Fact[str]
    mac: Fact[str]


def read_interfaces(tree: SystemFiles) -> Fact[tuple[Interface, ...]]:
    """Read them; beyond ``MAX_INTERFACES`` they have names only."""
    shown = class_names(tree)
    own = _device_names(tree)
    if isinstance(own, Unknown):
        if isinstance(shown, Unknown):
            return shown
        file, names = CLASS, shown
    else:
        file, names = DEV, tuple(sorted(own))
    # The rest by name alone, to be counted: three reads each would be most of a snapshot.
    nothing = Unknown("not read")
    found = [
        _interface(tree, name, shown) if index < MAX_INTERFACES else _bare(name, nothing)
        for index, name in enumerate(names)
    ]
    return Known(tuple(found), (Evidence(file, "", f"{len(names)} entries"),))


def class_names(tree: SystemFiles) -> tuple[str, ...] | Unknown:
    """List the interfaces in /sys; unknown if they are another namespace's."""
    listed = tree.names(CLASS)
    if isinstance(listed, Unknown):
        return listed
    names = tuple([name for name in listed if name != "bonding_masters"])
    own = _device_names(tree)
    if not isinstance(own, Unknown) and set(own) != set(names):
        return OTHER_NAMESPACE
    for name, index in _indexes(tree).items():
        seen = tree.read(f"{CLASS}/{name}/ifindex").parse(parse.count)
        if name not in names or value_of(seen, index) != index:
            return OTHER_NAMESPACE
    return names


def _device_names(tree: SystemFiles) -> tuple[str, ...] | Unknown:
    file = tree.read(DEV)
    if isinstance(file.content, Unknown):
        return file.content
    # The kernel refuses a colon in a name.
    return tuple([line.partition(":")[0].lstrip(" ") for line in lines(file.content)[_HEAD:]])


def _indexes(tree: SystemFiles) -> dict[str, int]:
    """Return the number of each interface that has an address of IPv6."""
    found = {}
    for line in lines(tree.read(IF_INET6).text):
        fields = words(line)
        try:
            found[fields[5]] = parse.mask(fields[1])
        except (IndexError, ValueError):
            continue
    return found


def _interface(tree: SystemFiles, name: str, shown: tuple[str, ...] | Unknown) -> Interface:
    if isinstance(shown, Unknown):
        return _bare(name, shown)
    return Interface(
        name=name,
        mtu=tree.read(f"{CLASS}/{name}/mtu").parse(parse.count),
        state=tree.read(f"{CLASS}/{name}/operstate").parse(parse.word),
        mac=tree.read(f"{CLASS}/{name}/address").parse(parse.word),
    )


def _bare(name: str, reason: Unknown) -> Interface:
    return Interface(name, reason, reason, reason)
