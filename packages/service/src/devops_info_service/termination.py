"""The termination message: what came after the signal, and which settings to change.

Imported when the signal has come.
"""

import errno
import os
import stat
from typing import Any, Final

import msgspec

from devops_info_service.http import ShutdownRecord

from .config import Config
from .logs import Log

MAX_MESSAGE: Final = 4096
"""Bytes Kubernetes keeps of a container's termination message (``kubectl explain
pod.spec.containers.terminationMessagePath``)."""

GRACE_SECONDS: Final = 30
"""Kubernetes' default of ``terminationGracePeriodSeconds``."""

MARGIN_SECONDS: Final = 2
"""Between the end of the process and the platform's SIGKILL: signal, log, the kubelet's delay."""

TRIAL_DELAY_SECONDS: Final = 10
"""A delay to measure with: endpoints and kube-proxy mostly need 1 to 5 s."""

CUTOFF_TOLERANCE_SECONDS: Final = 0.5
"""Requests that arrive this close to the last accept are taken as not the last ones."""

INTERRUPT: Final = "SIGINT"

Report = dict[str, Any]
"""The record and the advice, ready for JSON."""

_FIELDS: Final = (
    *("seconds", "unready_after_seconds", "accept_stopped_after_seconds"),
    *("connections", "in_flight", "finished", "aborted_by_phase"),
    *("new_connections", "last_connection_seconds"),
    *("requests", "probes", "last_request_seconds", "processes", "killed_processes"),
)
"""Fields of the record that are reported as they are."""


def report(record: ShutdownRecord, config: Config) -> Report:
    """Return *record* for people and programs, advice first."""
    late = [*record.first, *record.last]
    return {
        "signal": record.signal,
        "complete": record.complete,
        "advice": advice(record, config),
        **{name: getattr(record, name) for name in _FIELDS},
        "aborted": sum(record.aborted_by_phase.values()),
        "late_requests": late,
        "omitted": record.requests - len(late),
    }


def advice(record: ShutdownRecord, config: Config) -> list[str]:
    """Return what to change, and why; one sentence a matter.

    A replica has its own record alone: advice to lower a delay names the others' as a condition.

    Nothing after SIGINT: Ctrl-C on a terminal is not a rollout, and nothing takes over.
    """
    if record.signal == INTERRUPT:
        return []
    needed = config.drain_delay_seconds + config.drain_seconds + MARGIN_SECONDS
    if not record.complete:
        return [
            (
                f"Killed more than {record.seconds:.1f} s after the signal, before the end:"
                f" terminationGracePeriodSeconds must be at least {needed}, and more by a preStop"
                " sleep; or DRAIN_DELAY_SECONDS and DRAIN_SECONDS less."
            )
        ]
    sentences = [_on_arrivals(record, config.drain_delay_seconds)]
    if record.aborted_by_phase:
        sentences.append(_on_aborted(record, config))
    if needed > GRACE_SECONDS:
        sentences.append(
            "DRAIN_DELAY_SECONDS and DRAIN_SECONDS may take"
            f" {config.drain_delay_seconds + config.drain_seconds} s together:"
            f" terminationGracePeriodSeconds, {GRACE_SECONDS} by default, must be at least"
            f" {needed}, and more by a preStop sleep."
        )
    return sentences


def _on_arrivals(record: ShutdownRecord, delay: int) -> str:
    last, stopped = record.last_request_seconds, record.accept_stopped_after_seconds
    nothing = "Nothing but probes" if record.probes else "Nothing"
    if last is None and not delay:
        return (
            f"{nothing} arrived in the {stopped:.1f} s before new connections were refused; later"
            f" ones were not seen. DRAIN_DELAY_SECONDS={TRIAL_DELAY_SECONDS} in one rollout shows"
            " whether any come."
        )
    if last is None:
        return (
            f"{nothing} arrived at this replica after the signal; at others it may have: leave"
            f" DRAIN_DELAY_SECONDS={delay} unless the last_request_seconds of all are null."
        )
    enough = int(last) + 1
    kept = f"Requests kept arriving for {last:.1f} s"
    if not delay:
        return (
            f"{kept}, over connections that were open: a preStop sleep of {enough} s would have"
            f" sufficed for these. New connections were refused unseen after {stopped:.1f} s:"
            f" DRAIN_DELAY_SECONDS={TRIAL_DELAY_SECONDS} in one rollout shows how long they come."
        )
    if last > stopped - CUTOFF_TOLERANCE_SECONDS:
        return (
            f"{kept}, until new connections were refused and perhaps beyond: raise"
            f" DRAIN_DELAY_SECONDS from {delay} to {2 * delay}, or have a preStop sleep that is"
            f" longer by {delay} s."
        )
    instead = (
        f" DRAIN_DELAY_SECONDS could be {enough} instead of {delay} if the last_request_seconds of"
        " no other replica is larger."
        if enough < delay
        else ""
    )
    return f"{kept}: a preStop sleep of {enough} s would have sufficed for this replica.{instead}"


