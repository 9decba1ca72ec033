"""Addresses, routes, names, services; and which variables may be shown."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devops_info_service.facts.fact import Known, Unknown
from devops_info_service.facts.linux.addresses import (
    Address,
    Route,
    addresses_v6,
    local_addresses,
    routes_v4,
    routes_v6,
)
from devops_info_service.facts.linux.environment import NAMELESS, Variable, environment
from devops_info_service.facts.linux.network import Network, read_network
from devops_info_service.facts.linux.resolver import LookUp, cost, parse_resolver
from devops_info_service.facts.linux.service_links import ServiceLink, read_links
from devops_info_service.facts.system_files import SystemFiles


def known(fact: Known[Any] | Unknown) -> Any:
    """Take the value of a fact that must be known."""
    assert isinstance(fact, Known), fact
    return fact.value


def test_pod(saved: Callable[[str], SystemFiles]) -> None:
    """A pod has one interface with its address, and one default route."""
    network: Network = read_network(saved("containerd-restricted"))
    interfaces = {each.name: each for each in known(network.interfaces)}

    assert known(interfaces["eth0"].mtu) == 1450
    assert known(interfaces["eth0"].state) == "up"
    assert Address("10.244.1.17", 24, "eth0", "global") in known(network.addresses)
    assert known(network.routes)[0] == Route("0.0.0.0/0", "10.244.1.1", "eth0", 0)
    assert known(network.unprivileged_port_start) == 0
    assert network.services == (
        ServiceLink("kubernetes", "10.96.0.1", "443"),
        ServiceLink("web", "10.96.44.2", "80"),
    )


def test_recorded(saved: Callable[[str], SystemFiles]) -> None:
    """Docker's bridge gives the address that docker inspect shows."""
    network = read_network(saved("docker-default"))

    assert Address("172.17.0.2", 16, "eth0", "global") in known(network.addresses)
    assert known(network.routes)[0].gateway == "172.17.0.1"


def test_without_tables(saved: Callable[[str], SystemFiles]) -> None:
    """gVisor has no table of IPv4 addresses: only those of IPv6 are reported."""
    addresses = known(read_network(saved("gvisor")).addresses)

    assert {each.address for each in addresses} == {"::1", "fe80::385f:10ff:fe22:910c"}


def test_nothing(tree_of: Callable[..., SystemFiles]) -> None:
    """Without any file everything but the environment is unknown."""
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
    """The effective settings are reported, with the queries they cost."""
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
        ("options ndots:-1", "ndots", 15),
        ("options ndots:x", "ndots", 0),
        ("options ndots: 2", "ndots", 2),
        ("options xndots:2", "ndots", 1),
        ("options ndots:2\noptions ndots:0", "ndots", 0),
        ("domain example.com.", "search", ("example.com",)),
        ("search a\nsearch b c", "search", ("b", "c")),
        ("search .", "search", (".",)),
        ("search a . b", "search", ("a", ".", "b")),
        ("search Example.COM", "search", ("(withheld)",)),
        ("domain a b", "search", ("a",)),
        ("search a\ndomain b", "search", ("b",)),
        ("search a\nsearch", "search", ("a",)),
        (" search a", "search", ()),
        ("searcha", "search", ()),
        ("search\va", "search", ()),
        ("#search a", "search", ()),
        ("options ndots:7x", "ndots", 7),
        ("options timeout:99 attempts:99", "timeout_seconds", 30),
        ("options timeout:99 attempts:99", "attempts", 5),
        ("nameserver 10.1 # main", "servers", ("10.0.0.1",)),
        ("nameserver 10.0.0.1\r", "servers", ("127.0.0.1",)),
        ("nameserver ::1\0junk", "servers", ("::1",)),
        (
            "nameserver ::1\nnameserver ::2\nnameserver ::3\nnameserver ::4",
            "servers",
            ("::1", "::2", "::3"),
        ),
        (
            "nameserver ::1\nnameserver ::2\nnameserver ::3\nnameserver ::4",
            "ignored_servers",
            ("::4",),
        ),
        ("nameserver", "servers", ("127.0.0.1",)),
        ("nameserver fe80::1%eth0", "servers", ("fe80::1%eth0",)),
        ("nameserver hunter2", "servers", ("127.0.0.1",)),
        ("search user:pass@host a", "search", ("(withheld)", "a")),
        ("options ndots:2 password=hunter2 edns0", "options", ("ndots:2", "edns0")),
    ],
)
def test_settings(text: str, field: str, value: Any) -> None:
    """Odd settings mean the same as to the C library."""
    assert getattr(parse_resolver(text), field) == value


