"""Addresses, routes, names, services; and which variables may be shown."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devops_info_service.introspection.addresses import (
    Address,
    Route,
    addresses_v6,
    local_addresses,
    routes_v4,
    routes_v6,
)
from devops_info_service.introspection.facts import Known, Unknown
from devops_info_service.introspection.network import Network, Service, read_network, services
from devops_info_service.introspection.redact import Variable, environment, is_service
from devops_info_service.introspection.resolver import LookUp, cost, parse_resolver
from devops_info_service.introspection.source import Tree


def known(fact: Known[Any] | Unknown) -> Any:
    """Take the value of a fact that must be known."""
    assert isinstance(fact, Known), fact
    return fact.value


def test_pod(saved: Callable[[str], Tree]) -> None:
    """A pod has one interface, its address on it, and one way out."""
    network: Network = read_network(saved("containerd-restricted"))
    interfaces = {each.name: each for each in known(network.interfaces)}

    assert known(interfaces["eth0"].mtu) == 1450
    assert known(interfaces["eth0"].state) == "up"
    assert Address("10.244.1.17", 24, "eth0", "global") in known(network.addresses)
    assert known(network.routes)[0] == Route("0.0.0.0/0", "10.244.1.1", "eth0", 0)
    assert known(network.unprivileged_port_start) == 0
    assert network.services == (
        Service("kubernetes", "10.96.0.1", "443"),
        Service("web", "10.96.44.2", "80"),
    )


def test_recorded(saved: Callable[[str], Tree]) -> None:
    """Docker's bridge gives the address that docker inspect shows."""
    network = read_network(saved("docker-default"))

    assert Address("172.17.0.2", 16, "eth0", "global") in known(network.addresses)
    assert known(network.routes)[0].gateway == "172.17.0.1"


def test_without_tables(saved: Callable[[str], Tree]) -> None:
    """gVisor has no table of IPv4 addresses: those of IPv6 are told alone."""
    addresses = known(read_network(saved("gvisor")).addresses)

    assert {each.address for each in addresses} == {"::1", "fe80::385f:10ff:fe22:910c"}


def test_nothing(tree_of: Callable[..., Tree]) -> None:
    """Without any file everything is unknown, and the environment is what it is."""
    network = read_network(tree_of({}))

    for fact in (network.interfaces, network.addresses, network.routes, network.resolver):
        assert isinstance(fact, Unknown)
    assert network.environment == ()


def test_tables() -> None:
    """The kernel's number forms become addresses."""
    head = "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n"
    down = "eth1\t00000000\t00000000\t0000\t0\t0\t0\t00000000\t0\t0\t0\n"
    v6 = (
        f"{'0' * 32} 00 {'0' * 32} 00 fd00{'0' * 27}1 00000400 1 0 00450003 eth0\n"
        f"fe80{'0' * 28} 40 {'0' * 32} 00 {'0' * 32} 00000100 1 0 00000001 eth0\n"
        f"{'0' * 32} 00 {'0' * 32} 00 {'0' * 32} ffffffff 1 0 00200200 lo\n"
    )

    assert routes_v4(head + down) == ()
    assert routes_v6(v6) == (
        Route("::/0", "fd00::1", "eth0", 1024),
        Route("fe80::/64", None, "eth0", 256),
    )
    assert addresses_v6(f"{'0' * 31}1 01 80 10 80 lo") == (Address("::1", 128, "lo", "host"),)
    assert local_addresses(
        "|-- 10.0.0.1\n   /32 host LOCAL\n|-- 10.0.0.0\n   /24 link UNICAST"
    ) == ("10.0.0.1",)


RESOLV = """# made by kubelet
search shop.svc.cluster.local svc.cluster.local cluster.local
nameserver 10.96.0.10
options ndots:5 timeout:1 attempts:3 edns0
"""


def test_resolver() -> None:
    """The settings in force are told, and what they cost."""
    resolver = parse_resolver(RESOLV)

    assert resolver.servers == ("10.96.0.10",)
    assert resolver.search == ("shop.svc.cluster.local", "svc.cluster.local", "cluster.local")
    assert (resolver.ndots, resolver.timeout_seconds, resolver.attempts) == (5, 1, 3)
    assert LookUp("api.example.com", 4, 8) in resolver.costs


@pytest.mark.parametrize(
    ("text", "field", "value"),
    [
        ("", "ndots", 1),
        ("options ndots:99", "ndots", 15),
        ("options ndots:-1", "ndots", 1),
        ("options ndots:x", "ndots", 1),
        ("options ndots:2\noptions ndots:0", "ndots", 0),
        ("domain example.com.", "search", ("example.com",)),
        ("search a\nsearch b c", "search", ("b", "c")),
        ("search .", "search", ()),
        ("nameserver 1\nnameserver 2\nnameserver 3\nnameserver 4", "servers", ("1", "2", "3")),
        ("nameserver 1\nnameserver 2\nnameserver 3\nnameserver 4", "ignored_servers", ("4",)),
        ("nameserver", "servers", ()),
    ],
)
def test_settings(text: str, field: str, value: Any) -> None:
    """Odd settings mean what they mean to the C library."""
    assert getattr(parse_resolver(text), field) == value


@pytest.mark.parametrize(
    ("name", "ndots", "tried"),
    [("api.example.com", 5, 4), ("a.b.c.d.e.f", 5, 1), ("api", 1, 4), ("api.x", 1, 1)],
)
def test_cost(name: str, ndots: int, tried: int) -> None:
    """A name with fewer dots than ndots is tried under each search domain first."""
    assert cost(name, ndots, ("a", "b", "c")) == LookUp(name, tried, 2 * tried)


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("PATH", "/bin", True),
        ("POD_NAME", "web-1", True),
        ("WEB_SERVICE_HOST", "10.0.0.1", True),
        ("WEB_SERVICE_HOST", "fd00::1", True),
        ("WEB_SERVICE_PORT", "80", True),
        ("WEB_PORT", "tcp://10.0.0.1:80", True),
        ("WEB_PORT_80_TCP", "tcp://[fd00::1]:80", True),
        ("WEB_PORT_80_TCP_PROTO", "tcp", True),
        ("WEB_PORT_80_TCP_ADDR", "10.0.0.1", True),
        ("DATABASE_PASSWORD", "hunter2", False),
        ("DATABASE_URL", "postgres://u:p@h/d", False),
        ("SECRET_SERVICE_HOST", "hunter2", False),
        ("SECRET_SERVICE_PORT", "123456", False),
        ("SECRET_PORT", "tcp://u:p@10.0.0.1:80", False),
        ("SECRET_PORT", "http://10.0.0.1:80", False),
        ("HOME", "http://user:password@example.com", False),
        ("EMPTY", "", False),
    ],
)
def test_redaction(name: str, value: str, shown: bool) -> None:  # noqa: FBT001
    """A value is shown for a harmless name and a harmless form, and for nothing else."""
    expected = Variable(name, value if shown else None, redacted=not shown)

    assert environment({name: value}) == (expected,)


def test_allowed_by_name(tree_of: Callable[..., Tree]) -> None:
    """Whoever runs the service may allow a name."""
    tree = tree_of({}, {"COLOR": "blue", "OTHER": "x"})
    variables = read_network(tree, frozenset({"COLOR"})).environment

    assert [each.value for each in variables] == ["blue", None]


@settings(deadline=None)  # other builds may share the machine
@given(name=st.text(), value=st.text())
def test_any_variable(name: str, value: str) -> None:
    """No variable breaks the reading."""
    is_service(name, value)
    services({name: value, f"{name}_SERVICE_HOST": value})
    environment({name: value})
