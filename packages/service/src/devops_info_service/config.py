"""Flags and environment in, one frozen ``Config`` out: flags win over the environment.

Nothing below ``cli`` reads a flag or a variable; this is the one place of precedence.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Annotated, Any, Final, Literal

import msgspec

from . import flags
from . import setting_types as values
from .errors import ConfigError
from .http import MAX_WORKERS, Cidr, HostPattern, Integer, Limits


class Value(msgspec.Struct, frozen=True):
    """The parser of a setting's text, the allowed values in words, and the line of help."""

    parse: Callable[[str], Any]
    """Raises ValueError for text that is not allowed."""
    allowed: str
    help: str


def _boolean(help_: str) -> Value:
    return Value(values.boolean, "true or false (1, yes, on; 0, no, off)", help_)


def _address(help_: str) -> Value:
    return Value(values.address, "an IPv4 or IPv6 address, or localhost", help_)


def _auto_or(low: int, high: int, help_: str) -> Value:
    def parse(text: str) -> int | str:
        return text if text == "auto" else values.number(text, low, high)

    return Value(parse, f"auto or an integer from {low} to {high}", help_)


def _field(text: str) -> str:
    if text.lower() not in FORWARDED_FIELDS:
        raise ValueError(text)
    return text.lower()


_PORT: Final = 65_535
_HOUR: Final = 3600
_MIB: Final = 1024 * 1024

FORWARDED_FIELDS: Final = ("any", "x-forwarded-for", "forwarded", "x-real-ip")


class Config(msgspec.Struct, frozen=True):
    """Every setting: a field's name gives its flag and its variable."""

    host: Annotated[str, _address("address to listen on")] = "0.0.0.0"  # noqa: S104  a container's port is published by its platform
    """Numeric address to listen on, or ``localhost``. Names would need a resolver at start."""

    port: Annotated[int, Integer(0, _PORT, "TCP port; 0 lets the kernel choose")] = 8080
    """TCP port; with 0 the event ``listening`` names the kernel's choice."""

    management_port: Annotated[
        int | None, Integer(0, _PORT, "port for all but /, /health and the probes; 0 as for port")
    ] = None
    """TCP port for all but ``/``, ``/health`` and the probes; None: ``port`` serves them as well.
    One port is all that a user of ``docker run`` expects."""

    management_host: Annotated[str, _address("address for it; that of --host by default")] = ""
    """Numeric address for it; empty: that of ``host``."""

    allowed_hosts: Annotated[
        tuple[HostPattern, ...],
        Value(
            values.hosts,
            "a list of names, *.names and addresses, separated by commas",
            "hosts that requests may name; 421 for others",
        ),
    ] = ()
    """Hosts a request may name; 421 for others. None: all, as a container does not know the names
    it is published by."""

    debug: Annotated[bool, _boolean("log rejected requests")] = False
    """Log rejected requests, with the reason."""

    access_log: Annotated[bool, _boolean("log one line a request")] = False
    """One line a request. Off: a probe every few seconds would be most of the log."""

    workers: Annotated[int | Literal["auto"], _auto_or(1, MAX_WORKERS, "processes")] = 1
    """Processes that serve. One: most containers have a CPU or less, a second process costs some
    7 MB, and replicas scale further. ``auto``: as many as CPUs."""

    worker_timeout_seconds: Annotated[
        int, Integer(3, _HOUR, "seconds before a worker that hangs is replaced")
    ] = 30
    """Seconds without a heartbeat after which a worker is replaced. gunicorn's timeout; a snapshot
    of the platform with a hundredth of a CPU takes a few."""

    trusted_proxies: Annotated[
        tuple[Cidr, ...],
        Value(
            values.networks,
            "a list of addresses and networks such as 10.0.0.0/8, separated by commas",
            "proxies whose forwarding headers are trusted",
        ),
    ] = ()
    """Proxies whose forwarding headers are trusted. Default none: any client can forge them."""

    forwarded_field: Annotated[
        str,
        Value(_field, "one of " + ", ".join(FORWARDED_FIELDS), "header field that they write"),
    ] = "any"
    """The field that proxies write; ``any``: each that is there, if all of them agree."""

    proxy_protocol: Annotated[bool, _boolean("expect a PROXY header on every connection")] = False
    """Every connection begins with a PROXY header, version 1 or 2, and none is served without."""

    show_environment: Annotated[
        tuple[str, ...],
        Value(
            values.names,
            "a list of names of variables, separated by commas",
            "variables whose values /platform and report may show",
        ),
    ] = ()
    """Variables whose values the platform's report may show, besides those known as harmless.
    None: a name does not show whether the value is a secret."""

    expectations: Annotated[
        str,
        Value(
            str,
            "a mapping such as memory.limit: 256Mi, or the path of a file that has one",
            "expectations of the platform; a path begins with / or ./",
        ),
    ] = ""
    """Expectations of the platform, or the path of a file that has them; empty: none.
    As it was given: ``expectations`` parses it."""

    ready_requires_expectations: Annotated[
        bool, _boolean("not ready while an expectation is not met")
    ] = False
    """Not ready while one of them is not met. Off: a workload with less than was expected mostly
    serves better than none."""

    ready_switch: Annotated[bool, _boolean("serve POST /readyz/enable and /readyz/disable")] = False
    """Whether ``POST /readyz/enable`` and ``/readyz/disable`` are there. Off: any client could
    take the service out of every balancer."""

    tools: Annotated[bool, _boolean("serve tools for trying a platform under /tools")] = False
    """Whether ``/tools`` is there. Off: clients could choose responses, and without a management
    port also faults, load and the end of the process."""

    drain_seconds: Annotated[
        int, Integer(0, _HOUR, "seconds for requests in flight at the end")
    ] = 8
    """Seconds that requests in flight get after SIGTERM. Docker kills after 10."""

    drain_delay_seconds: Annotated[
        int, Integer(0, _HOUR, "seconds to go on accepting connections at the end")
    ] = 0
    """Seconds between SIGTERM and the end of accepting, not ready but serving: as long as a
    balancer takes to notice. Compose balances nothing; on Kubernetes some 5."""

    termination_log: Annotated[
        str, Value(values.path, "an absolute path", "existing file for the termination message")
    ] = "/dev/termination-log"
    """The file for the termination message, Kubernetes' terminationMessagePath; written if it is
    there."""

    max_connection_memory_bytes: Annotated[
        int | Literal["auto"],
        _auto_or(
            _MIB,
            1024 * 1024 * _MIB,
            "memory for all connections; auto is a share of the container's",
        ),
    ] = "auto"
    """Memory for the connections of all workers, the kernel's part included. ``auto``: half of
    what the processes leave of the container's limit, which it follows; 1.25 GiB without one."""

    limits: Limits = Limits()


