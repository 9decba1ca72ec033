"""Service links: the variables that kubelet and Docker set for each service and linked container.

A variable is one of them only if it fits all the others of its service: a password may be a
number, and ``DB_PORT_PASSWORD`` ends as a port's might.

Sources: kubelet, pkg/kubelet/envvars/envvars.go; Docker, "Legacy container links".
"""

from typing import Final

import msgspec

from devops_info_service.facts.forms import VARIABLE, is_address, is_port

PROTOCOLS: Final = ("tcp", "udp", "sctp")
_HOST: Final = "_SERVICE_HOST"
_PORT: Final = "_SERVICE_PORT"
_PARTS: Final = ("", "_PROTO", "_PORT", "_ADDR")
"""Of ``NAME_PORT_443_TCP``: both kubelet and Docker set all of them."""
MAX_OWNERS: Final = 4
"""Names tried for one variable: a service's own name rarely has the mark in it once."""


class ServiceLink(msgspec.Struct, frozen=True):
    """A service as the environment names it, fixed when the container started."""

    name: str
    host: str
    port: str


class Links(msgspec.Struct, frozen=True):
    """The services that the environment names."""

    services: tuple[ServiceLink, ...]
    variables: frozenset[str]
    """Those that are part of a link; their values may be shown."""


class _Link(msgspec.Struct):
    host: str
    ports: set[str]
    urls: set[str]


def links_of(environ: dict[str, str]) -> Links:
    """Return the links of *environ*, which does not change; those of the last one are kept.

    A process has one environment, and a namespace of 2,000 services puts 14,000 variables in it:
    parsing them for each snapshot took two thirds of it.
    """
    if not _last or _last[0][0] is not environ:
        _last[:] = [(environ, read_links(environ))]
    return _last[0][1]


_last: Final[list[tuple[dict[str, str], Links]]] = []


def read_links(environ: dict[str, str]) -> Links:
    """Find them; the work is linear in the number of variables."""
    links: dict[str, _Link] = {}
    shown: set[str] = set()
    services = []
    for variable in sorted(environ):
        name, host = variable.removesuffix(_HOST), environ[variable]
        port = environ.get(name + _PORT, "")
        fits = name and name != variable and VARIABLE.holds(variable)
        if fits and is_address(host) and is_port(port):
            urls = {_url(protocol, host, port) for protocol in PROTOCOLS}
            links[name] = _Link(host, {port}, urls)
            shown |= {variable, name + _PORT}
            services.append(ServiceLink(name.lower().replace("_", "-"), host, port))
    _add_ports(environ, links, shown)
    for variable, value in environ.items():
        link = links.get(variable.removesuffix("_PORT"))
        if link is not None and variable.endswith("_PORT") and value in link.urls:
            shown.add(variable)
        if is_port(value) and any(
            name in links and value in links[name].ports for name in _owners(variable)
        ):
            shown.add(variable)
    return Links(tuple(services), frozenset(shown))


def _add_ports(environ: dict[str, str], links: dict[str, _Link], shown: set[str]) -> None:
    """Take the sets of variables that each port has, as far as they fit."""
    for variable in environ:
        found = _port_of(variable)
        if found is None:
            continue
        name, port, protocol = found
        link = links.get(name)
        host = environ.get(variable + "_ADDR", "") if link is None else link.host
        if not is_address(host):
            continue
        url = _url(protocol, host, port)
        expected = dict(zip(_PARTS, (url, protocol, port, host), strict=True))
        given = {part: environ.get(variable + part) for part in _PARTS}
        if given != expected:
            continue
        if link is None:
            link = links[name] = _Link(host, set(), set())
        link.ports.add(port)
        link.urls.add(url)
        shown.update([variable + part for part in _PARTS])


def _port_of(variable: str) -> tuple[str, str, str] | None:
    """Take ``NAME_PORT_443_TCP`` apart."""
    rest, _, protocol = variable.rpartition("_")
    rest, _, port = rest.rpartition("_")
    name = rest.removesuffix("_PORT")
    known = protocol.lower() in PROTOCOLS and protocol.isupper() and is_port(port)
    fits = known and name and name != rest and VARIABLE.holds(variable)
    return (name, port, protocol.lower()) if fits else None


def _owners(variable: str) -> list[str]:
    """Return whose ``NAME_SERVICE_PORT_HTTPS`` may be: a name may contain the mark as well."""
    mark, at = f"{_PORT}_", 0
    found: list[str] = []
    while (at := variable.find(mark, at)) > 0 and len(found) < MAX_OWNERS:
        found.append(variable[:at])
        at += 1
    return found


def _url(protocol: str, host: str, port: str) -> str:
    return f"{protocol}://[{host}]:{port}" if ":" in host else f"{protocol}://{host}:{port}"
