"""Parsers of the kernel's formats: valid texts, and rejection of all others."""

import math
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from devops_info_service.facts import parse
from devops_info_service.facts.container.confinement import ids
from devops_info_service.facts.container.user_ids import IdMap, id_map
from devops_info_service.facts.fact import File, Known, Unknown
from devops_info_service.facts.kubernetes.downward import pairs
from devops_info_service.facts.linux.addresses import (
    addresses_v6,
    local_addresses,
    routes_v4,
    routes_v6,
)
from devops_info_service.facts.linux.disks import traffic
from devops_info_service.facts.linux.group_table import counters
from devops_info_service.facts.linux.mounts import parse_mount
from devops_info_service.facts.linux.pressure import Pressure, Stall, pressure
from devops_info_service.facts.linux.resolver import parse_resolver
from devops_info_service.facts.linux.resources import Rlimit, rlimits


@pytest.mark.parametrize(
    ("parser", "text", "value"),
    [
        (parse.count, "0", 0),
        (parse.count, "18446744073709551615", 2**64 - 1),
        (parse.signed, "-997", -997),
        (parse.limit, "max", None),
        (parse.limit, "50000", 50000),
        (parse.limit_v1, "-1", None),
        (parse.limit_v1, "9223372036854771712", None),
        (parse.limit_v1, "9223372036854710272", None),
        (parse.limit_v1, "67108864", 2**26),
        (parse.rlimit, "unlimited", None),
        (parse.kilobytes, "24684084 kB", 24684084 * 1024),
        (parse.mask, "00000000a80425fb", 0xA80425FB),
        (parse.decimal, "12.34", 12.34),
        (parse.decimal, "7", 7.0),
        (parse.flag, "1", True),
        (parse.cpus, "0-3,8", (0, 1, 2, 3, 8)),
        (parse.cpus, "", ()),
        (parse.word, "x", "x"),
        (ids, "0 1 20", (0, 1, 20)),
        (id_map, "0 1000 1\n1 524288 65536", (IdMap(0, 1000, 1), IdMap(1, 524288, 65536))),
        (counters, "low 0\nmax 3", {"low": 0, "max": 3}),
        (pairs, 'app="web"\nempty=""', {"app": "web", "empty": ""}),
        (
            rlimits,
            (
                "Limit                     Soft Limit           Hard Limit           Units     \n"
                "Max open files            1024                 unlimited            files     "
            ),
            (Rlimit("open_files", 1024, None, "files"),),
        ),
        (
            pressure,
            "some avg10=1.50 avg60=0.00 avg300=0.25 total=12",
            Pressure(Stall(1.5, 0.0, 0.25, 12), None),
        ),
    ],
)
def test_understood(parser: Callable[[str], Any], text: str, value: Any) -> None:
    """What the kernel writes is understood."""
    assert parser(text) == value


@pytest.mark.parametrize(
    ("parser", "text"),
    [
        (parse.count, ""),
        (parse.count, "-1"),
        (parse.count, "+1"),
        (parse.count, "1_000"),
        (parse.count, "1 1"),
        (parse.count, "٣"),
        (parse.count, "18446744073709551616"),
        (parse.count, "9" * 5000),
        (parse.signed, "--1"),
        (parse.signed, "9223372036854775808"),
        (parse.kilobytes, "12 MB"),
        (parse.kilobytes, "12"),
        (parse.kilobytes, "18446744073709551615 kB"),
        (parse.mask, "0x10"),
        (parse.mask, "-1"),
        (parse.mask, "f" * 17),
        (parse.decimal, "nan"),
        (parse.decimal, "inf"),
        (parse.decimal, "1e5"),
        (parse.decimal, "-1.0"),
        (parse.flag, "2"),
        (parse.cpus, "3-0"),
        (parse.cpus, "0-99999999"),
        (parse.cpus, "0-8191,0-8191"),
        (parse.word, ""),
        (id_map, "0 0"),
        (counters, ""),
        (counters, "max"),
        (pressure, "full avg10=0.00 avg60=0.00 avg300=0.00 total=0"),
        (pressure, "some avg10=0.00"),
        (rlimits, ""),
        (pairs, "app=web"),
        (pairs, "words"),
    ],
)
def test_rejected(parser: Callable[[str], Any], text: str) -> None:
    """What the kernel does not write is unknown, never half understood."""
    assert isinstance(File("/x", text).parse(parser), Unknown)


KERNEL_TEXT = st.text(st.sampled_from('09afx-+.,:/= \t\n"maxsomefulltotalRd_|')) | st.text()

PARSERS: list[Callable[[str], Any]] = [
    *(parse.count, parse.signed, parse.limit, parse.limit_v1, parse.rlimit, parse.kilobytes),
    *(parse.mask, parse.decimal, parse.flag, parse.cpus, parse.word),
    *(ids, id_map, counters, pairs, rlimits, pressure),
    *(local_addresses, addresses_v6, routes_v4, routes_v6),
    *(parse_mount, parse_resolver),
    lambda text: traffic(text, {"rbps": "read_bytes", "wbps": "write_bytes"}),
]


@pytest.mark.parametrize("parser", PARSERS)
@given(text=KERNEL_TEXT)
def test_nonsense(parser: Callable[[str], Any], text: str) -> None:
    """For any content a parser returns a value or rejects it; it never raises anything else."""
    fact = File("/x", text).parse(parser)

    assert isinstance(fact, Known | Unknown)


@given(number=st.integers(0, 2**64 - 1))
def test_every_number(number: int) -> None:
    """Each number of 64 bits is itself."""
    assert parse.count(str(number)) == number


@given(text=st.text(st.sampled_from("0123456789."), max_size=30))
@example("1.")
def test_decimals_are_finite(text: str) -> None:
    """A decimal is a number JSON has."""
    fact = File("/x", text).parse(parse.decimal)

    assert isinstance(fact, Unknown) or math.isfinite(fact.value)


FILE = File("/proc/x", "Name:\tservice\nUid:\t1\t2\nEmpty:\n")


def test_field() -> None:
    """A field is known with its evidence."""
    fact = FILE.parse_field("Name", parse.word, ":")

    assert isinstance(fact, Known)
    assert fact.value == "service"
    assert [fact.evidence[0].file, fact.evidence[0].field] == ["/proc/x", "Name"]


@pytest.mark.parametrize(
    ("fact", "reason"),
    [
        (FILE.parse_field("Gid", parse.count, ":"), "/proc/x has no Gid"),
        (
            FILE.parse_field("Empty", parse.word, ":"),
            "Empty in /proc/x is '', which is not understood",
        ),
        (
            FILE.parse_field("Name", parse.count, ":"),
            "Name in /proc/x is 'service', which is not understood",
        ),
        (FILE.parse_word(9, "quota", parse.count), "/proc/x has no quota"),
        (File("/y", Unknown("/y is not there")).parse_field("a", parse.count), "/y is not there"),
        (File("/y", Unknown("/y is not there")).parse_word(0, "a", parse.count), "/y is not there"),
        (File("/y", Unknown("/y is not there")).parse(parse.count), "/y is not there"),
    ],
)
def test_reasons(fact: Known[int] | Unknown, reason: str) -> None:
    """The reason alone lets a stranger find the cause."""
    assert fact == Unknown(reason)


def test_long_nonsense_is_cut() -> None:
    """A reason stays a line, however long the file."""
    fact = File("/x", "y" * 100_000).parse(parse.count)

    assert isinstance(fact, Unknown)
    assert len(fact.reason) < 100