@pytest.mark.parametrize(
    ("environ", "hostname", "search", "ndots"),
    [
        ({"LOCALDOMAIN": "b c"}, "h.example", ("b", "c"), 5),
        ({"LOCALDOMAIN": ""}, "h.example", (".",), 5),
        ({"LOCALDOMAIN": " b"}, "", (".", "b"), 5),
        ({"LOCALDOMAIN": "b\nc"}, "", ("b",), 5),
        ({"RES_OPTIONS": "ndots:2"}, "", ("a",), 2),
        ({"RES_OPTIONS": "rotate"}, "", ("a",), 5),
    ],
)
def test_variables_amend_the_file(
    tree_of: Callable[..., SystemFiles],
    environ: dict[str, str],
    hostname: str,
    search: tuple[str, ...],
    ndots: int,
) -> None:
    """LOCALDOMAIN replaces the search list, RES_OPTIONS follow the file's options."""
    files = {
        "/etc/resolv.conf": "search a\noptions ndots:5\n",
        "/proc/sys/kernel/hostname": hostname,
    }
    resolver = known(read_network(tree_of(files, environ)).resolver)

    assert (resolver.search, resolver.ndots) == (search, ndots)


@pytest.mark.parametrize(
    ("hostname", "search"), [("web", ()), ("web.example.com\n", ("example.com",)), ("web.", (".",))]
)
def test_domain_of_the_host(
    tree_of: Callable[..., SystemFiles], hostname: str, search: tuple[str, ...]
) -> None:
    """Without a list the host's own domain is searched (gethostname(2))."""
    files = {"/etc/resolv.conf": "nameserver ::1\n", "/proc/sys/kernel/hostname": hostname}

    assert known(read_network(tree_of(files)).resolver).search == search


@pytest.mark.parametrize(
    ("name", "ndots", "tried"),
    [("api.example.com", 5, 4), ("a.b.c.d.e.f", 5, 1), ("api", 1, 4), ("api.x", 1, 1)],
)
def test_cost(name: str, ndots: int, tried: int) -> None:
    """A name with fewer dots than ndots is tried under each search domain first."""
    assert cost(name, ndots, ("a", "b", "c")) == LookUp(name, tried, 2 * tried)


@pytest.mark.claim("what is shown of the environment and of files")
@pytest.mark.parametrize(
    ("name", "value", "withheld"),
    [
        ("PATH", "/bin", None),
        ("POD_NAME", "web-1", None),
        ("PORT", "8080", None),
        ("LANG", "de_DE.UTF-8@euro", None),
        ("TZ", "America/Argentina/Ushuaia", None),
        ("DEBUG", "true", None),
        ("POD_IPS", "10.0.0.1,fd00::1", None),
        ("HOME", "http://user:password@example.com", "not an absolute path"),
        ("HOME", "/home/user\x1b[2J", "not an absolute path"),
        ("PATH", "/bin:user:password", "not a list of absolute paths"),
        ("POD_NAME", "Web_1", "not an RFC 1123 name"),
        ("POD_NAME", "3f786850e387550fdab836ed7e6dc881", "not an RFC 1123 name"),
        ("POD_UID", "3f786850e387550fdab836ed7e6dc881", "not a UUID"),
        ("POD_IP", "31337", "not an IP address"),
        ("POD_IP", "10.0.0.1 ", "not an IP address"),
        ("PORT", "65536", "not a port number"),
        ("PORT", "0080", "not a port number"),
        ("PORT", "tcp://10.0.0.1:80", "not a port number"),
        ("DEBUG", "hunter2", "not a switch such as true or 0"),
        ("TZ", "Hunter2", "not a time zone such as Europe/Berlin"),
        ("TZ", "Hunter/Two", "not a time zone such as Europe/Berlin"),
        ("TZ", "<-03>3<-02>,M3.5.0", "not a time zone such as Europe/Berlin"),
        ("SERVICE_ACCOUNT", "-----BEGIN PRIVATE KEY-----", "not an RFC 1123 name"),
        ("K8S_NODE_NAME", "user:pass@host", "not an RFC 1123 name"),
        ("NAMESPACE", "a.b", "not an RFC 1123 label"),
    ],
)
def test_form(name: str, value: str, withheld: str | None) -> None:
    """A value is shown if the name is known and the value has the form that the name claims."""
    expected = Variable(name, None if withheld else value, bool(withheld), withheld)

    assert environment({name: value}) == (expected,)


@pytest.mark.parametrize("name", ["DATABASE_PASSWORD", "DATABASE_URL", "EMPTY", "LC_CTYPE"])
def test_unknown_name(name: str) -> None:
    """Variables of other names never show a value, in any form."""
    assert environment({name: "10.0.0.1"}) == (Variable(name, None, redacted=True),)


