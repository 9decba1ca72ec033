"""Configuration: precedence, valid values and error messages."""

from typing import Any

import msgspec
import pytest

from devops_info_service.config import SETTINGS, Config, load
from devops_info_service.errors import ConfigError
from devops_info_service.http import Limits


def test_defaults() -> None:
    """Without flags and variables every setting has its default."""
    assert load([], {}) == Config()


def test_every_field_is_a_setting() -> None:
    """Every setting has a flag and a variable."""
    fields = {*Config.__struct_fields__, *Limits.__struct_fields__} - {"limits"}

    assert fields == {setting.field for setting in SETTINGS}


def test_names() -> None:
    """Flag and variable follow from the field."""
    assert next(
        (setting.flag, setting.variable) for setting in SETTINGS if setting.field == "access_log"
    ) == ("--access-log", "ACCESS_LOG")


@pytest.mark.parametrize(
    ("flags", "environ", "port"),
    [
        ([], {}, 8080),
        ([], {"PORT": "9000"}, 9000),
        ([], {"PORT": ""}, 8080),
        (["--port", "9001"], {"PORT": "9000"}, 9001),
        (["--port=9001"], {"PORT": "no number"}, 9001),
        (["--port", "0"], {}, 0),
        (["--port", "65535"], {}, 65535),
    ],
)
def test_precedence(flags: list[str], environ: dict[str, str], port: int) -> None:
    """A flag wins over a variable, a variable over the default; an empty one is none."""
    assert load(flags, environ).port == port


@pytest.mark.parametrize(
    ("environ", "field", "value"),
    [
        ({"HOST": "127.0.0.1"}, "host", "127.0.0.1"),
        ({"HOST": "::"}, "host", "::"),
        ({"HOST": "localhost"}, "host", "127.0.0.1"),
        ({"HOST": "0:0:0:0:0:0:0:0"}, "host", "::"),
        ({"HOST": "::0.0.0.0"}, "host", "::"),
        ({"HOST": "0000::1"}, "host", "::1"),
        ({"HOST": "2001:DB8::0:1"}, "host", "2001:db8::1"),
        ({"HOST": "::ffff:127.0.0.1"}, "host", "127.0.0.1"),
        ({"HOST": "::ffff:7f00:1"}, "host", "127.0.0.1"),
        ({"HOST": "0:0::ffff:0:0"}, "host", "0.0.0.0"),
        ({"DEBUG": "true"}, "debug", True),
        ({"DEBUG": "Yes"}, "debug", True),
        ({"DEBUG": "1"}, "debug", True),
        ({"DEBUG": "off"}, "debug", False),
        ({"ACCESS_LOG": "on"}, "access_log", True),
        ({"DRAIN_SECONDS": "0"}, "drain_seconds", 0),
        ({"WORKERS": "auto"}, "workers", "auto"),
        ({"WORKERS": "4"}, "workers", 4),
        ({"SHOW_ENVIRONMENT": "A, B_2,c.d"}, "show_environment", ("A", "B_2", "c.d")),
    ],
)
def test_values(environ: dict[str, str], field: str, value: Any) -> None:
    """Valid values are parsed."""
    assert getattr(load([], environ), field) == value


def test_limits() -> None:
    """A limit is set like everything else, and leaves the others as they are."""
    config = load(["--max-fields", "50"], {"KEEPALIVE_TIMEOUT_SECONDS": "5"})

    assert config.limits == msgspec.structs.replace(
        Limits(), max_fields=50, keepalive_timeout_seconds=5
    )


@pytest.mark.parametrize(
    ("flags", "debug"),
    [(["--debug"], True), (["--debug", "false"], False), (["--debug=on"], True)],
)
def test_switches(flags: list[str], *, debug: bool) -> None:
    """A switch needs no value and takes one."""
    assert load(flags, {"DEBUG": "1"}).debug is debug


@pytest.mark.parametrize(
    ("environ", "message"),
    [
        ({"PORT": "http"}, "PORT: invalid value 'http'; expected an integer from 0 to 65535"),
        ({"PORT": "65536"}, "PORT: invalid value '65536'; expected an integer from 0 to 65535"),
        ({"PORT": "-1"}, "PORT: invalid value '-1'; expected an integer from 0 to 65535"),
        ({"PORT": "+1"}, "PORT: invalid value '+1'; expected an integer from 0 to 65535"),
        ({"PORT": " 1"}, "PORT: invalid value ' 1'; expected an integer from 0 to 65535"),
        ({"PORT": "1_0"}, "PORT: invalid value '1_0'; expected an integer from 0 to 65535"),
        ({"PORT": "\u0661"}, "PORT: invalid value '\u0661'; expected an integer from 0 to 65535"),
        ({"PORT": "1\n2"}, r"PORT: invalid value '1\n2'; expected an integer from 0 to 65535"),
        (
            {"PORT": "tcp://10.0.0.1:80"},
            "PORT: invalid value 'tcp://10.0.0.1:80'; expected an integer",
        ),
        (
            {"HOST": "example.org"},
            "HOST: invalid value 'example.org'; expected an IPv4 or IPv6 address",
        ),
        (
            {"HOST": "256.0.0.1"},
            "HOST: invalid value '256.0.0.1'; expected an IPv4 or IPv6 address",
        ),
        ({"DEBUG": "maybe"}, "DEBUG: invalid value 'maybe'; expected true or false"),
        ({"WORKERS": "0"}, "WORKERS: invalid value '0'; expected auto or an integer from 1 to 256"),
        ({"WORKERS": "257"}, "WORKERS: invalid value '257'; expected auto or an integer from 1"),
        ({"WORKERS": "Auto"}, "WORKERS: invalid value 'Auto'; expected auto or an integer from 1"),
        (
            {"SHOW_ENVIRONMENT": "A,,B"},
            "SHOW_ENVIRONMENT: invalid value 'A,,B'; expected a list of names",
        ),
        (
            {"SHOW_ENVIRONMENT": "A=1"},
            "SHOW_ENVIRONMENT: invalid value 'A=1'; expected a list of names",
        ),
        ({"MAX_FIELDS": "0"}, "MAX_FIELDS: invalid value '0'; expected an integer from 1 to 10000"),
        ({"PORT": "0" * 20 + "99999"}, "PORT: invalid value '000"),
        ({"PORT": "9" * 5000}, "PORT: invalid value '99"),
    ],
)
def test_bad_values(environ: dict[str, str], message: str) -> None:
    """The message has the variable, the value and the valid values, in one line."""
    with pytest.raises(ConfigError) as caught:
        load([], environ)

    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)
    assert caught.value.exit_status == 2


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--port", "x"], "--port: invalid value 'x'; expected an integer from 0 to 65535"),
        (["--prot", "1"], "unknown flag '--prot'; the nearest is --port"),
        (["--por=1"], "unknown flag '--por'; the nearest is --port"),
        (["--port"], "argument --port: expected one argument"),
        (["now"], "unexpected argument 'now'; expected a flag such as --help"),
    ],
)
def test_bad_flags(flags: list[str], message: str) -> None:
    """A flag that is unknown or wrong is one line, too."""
    with pytest.raises(ConfigError, match=message):
        load(flags, {})


def test_one_port_for_two() -> None:
    """Two listeners on one port are an error of the configuration, not of the socket."""
    with pytest.raises(ConfigError, match="PORT and MANAGEMENT_PORT are both 8080"):
        load((), {"MANAGEMENT_PORT": "8080"})
    assert load((), {"PORT": "0", "MANAGEMENT_PORT": "0"}).management_port == 0
