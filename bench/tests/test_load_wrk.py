"""The parsers of wrk's output and of procfs, against texts saved from both."""

import dataclasses
import os

import pytest

from bench.lib import proc, wrk
from bench.lib.harness import MeasureError

SAID = """\
Running 1s test @ http://127.0.0.1:18099/
  1 threads and 64 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     1.95ms    1.60ms  12.68ms   86.31%
    Req/Sec    34.35k     8.86k   46.86k    40.00%
  34217 requests in 1.00s, 24.58MB read
Requests/sec:  34181.04
Transfer/sec:     24.55MB
{"requests": 34217, "duration_us": 1001052, "p50_us": 1478, "p99_us": 8746, "max_us": 12679, \
"connect": 0, "read": 3, "write": 0, "status": 2, "timeout": 1}
"""

SEEN = wrk.Seen(
    requests=34217,
    duration_us=1_001_052,
    p50_us=1478,
    p99_us=8746,
    max_us=12_679,
    connect=0,
    read=3,
    write=0,
    status=2,
    timeout=1,
)


def test_the_line_of_our_script_is_found() -> None:
    assert wrk.parse(SAID) == SEEN


def test_the_last_such_line_counts() -> None:
    """A server's text can reach wrk's output only above it."""
    assert wrk.parse('{"requests": 1}\n' + SAID) == SEEN


def test_the_rate_is_over_the_time_it_really_took() -> None:
    assert round(SEEN.per_second, 2) == 34181.04


def test_every_kind_of_error_counts() -> None:
    assert SEEN.errors == 6


@pytest.mark.parametrize("messages", ["", "unable to connect to 127.0.0.1:1 Connection refused\n"])
def test_no_result_is_an_error_with_what_wrk_said(messages: str) -> None:
    with pytest.raises(MeasureError, match="without a result") as caught:
        wrk.parse(messages)
    assert messages.strip() in str(caught.value)


def test_works_have_names_of_their_own() -> None:
    assert len({work.name for work in wrk.WORK}) == len(wrk.WORK)


def test_our_script_has_the_fields_that_are_asked_for() -> None:
    """Host and the list in work.lua: one more would send nothing."""
    script = wrk.SCRIPT.read_text()
    usual = script.partition("local usual = {")[2].partition("\n}")[0]
    assert 1 + usual.count("\n  { ") == max(work.fields for work in wrk.WORK) == 20


@pytest.mark.parametrize("name", ["python", "a b) R 1", "(sd-pam)", ")"])
def test_a_process_is_read_whatever_it_is_called(name: str) -> None:
    tick = os.sysconf("SC_CLK_TCK")
    text = f"77 ({name}) S 1 70 66 0 -1 4194560 1 2 3 4 {2 * tick} {3 * tick} 9 9 20 0 1 0 5\n"
    assert proc.parse_stat(text) == proc.Stat(session=66, ended=False, cpu_seconds=5.0)


def test_a_zombie_has_ended() -> None:
    assert proc.parse_stat("7 (x) Z 1 7 7 0 -1 4194560 1 2 3 4 0 0 9 9").ended


def test_memory_is_in_bytes() -> None:
    text = "00400000-7ffd ---p 00000000 00:00 0 [rollup]\nRss:     15040 kB\nPss:    15001 kB\n"
    assert proc.parse_kibibytes(text, "Rss") == 15040 * 1024
    assert proc.parse_kibibytes(text, "Pss") == 15001 * 1024
    assert proc.parse_kibibytes("", "Pss") == 0


def test_waiting_is_not_busy() -> None:
    """Of user, nice, system, idle, iowait, irq, softirq, steal, guest: not idle, not iowait."""
    tick = os.sysconf("SC_CLK_TCK")
    values = " ".join(str(n * tick) for n in (1, 2, 4, 800, 1600, 8, 16, 32, 6400, 12800))
    assert proc.parse_busy(f"cpu  {values}\ncpu0 1 1 1 1\n") == 1 + 2 + 4 + 8 + 16 + 32


def test_this_process_can_be_read() -> None:
    mine = os.getpid()
    assert mine in proc.session(os.getsid(0))
    assert proc.cpu_seconds([mine]) > 0
    assert proc.scheduled_seconds([mine]) > 0
    assert proc.memory([mine]).rss_bytes >= proc.memory([mine]).pss_bytes > 0
    assert proc.busy_seconds() > 0


def test_who_has_ended_uses_nothing() -> None:
    nobody = 2**22 + 1  # one above the most the kernel gives
    assert proc.cpu_seconds([nobody]) == proc.scheduled_seconds([nobody]) == 0
    assert dataclasses.astuple(proc.memory([nobody])) == (0, 0)