@pytest.mark.parametrize(
    "name", ["MIIEvgIBADANBgkqhkiG9w0BAQEFAASCBKgwggSk", "a b", "", "x\x1b[2J", "q/+w", "9lives"]
)
def test_invalid_name(name: str) -> None:
    """A line of a key in an env file is a variable's name to an engine: it is not shown either."""
    assert [each.name for each in environment({name: "x"})] == [NAMELESS]


def kubelets(name: str, host: str, *ports: tuple[str, str, int]) -> dict[str, str]:
    """Make the variables of one service as kubelet does: its ports as name, protocol, number."""
    urls = [
        f"{protocol}://[{host}]:{port}" if ":" in host else f"{protocol}://{host}:{port}"
        for _, protocol, port in ports
    ]
    found = {
        f"{name}_SERVICE_HOST": host,
        f"{name}_SERVICE_PORT": str(ports[0][2]),
        f"{name}_PORT": urls[0],
    }
    for (called, protocol, port), url in zip(ports, urls, strict=True):
        start = f"{name}_PORT_{port}_{protocol.upper()}"
        found |= {
            start: url,
            f"{start}_PROTO": protocol,
            f"{start}_PORT": str(port),
            f"{start}_ADDR": host,
        }
        if called:
            found[f"{name}_SERVICE_PORT_{called}"] = str(port)
    return found


DB = kubelets("DB", "10.0.0.7", ("", "tcp", 5432))
DOCKERS = {name: value for name, value in DB.items() if "_SERVICE_" not in name}


@pytest.mark.parametrize(
    "environ",
    [
        DB,
        DOCKERS,
        kubelets("WEB", "fd00::1", ("HTTP", "tcp", 80), ("HTTPS", "tcp", 443)),
        kubelets("DNS", "10.0.0.9", ("DNS", "udp", 53), ("DNS_TCP", "tcp", 53)),
        kubelets("A_SERVICE_PORT_B", "10.0.0.9", ("ADMIN", "sctp", 1)),
        kubelets("DB_PORT", "10.0.0.9", ("ADMIN", "tcp", 5432)) | DB,
        {"WEB_SERVICE_HOST": "10.0.0.1", "WEB_SERVICE_PORT": "80"},
    ],
)
def test_service_link(environ: dict[str, str]) -> None:
    """All variables of a service are shown, as kubelet and Docker set them."""
    assert {each.name: each.value for each in environment(environ)} == environ


@pytest.mark.claim("what is shown of the environment and of files")
@pytest.mark.parametrize(
    ("environ", "name", "value"),
    [
        # Numbers and words beside a real service.
        (DB, "DB_PORT_PASSWORD", "31337"),
        (DB, "DB_SERVICE_PORT_PASSWORD", "31337"),
        (DB, "DB_PORT", "tcp://10.0.0.7:31337"),
        (DB, "DB_PORT", "31337"),
        (DB, "DB_PORT_PIN", "tcp"),
        (DB, "DB_PORT_31337_TCP", "tcp://10.0.0.7:31337"),
        (DB, "DB_PORT_31337_TCP_PROTO", "tcp"),
        (DB, "DB_PORT_5432_UDP_PORT", "31337"),
        (DB, "DB_SERVICE_PORT", "123456"),
        (DB, "DB_SERVICE_PORT", "0"),
        (DB, "DB_SERVICE_HOST", "hunter2"),
        (DB, "DB_PORT_5432_TCP_ADDR", "10.0.0.8"),
        (DB, "DB_PORT_5432_TCP_PORT", "31337"),
        (DB, "DB_PORT_5432_TCP", "tcp://u:p@10.0.0.7:5432"),
        # Without one.
        ({}, "DB_PORT_PASSWORD", "31337"),
        ({}, "DB_SERVICE_PORT", "31337"),
        ({}, "DB_SERVICE_HOST", "10.0.0.1"),
        ({}, "DB_PORT", "tcp://10.0.0.1:80"),
        ({}, "DB_PORT", "31337"),
        ({}, "_SERVICE_PORT", "31337"),
        (DOCKERS, "DB_SERVICE_PORT", "31337"),
    ],
)
def test_no_service_link(environ: dict[str, str], name: str, value: str) -> None:
    """What does not fit the rest of its service is none of it: a password may be a number."""
    found = {each.name: each.value for each in environment(environ | {name: value})}

    assert found[name] is None


def test_allowed_by_name(tree_of: Callable[..., SystemFiles]) -> None:
    """An operator may allow a name."""
    tree = tree_of({}, {"COLOR": "blue", "OTHER": "x"})
    variables = read_network(tree, frozenset({"COLOR"})).environment

    assert [each.value for each in variables] == ["blue", None]


@given(name=st.text(), value=st.text())
def test_any_variable(name: str, value: str) -> None:
    """No variable breaks the reading."""
    read_links({name: value, f"{name}_SERVICE_HOST": value, f"{name}_SERVICE_PORT": value})
    environment({name: value})
