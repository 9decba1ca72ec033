"""Flags and environment in, one frozen ``Config`` out: flags win over the environment.

Nothing below ``cli`` reads a flag or a variable; this is the one place of precedence.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Literal

import msgspec

from . import flags
from . import setting_types as values
from .errors import ConfigError


class Limits(msgspec.Struct, frozen=True):
    """What one process grants to strangers."""

    max_request_line_bytes: int = 8 * 1024
    """Bytes; 414 above. RFC 9112, section 3, asks for at least 8,000."""

    max_head_bytes: int = 16 * 1024
    """Bytes of request line and fields; 431 above. Node.js grants the same, nginx 32 KiB."""

    max_fields: int = 100
    """Header fields of a request; 431 above. Apache httpd's number."""

    max_body_bytes: int = 10 * 1024 * 1024
    """Bytes; 413 above, from its length or a chunk's size alone. Bodies are read and dropped."""

    head_seconds: int = 10
    """Seconds from a request's first byte to the end of its head, which is one or two packets;
    408 after."""

    body_seconds: int = 20
    """Seconds a body may take before its rate is looked at. Apache's RequestReadTimeout."""

    min_body_bytes_per_second: int = 500
    """Average below which a body is given up with 408. Apache's RequestReadTimeout."""

    idle_seconds: int = 75
    """Seconds without a request. nginx's number, and above the 60 of common load balancers, so
    that the balancer closes first and never meets a connection we are just closing."""

    write_seconds: int = 30
    """Seconds a peer may leave its answers unread, all in all; then it is cut off."""

    min_answer_bytes_per_second: int = 240
    """The rate at which taking them gives those seconds back; at 0 any byte gives all. Kestrel's
    MinResponseDataRate, IIS's minBytesPerSecond."""

    max_connections: int = 16_384
    """Open connections of a process, as far as ``max_connection_memory_bytes`` allows; above it
    those that are idle for longest are closed, and 503 is the answer where none is."""

    probe_connections: int = 16
    """Connections above ``max_connections`` whose first request is looked at: a probe is
    answered, all else gets 503. A kubelet, a balancer's few checkers and a scraper fit."""

    max_requests_per_connection: int = 10_000
    """Then the answer says ``Connection: close``: so connections spread over new replicas and
    workers some day. nginx has 1,000; at ten times that a new connection is lost in the noise."""


class Config(msgspec.Struct, frozen=True):
    """Everything that can be set."""

    host: str = "0.0.0.0"  # noqa: S104  a container's port is published by its platform
    """Numeric address to listen on, or ``localhost``. Names would need a resolver at start."""

    port: int = 8080
    """TCP port; 0 lets the kernel choose, and the event ``listening`` names its choice."""

    management_port: int | None = None
    """TCP port for all but ``/``, ``/health`` and the probes; None: they are on ``port``, too. One
    port is all that a user of ``docker run`` expects."""

    management_host: str = ""
    """Numeric address for it; empty: that of ``host``."""

    allowed_hosts: tuple[values.HostPattern, ...] = ()
    """Hosts a request may name; 421 for others. None: all, as a container does not know the names
    it is published by."""

    debug: bool = False
    """Log what strangers got wrong, too."""

    access_log: bool = False
    """One line a request. Off: a probe every few seconds would be most of the log."""

    drain_seconds: int = 8
    """Seconds that requests in flight get after SIGTERM. Docker kills after 10."""

    drain_delay_seconds: int = 0
    """Seconds between SIGTERM and the closed door, not ready but still answering: as long as a
    balancer takes to hear of it. Compose balances nothing; on Kubernetes some 5."""

    termination_log: str = "/dev/termination-log"
    """The file for the last word, Kubernetes' terminationMessagePath; written if it is there."""

    workers: int | Literal["auto"] = 1
    """Processes that answer. One: a container has a CPU or less as a rule, a second process
    costs some 7 MB, and whoever wants more runs more containers. ``auto``: as many as CPUs."""

    worker_timeout_seconds: int = 30
    """Seconds without a heartbeat after which a worker is replaced. gunicorn's timeout; a look at
    the platform with a hundredth of a CPU takes a few."""

    trusted_proxies: tuple[values.Network, ...] = ()
    """Whose word on a request's client is believed. None: anybody could claim to be anybody."""

    forwarded_field: str = "any"
    """The field they say it in; ``any``: whichever there is, if all that are there agree."""

    proxy_protocol: bool = False
    """Every connection begins with a PROXY header, version 1 or 2, and none is served without."""

    show_environment: tuple[str, ...] = ()
    """Variables whose values the platform's report may show, beside those known as harmless.
    None: a name does not tell whether the value is a secret."""

    expectations: str = ""
    """What the platform is to grant, or the path of a file that says so; empty: nothing.
    As it was given: ``expectations`` parses it."""

    ready_requires_expectations: bool = False
    """Not ready while one of them is not met. Off: a workload with less than was expected mostly
    serves better than none."""

    max_connection_memory_bytes: int | Literal["auto"] = "auto"
    """Memory for the connections of all workers, the kernel's part included. ``auto``: half of
    what the processes leave of the container's limit, which it follows; 1.25 GiB without one."""

    ready_switch: bool = False
    """Whether ``POST /readyz/enable`` and ``/readyz/disable`` are there. Off: whoever reaches the
    port could take the service out of every balancer."""

    limits: Limits = Limits()


