"""The probe against real filters of seccomp, drawn at random and installed in a real process.

The filter is the oracle: each call that it names comes back as the filter has it, and each call
that it does not name comes back as without any filter.
"""

import errno
import json
import os
import platform
import re
import shutil
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devops_info_service.probe.attempt import run
from devops_info_service.probe.calls import NONE, calls
from devops_info_service.probe.program import PROCESSORS, program

MACHINE: Final = platform.machine()
CALLS: Final = {
    call.name: call
    for call in calls()
    # Python and the probe themselves need the first ones; two rows share the number of socket.
    if call.name not in {"memfd_create", "clone", "clone3", "rseq"}
    and not call.name.startswith("socket")
}
pytestmark = pytest.mark.skipif(MACHINE not in PROCESSORS, reason=f"no programs for {MACHINE}")

INSTALL: Final = """
import ctypes, json, os, struct, sys
rules, words = json.loads(sys.argv[1]), []
words.append((0x20, 0, 0, 0))  # load the number
for number, action in rules:
    words += [(0x15, 0, 1, number), (0x06, 0, 0, action)]
words.append((0x06, 0, 0, 0x7FFF0000))
code = b"".join(struct.pack("<HBBI", *word) for word in words)
kept = ctypes.create_string_buffer(code, len(code))
program = ctypes.create_string_buffer(struct.pack("<HxxxxxxQ", len(words), ctypes.addressof(kept)))
libc = ctypes.CDLL(None, use_errno=True)
assert libc.prctl(38, 1, 0, 0, 0) == 0
assert libc.prctl(22, 2, program, 0, 0) == 0, ctypes.get_errno()
os.execv(sys.executable, [sys.executable, "-m", "devops_info_service", "probe", *sys.argv[2:]])
"""
KILL_PROCESS, KILL_THREAD, TRAP, ERRNO, LOG = 0x80000000, 0, 0x30000, 0x50000, 0x7FFC0000

ACTIONS: Final = st.one_of(
    st.sampled_from([KILL_PROCESS, KILL_THREAD, TRAP, LOG]),
    st.integers(0, 4095).map(lambda error: ERRNO | error),
    st.sampled_from([errno.EPERM, errno.EACCES, errno.ENOSYS]).map(lambda error: ERRNO | error),
)


def probed(rules: dict[str, int], *flags: str) -> Any:
    """Return what a process under a filter of *rules* prints."""
    numbers = [(getattr(CALLS[name], MACHINE), action) for name, action in rules.items()]
    numbers = [each for each in numbers if each[0] != NONE]
    done = subprocess.run(
        [sys.executable, "-c", INSTALL, json.dumps(numbers), *flags],
        capture_output=True,
        timeout=120,
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    assert (done.returncode, done.stderr) == (0, b"")
    return json.loads(done.stdout) if flags else done.stdout.decode()


def states(found: Any) -> dict[str, str]:
    return {each["call"]: each["state"] for each in found["calls"]}


@pytest.fixture(scope="module")
def free() -> dict[str, str]:
    """Return the states under a filter that refuses nothing."""
    return states(probed({}, "--json"))


@settings(max_examples=8)
@given(st.dictionaries(st.sampled_from(sorted(CALLS)), ACTIONS, min_size=1, max_size=20))
def test_the_filter_is_found(free: dict[str, str], rules: dict[str, int]) -> None:
    """Each call has the state that the filter gives it; every other is as without one."""
    found = states(probed(rules, "--json"))

    for name, state in found.items():
        action = rules.get(name, LOG)
        if action in {KILL_PROCESS, KILL_THREAD, TRAP}:
            assert state == "killed", name
        elif action == LOG:
            assert state == free[name], name
        else:
            error = action - ERRNO
            call = CALLS[name]
            is_ambiguous = call.needs or call.setting
            if error in call.reached:
                # A filter with the kernel's own error cannot be distinguished from it.
                assert state == "allowed", name
            elif error in {errno.EPERM, errno.EACCES}:
                assert state in ({"blocked", "unclear"} if is_ambiguous else {"blocked"}), name
            elif error == errno.ENOSYS:
                assert state in {"blocked", "missing"}, name
            else:
                assert state == "unclear", name


def test_text() -> None:
    """The text has a line with the sums, the filter, and each call with its use."""
    text = probed({"ptrace": KILL_PROCESS, "setns": ERRNO | errno.EPERM})

    assert text.startswith("System calls tried: ")
    assert "killed" in text.partition("\n")[0]
    assert re.search(r"^  seccomp  \d+ filters? ", text, re.MULTILINE)  # an engine has its own
    assert "ptrace             killed (SIGSYS): a filter ends the process" in text
    assert "setns          blocked (EPERM): a filter refuses it" in text
    assert "debug, and take over, a process" in text


def test_nothing_runs_from_memory() -> None:
    """Without memfd_create nothing can be tried: one line, status 1, and no verdict."""
    number = next(c for c in calls() if c.name == "memfd_create")
    rules = json.dumps([(getattr(number, MACHINE), ERRNO | errno.EPERM)])
    done = subprocess.run(
        [sys.executable, "-c", INSTALL, rules],
        capture_output=True,
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )

    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr.startswith(b"devops-info-service: probe: a program in memory cannot be run")
    assert done.stderr.count(b"\n") == 1


@pytest.mark.parametrize("status", [0, 1, 9, 38, 133, 254])
def test_status(status: int) -> None:
    """A call that ends the process ends it with the status it was given."""
    number = {"x86_64": 231, "aarch64": 94}[MACHINE]

    assert run(program(MACHINE, number, (status,))) == status


@pytest.mark.parametrize("machine", PROCESSORS)
@pytest.mark.parametrize(
    ("call", "arguments", "status"),
    [
        ("close", (NONE,), errno.EBADF),
        ("getpid", (), 0),  # a number above 0 is a success
        ("mmap", (0, 4096, 0, 0x22, NONE, 0), 0),  # an address, far above 4095
        ("mmap", (0, 0, 0, 0x22, NONE, 0), errno.EINVAL),
        ("missing", (1, 2, 3, 4, 5, 6), errno.ENOSYS),
    ],
)
def test_every_processor(
    tmp_path: Path, machine: str, call: str, arguments: tuple[int, ...], status: int
) -> None:
    """The program turns any result into its status, on each processor that there is."""
    numbers = {
        "x86_64": {"close": 3, "getpid": 39, "mmap": 9, "missing": 9999},
        "aarch64": {"close": 57, "getpid": 172, "mmap": 222, "missing": 9999},
    }
    executable = program(machine, numbers[machine][call], arguments)
    assert executable[:4] == b"\x7fELF"
    assert len(executable) < 400
    assert struct.unpack_from("<H", executable, 18)[0] == PROCESSORS[machine].machine
    if machine == MACHINE:
        assert run(executable) == status
        return
    emulator = shutil.which(f"qemu-{machine}-static") or shutil.which(f"qemu-{machine}")
    if emulator is None:
        pytest.skip(f"no qemu-{machine}-static: apt-get install qemu-user-static")
    file = tmp_path / "program"
    file.write_bytes(executable)
    file.chmod(0o700)
    assert subprocess.run([emulator, str(file)], check=False, timeout=60).returncode == status