def _on_aborted(record: ShutdownRecord, config: Config) -> str:
    count = sum(record.aborted_by_phase.values())
    were = "1 connection was" if count == 1 else f"{count} connections were"
    longer = 2 * config.drain_seconds or Config().drain_seconds
    grace = config.drain_delay_seconds + longer + MARGIN_SECONDS
    return (
        f"{were} aborted after {record.seconds:.1f} s: raise DRAIN_SECONDS from"
        f" {config.drain_seconds} to {longer}, and terminationGracePeriodSeconds to at least"
        f" {grace}, and more by a preStop sleep."
    )


def publish(record: ShutdownRecord, config: Config, log: Log) -> None:
    """Log the report in one line, and write it to the platform's file, if there is one.

    A partial record is written to the file only: there it is the termination message of a
    process that is killed before its end.
    """
    found = report(record, config)
    if record.complete:
        log.info("termination", **found)
    reason = write_message(message(found), config.termination_log)
    if reason and record.complete:
        log.error("termination_log", message=reason)


def message(found: Report) -> bytes:
    """Return the report as one line of JSON that Kubernetes keeps whole.

    Requests from the middle of the list are omitted until it fits.
    """
    late = list(found["late_requests"])
    while True:
        omitted = found["requests"] - len(late)
        line = msgspec.json.encode(found | {"late_requests": late, "omitted": omitted}) + b"\n"
        if len(line) <= MAX_MESSAGE or not late:
            return line
        del late[len(late) // 2]


def write_message(line: bytes, path: str) -> str:
    """Write *line* to the file at *path*, if the platform has put one there.

    A regular file of one name, with no link in its path: otherwise a process that can write to
    one of the directories could choose the file that is emptied. Return why it is not written,
    or nothing.
    """
    try:
        descriptor = _open(path)
        try:
            os.ftruncate(descriptor, 0)
            os.write(descriptor, line)
        finally:
            os.close(descriptor)
    except FileNotFoundError:
        return ""
    except OSError as exc:
        return f"{path}: {exc.strerror}"
    return ""


def _open(path: str) -> int:
    """Open *path* as openat2(2) does with RESOLVE_NO_SYMLINKS.

    Step by step, as the interpreter cannot make that call; a step that is exchanged meanwhile is
    refused when it is opened. Never created: a file that the platform did not make is not read.
    """
    step = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
    parts = [part for part in path.split("/") if part not in {"", "."}]
    *steps, name = parts or [".."]  # The root, which is not a file.
    directory = os.open("/", step)
    try:
        for at in steps:
            _expect(os.lstat(at, dir_fd=directory), stat.S_IFDIR, f"{at!r} in its path is")
            inner = os.open(at, step, dir_fd=directory)
            os.close(directory)
            directory = inner
        # Checked before it is opened as well: opening a device may have effects.
        _expect(os.lstat(name, dir_fd=directory), stat.S_IFREG, "it is")
        # Not blocking: a pipe that took its place would wait for a reader.
        flags = os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(name, flags, dir_fd=directory)
    finally:
        os.close(directory)
    try:
        _expect(os.fstat(descriptor), stat.S_IFREG, "it is")
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def _expect(status: os.stat_result, kind: int, what: str) -> None:
    found = stat.S_IFMT(status.st_mode)
    if found != kind:
        kind_name = _KINDS.get(found, "a device")
        raise OSError(errno.ELOOP, f"{what} {kind_name}; expected {_KINDS[kind]}, and no link")
    if kind == stat.S_IFREG and status.st_nlink > 1:
        raise OSError(errno.EMLINK, "it has other names; expected a file with one")


_KINDS: Final = {
    stat.S_IFREG: "a regular file",
    stat.S_IFDIR: "a directory",
    stat.S_IFLNK: "a symbolic link",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
}