class Setting(msgspec.Struct, frozen=True):
    """One thing that can be set: a field of ``Config`` or of its ``Limits``."""

    field: str
    parse: Callable[[str], Any]
    """Raises ValueError for anything but what is ``allowed``."""
    allowed: str
    help: str

    @property
    def flag(self) -> str:
        """As it is written on a command line."""
        return "--" + self.field.replace("_", "-")

    @property
    def variable(self) -> str:
        """As it is written in an environment."""
        return self.field.upper()

    @property
    def default(self) -> Any:  # noqa: ANN401  a field's own type
        """The value when neither flag nor variable says otherwise."""
        default = getattr(_DEFAULTS.limits if self.is_limit else _DEFAULTS, self.field)
        return "none" if default in {(), "", None} else default

    @property
    def is_limit(self) -> bool:
        """Whether the field is one of ``Limits``."""
        return self.field in Limits.__struct_fields__


_DEFAULTS: Final = Config()

MAX_WORKERS: Final = 256
"""More than CPUs a container is given; bounds what workers share."""

FORWARDED_FIELDS: Final = ("any", "x-forwarded-for", "forwarded", "x-real-ip")


def _workers(text: str) -> int | str:
    return text if text == "auto" else values.number(text, 1, MAX_WORKERS)


def _bytes(text: str) -> int | str:
    return text if text == "auto" else values.number(text, _MIB, 1024 * 1024 * _MIB)


def _field(text: str) -> str:
    if text.lower() not in FORWARDED_FIELDS:
        raise ValueError(text)
    return text.lower()


def _whole(field: str, low: int, high: int, help_: str) -> Setting:
    def parse(text: str) -> int:
        return values.number(text, low, high)

    return Setting(field, parse, f"an integer from {low} to {high}", help_)


_MIB: Final = 1024 * 1024
_DAY: Final = 24 * 60 * 60
_ON_OFF: Final = "true or false (1, yes, on; 0, no, off)"

