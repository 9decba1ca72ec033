"""Each call tried in a separate process, and its result judged.

The process that serves never does this: a filter may kill whichever process makes a call.
"""

import errno
import os
import signal
import time
from typing import Final, Literal

import msgspec

from devops_info_service.facts import parse
from devops_info_service.facts.fact import Fact, Known, Unknown, value_of
from devops_info_service.facts.linux.capabilities import read_capabilities
from devops_info_service.facts.system_files import SystemFiles

from .calls import NONE, Call, calls, release
from .program import MAX_STATUS, PROCESSORS, program

STATUS: Final = "/proc/self/status"
SECONDS: Final = 2.0
"""For one call, which takes a millisecond: a filter's supervisor may leave it without a reply."""
_POLL_SECONDS: Final = 0.001

State = Literal["allowed", "blocked", "killed", "refused", "missing", "unclear"]
_CONTROL: Final = {"x86_64": 3, "aarch64": 57}
"""close, whose EBADF for no descriptor proves that the tried programs run at all."""


class Attempt(msgspec.Struct, frozen=True):
    """One call, and what came of it."""

    call: str
    group: str
    state: State
    result: str
    """The error's name, ``success``, or the signal."""
    meaning: str
    """Why the state follows from the result."""
    why: str
    """What a program could do with the call."""


class Probe(msgspec.Struct, frozen=True):
    """All calls of this processor, and the filter as the kernel names it."""

    filter: Fact[str]
    """``none``, or how many filters are in force."""
    calls: tuple[Attempt, ...]


def probe(tree: SystemFiles) -> Probe:
    """Try every call; some 50 short-lived processes, one after the other.

    Raises:
        OSError: no program can be run from memory here, so nothing can be tried.
        KeyError: the processor is not one of ``PROCESSORS``.
    """
    kernel = os.uname()
    machine = kernel.machine
    if machine not in PROCESSORS:
        raise KeyError(machine)
    status = tree.read(STATUS)
    mode = status.parse_field("Seccomp", parse.count, ":")
    number = status.parse_field("Seccomp_filters", parse.count, ":")
    effective = value_of(read_capabilities(status).effective, ())
    if run(program(machine, _CONTROL[machine], (NONE,))) != errno.EBADF:
        raise OSError(errno.ENOEXEC, "a program that only closes no file does not end as it should")
    tried = []
    for call in calls():
        if (tried_number := getattr(call, machine)) != NONE:
            result = run(program(machine, tried_number, call.arguments))
            state, meaning = judge(
                call,
                result,
                is_filtered=value_of(mode, 2) != 0,
                effective=effective,
                release=release(kernel.release) or (0, 0),
            )
            tried.append(Attempt(call.name, call.group, state, _spelled(result), meaning, call.why))
    return Probe(_filter(mode, number), tuple(tried))


def _filter(mode: Fact[int], number: Fact[int]) -> Fact[str]:
    if isinstance(mode, Unknown):
        return mode
    names = {0: "none", 1: "strict"}
    found = value_of(number, None)
    words = "a filter" if found is None else f"{found} filter{'' if found == 1 else 's'}"
    return Known(names.get(mode.value, words), mode.evidence)


def run(executable: bytes) -> int | None:
    """Run *executable* from memory and return its exit status, negative for a signal.

    ``None``: it did not end in ``SECONDS`` and was killed.

    Raises:
        OSError: it cannot be run.
    """
    descriptor = os.memfd_create("system-call")
    try:
        os.write(descriptor, executable)
        # Without variables and with no file but the three streams: all others close by themselves.
        child = os.posix_spawn(f"/proc/self/fd/{descriptor}", ["system-call"], {})
    finally:
        os.close(descriptor)
    until = time.monotonic() + SECONDS
    while True:
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            return os.waitstatus_to_exitcode(status)
        if time.monotonic() > until:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            return None
        time.sleep(_POLL_SECONDS)


def judge(
    call: Call,
    status: int | None,
    *,
    is_filtered: bool,
    effective: tuple[str, ...],
    release: tuple[int, int],
) -> tuple[State, str]:
    """Return the state that *status* proves, and the reason; ``unclear`` where it proves none.

    *effective* are the capabilities in force, *release* that of the kernel.
    """
    if status in call.reached:
        return "allowed", "the kernel itself rejected its arguments" if status else "it succeeded"
    match status:
        case None:
            return "unclear", f"no result in {SECONDS:g} s"
        case errno.ENOSYS:
            return _of_missing(call, release, is_filtered=is_filtered)
        case errno.EPERM | errno.EACCES:
            return _of_refused(call, effective, release, is_filtered=is_filtered)
        case _ if status == -signal.SIGSYS:
            return "killed", "a filter ends the process that makes it"
        case _:
            return "unclear", "no result of Linux for these arguments"


def _of_refused(
    call: Call, effective: tuple[str, ...], release: tuple[int, int], *, is_filtered: bool
) -> tuple[State, str]:
    if not is_filtered:
        return "refused", "by the kernel: no filter is in force"
    others = []
    if call.needs and call.needs not in effective:
        others.append(f"for want of {call.needs}")
    if call.setting:
        others.append(f"by {call.setting}")
    if others and release < call.before:
        return "unclear", f"by a filter, or {' or '.join(others)}"
    return "blocked", "a filter refuses it: Linux would reject its arguments first"


def _of_missing(call: Call, release: tuple[int, int], *, is_filtered: bool) -> tuple[State, str]:
    if not is_filtered:
        return "missing", "this kernel lacks it"
    if call.since != (0, 0) and release >= call.since:
        major, minor = call.since
        return "blocked", f"a filter hides it: every kernel since {major}.{minor} has it"
    return "missing", "this kernel lacks it, or a filter hides it"


def _spelled(status: int | None) -> str:
    if status is None:
        return "none"
    if status < 0:
        return signal.Signals(-status).name
    if status == MAX_STATUS:
        return "an error that is not Linux's"
    return errno.errorcode.get(status, str(status)) if status else "success"
