"""Interfaces: of the own network namespace, whichever one /sys was mounted in."""

from collections.abc import Callable

import pytest

from devops_info_service.facts.fact import Known, Unknown
from devops_info_service.facts.linux.addresses import Address, read_addresses
from devops_info_service.facts.linux.interfaces import (
    OTHER_NAMESPACE,
    class_names,
    read_interfaces,
)
from devops_info_service.facts.system_files import SystemFiles

HEAD = "Inter-|   Receive\n face |bytes\n"


def files(
    *, dev: str | None = "lo eth0", listed: str = "lo eth0", index: int = 2, inet6: str = ""
) -> dict[str, str]:
    """Make both views of the interfaces; eth0 has *index* in /sys."""
    made = {}
    if dev is not None:
        made["/proc/net/dev"] = HEAD + "".join(f"{name:>6}: 0 0\n" for name in dev.split())
    if inet6:
        made["/proc/net/if_inet6"] = f"{'0' * 31}1 {inet6}\n"
    for name in listed.split():
        made[f"/sys/class/net/{name}/mtu"] = "1500\n"
        made[f"/sys/class/net/{name}/ifindex"] = f"{index if name == 'eth0' else 1}\n"
    return made


@pytest.mark.parametrize(
    ("made", "names", "mtu"),
    [
        (files(), ["eth0", "lo"], True),
        (files(inet6="02 40 20 80     eth0"), ["eth0", "lo"], True),
        (files(dev=None), ["eth0", "lo"], True),
        # After "unshare --net" /sys still lists the interfaces of before.
        (files(dev="lo"), ["lo"], False),
        (files(dev="lo eth0 eth1"), ["eth0", "eth1", "lo"], False),
        (files(inet6="07 40 20 80     eth0"), ["eth0", "lo"], False),
        (files(dev=None, inet6="07 40 20 80     eth0"), None, False),
        (files(dev=None, inet6="02 40 20 80     eth9"), None, False),
    ],
)
def test_interfaces(
    tree_of: Callable[..., SystemFiles],
    made: dict[str, str],
    names: list[str] | None,
    mtu: bool,  # noqa: FBT001
) -> None:
    """/proc/net names them; /sys describes them where the two agree."""
    tree = tree_of(made)
    found = read_interfaces(tree)

    assert (class_names(tree) == OTHER_NAMESPACE) is not mtu
    if names is None:
        assert found == OTHER_NAMESPACE
        return
    assert isinstance(found, Known)
    assert [each.name for each in found.value] == names
    assert all(isinstance(each.mtu, Known) is mtu for each in found.value)


def test_two_interfaces_on_one_network(tree_of: Callable[..., SystemFiles]) -> None:
    """An address that two interfaces could have has none that is known."""
    head = "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n"
    line = "{}\t0001000A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n"
    routes = head + "".join(map(line.format, ("eth0", "eth1")))
    trie = "Local:\n  |-- 10.0.1.5\n     /32 host LOCAL\n"
    found = read_addresses(tree_of({"/proc/net/fib_trie": trie, "/proc/net/route": routes}))

    assert not isinstance(found, Unknown)
    assert found.value == (Address("10.0.1.5", 24, None, "global"),)