SETTINGS: Final = (
    Setting(
        "host", values.address, "an IPv4 or IPv6 address, or localhost", "address to listen on"
    ),
    _whole("port", 0, 65535, "TCP port; 0 lets the kernel choose"),
    _whole(
        "management_port", 0, 65535, "port for all but /, /health and the probes; 0 as for port"
    ),
    Setting(
        "management_host",
        values.address,
        "an IPv4 or IPv6 address, or localhost",
        "address for it; that of --host by default",
    ),
    Setting(
        "allowed_hosts",
        values.hosts,
        "a list of names, *.names and addresses, separated by commas",
        "hosts that requests may name; 421 for others",
    ),
    Setting("debug", values.switch, _ON_OFF, "log refused requests, too"),
    Setting("access_log", values.switch, _ON_OFF, "log one line a request"),
    Setting("workers", _workers, f"auto or an integer from 1 to {MAX_WORKERS}", "processes"),
    _whole("worker_timeout_seconds", 3, 3600, "seconds before a worker that hangs is replaced"),
    Setting(
        "trusted_proxies",
        values.networks,
        "a list of addresses and networks such as 10.0.0.0/8, separated by commas",
        "whose word on the client is believed",
    ),
    Setting("forwarded_field", _field, "one of " + ", ".join(FORWARDED_FIELDS), "where it is said"),
    Setting(
        "proxy_protocol", values.switch, _ON_OFF, "every connection begins with a PROXY header"
    ),
    Setting(
        "show_environment",
        values.names,
        "a list of names of variables, separated by commas",
        "variables whose values /platform and report may show",
    ),
    Setting(
        "expectations",
        str,
        "a mapping such as memory.limit: 256Mi, or the path of a file that has one",
        "what the platform is to grant; a path begins with / or ./",
    ),
    Setting(
        "ready_requires_expectations",
        values.switch,
        _ON_OFF,
        "not ready while an expectation is not met",
    ),
    Setting("ready_switch", values.switch, _ON_OFF, "take POST /readyz/enable and /readyz/disable"),
    _whole("drain_seconds", 0, 3600, "seconds for requests in flight at the end"),
    _whole("drain_delay_seconds", 0, 3600, "seconds to go on taking connections at the end"),
    Setting("termination_log", values.path, "an absolute path", "existing file for the last word"),
    _whole("max_request_line_bytes", 64, _MIB, "longest request line, in bytes"),
    _whole("max_head_bytes", 256, _MIB, "longest request line and fields, in bytes"),
    _whole("max_fields", 1, 10_000, "most header fields of a request"),
    _whole("max_body_bytes", 0, 1024 * _MIB, "longest request body, in bytes"),
    _whole("head_seconds", 1, 3600, "seconds for a request's head to arrive"),
    _whole("body_seconds", 1, 3600, "seconds before a slow body is given up"),
    _whole("min_body_bytes_per_second", 0, _MIB, "the rate below which a body is slow"),
    _whole("idle_seconds", 1, _DAY, "seconds a connection may wait for a request"),
    _whole("write_seconds", 1, 3600, "seconds a peer may leave its answers unread"),
    _whole("min_answer_bytes_per_second", 0, _MIB, "the rate below which a peer reads slowly"),
    _whole("max_connections", 1, 1_000_000, "most open connections"),
    Setting(
        "max_connection_memory_bytes",
        _bytes,
        f"auto or an integer from {_MIB} to {1024 * 1024 * _MIB}",
        "memory for all connections; auto is a share of the container's",
    ),
    _whole("probe_connections", 0, 1000, "more of them, for probes alone"),
    _whole("max_requests_per_connection", 1, 1_000_000_000, "most requests of a connection"),
)
"""Every setting, in the order in which help and reference list them."""


def load(flags: Sequence[str], environ: Mapping[str, str]) -> Config:
    """Return the configuration that *flags* (the command line without its command) ask for.

    An empty variable counts as one that is not there: Compose files and charts pass
    ``PORT=`` for a value nobody gave.

    Raises:
        ConfigError: a flag is unknown, or a value is not allowed.
    """
    given = _parse_flags(flags) if flags else {}
    values = {}
    for setting in SETTINGS:
        name, text = setting.flag, given.get(setting.field)
        if text is None:
            name, text = setting.variable, environ.get(setting.variable) or None
        if text is None:
            continue
        try:
            values[setting.field] = setting.parse(text)
        except ValueError:
            raise ConfigError(
                f"{name}: invalid value {text!r}; expected {setting.allowed}"
            ) from None
    limits = {name: values.pop(name) for name in Limits.__struct_fields__ if name in values}
    config = Config(**values, limits=Limits(**limits))
    if config.ready_requires_expectations and not config.expectations:
        raise ConfigError("READY_REQUIRES_EXPECTATIONS is true, but EXPECTATIONS is not set")
    same_host = config.management_host in {"", config.host}
    if config.port and config.port == config.management_port and same_host:
        raise ConfigError(f"PORT and MANAGEMENT_PORT are both {config.port}; expected two ports")
    if config.management_host and config.management_port is None:
        raise ConfigError("MANAGEMENT_HOST is set, but MANAGEMENT_PORT is not")
    return config


def _parse_flags(words: Sequence[str]) -> dict[str, str | None]:
    parser = flags.parser(
        "devops-info-service serve",
        description="Serve GET / and GET /health until SIGTERM or SIGINT.",
        epilog="A flag wins over its variable; an empty variable counts as unset.",
    )
    for setting in SETTINGS:
        default = str(setting.default)
        switch = setting.parse is values.switch
        parser.add_argument(
            setting.flag,
            dest=setting.field,
            metavar="BOOL" if switch else "N" if default.isdigit() else "VALUE",
            nargs="?" if switch else None,
            const="true" if switch else None,
            help=f"{setting.help} (${setting.variable}, default {default.lower()})",
        )
    return vars(parser.parse_args(words))