class Setting(msgspec.Struct, frozen=True):
    """A field of ``Config`` or of its ``Limits``, with what its annotation holds."""

    field: str
    value: Value
    default: Any

    @property
    def flag(self) -> str:
        """The name on a command line."""
        return "--" + self.field.replace("_", "-")

    @property
    def variable(self) -> str:
        """The name in an environment."""
        return self.field.upper()


def _settings(type_: type[msgspec.Struct]) -> Iterator[Setting]:
    defaults = type_()
    for field in type_.__struct_fields__:
        # Read as it is: typing.get_type_hints would import and evaluate.
        for note in getattr(type_.__annotations__[field], "__metadata__", ()):
            default = getattr(defaults, field)
            shown = "none" if default in {(), "", None} else default
            yield Setting(field, _value(note), shown)


def _value(note: Value | Integer) -> Value:
    if isinstance(note, Value):
        return note

    def parse(text: str) -> int:
        return values.number(text, note.low, note.high)

    return Value(parse, f"an integer from {note.low} to {note.high}", note.help)


SETTINGS: Final = (*_settings(Config), *_settings(Limits))
"""Every setting, in the order in which help lists them."""


def load(flags: Sequence[str], environ: Mapping[str, str]) -> Config:
    """Return the configuration of *flags* (the command line without its command) and *environ*.

    An empty variable counts as absent: Compose files and charts pass ``PORT=`` for a value that
    was not given.

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
            values[setting.field] = setting.value.parse(text)
        except ValueError:
            raise ConfigError(
                f"{name}: invalid value {text!r}; expected {setting.value.allowed}"
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
        switch = setting.value.parse is values.boolean
        parser.add_argument(
            setting.flag,
            dest=setting.field,
            metavar="BOOL" if switch else "N" if default.isdigit() else "VALUE",
            nargs="?" if switch else None,
            const="true" if switch else None,
            help=f"{setting.value.help} (${setting.variable}, default {default.lower()})",
        )
    return vars(parser.parse_args(words))
