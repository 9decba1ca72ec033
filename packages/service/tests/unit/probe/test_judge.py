"""A call's result proves a state or none: by the table of calls, and for any status."""

import errno
import re
import signal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devops_info_service.probe.attempt import judge
from devops_info_service.probe.calls import NONE, Call, calls

CALLS = calls()
HEADERS = {
    "x86_64": Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h"),
    "aarch64": Path("/usr/include/asm-generic/unistd.h"),
}
REFUSALS = (errno.EPERM, errno.EACCES)
STATUSES = st.one_of(st.none(), st.integers(0, 254), st.integers(-64, -1))
RELEASES = st.tuples(st.integers(2, 8), st.integers(0, 30))
RIGHTS = st.sets(st.sampled_from(["BPF", "SYS_ADMIN", "SYSLOG"])).map(tuple)


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.name)
def test_table(call: Call) -> None:
    """A call's own errors are none by which filters refuse; its arguments fit six registers."""
    assert call.reached
    assert not set(call.reached) & {*REFUSALS, errno.ENOSYS}
    assert len(call.arguments) <= 6
    assert call.why
    assert call.x86_64 != NONE


@pytest.mark.parametrize("machine", HEADERS)
def test_numbers(machine: str) -> None:
    """The numbers are those of the kernel's own headers."""
    header = HEADERS[machine]
    if not header.exists():
        pytest.skip(f"no {header}: install linux-libc-dev")
    found = re.findall(r"#define __NR(?:3264)?_(\w+)[ \t]+(\d+)", header.read_text())
    numbers = {name: int(number) for name, number in found}
    known = {call.name.partition("/")[0]: getattr(call, machine) for call in CALLS}

    wrong = {
        name: number
        for name, number in known.items()
        if number != NONE and numbers.get(name, number) != number
    }
    assert wrong == {}
    assert len(numbers.keys() & known.keys()) > len(known) // 2


@given(st.sampled_from(CALLS), STATUSES, RIGHTS, RELEASES, st.booleans())
def test_needs_proof(
    call: Call,
    status: int | None,
    effective: tuple[str, ...],
    release: tuple[int, int],
    is_filtered: bool,  # noqa: FBT001  drawn by position
) -> None:
    """Blocked needs a filter and no other cause; allowed needs the kernel's own error."""
    state, meaning = judge(
        call, status, is_filtered=is_filtered, effective=effective, release=release
    )

    assert meaning
    assert (state == "allowed") == (status in call.reached)
    if state == "blocked":
        assert is_filtered
        if status == errno.ENOSYS:
            assert release >= call.since > (0, 0)
        else:
            assert status in REFUSALS
            has_right = not call.needs or call.needs in effective
            assert (has_right and not call.setting) or release >= call.before
    if state == "killed":
        assert status == -signal.SIGSYS
    if state == "refused":
        assert not is_filtered
    if status is None or status == 254:
        assert state == "unclear"
