"""The last word: what happened between the signal and the end, and what to set differently.

Imported when the signal has come.
"""

import errno
import os
import stat
from typing import Any, Final

import msgspec

from devops_info_service.http.shared_memory.shutdown_record import ShutdownRecord

from .config import Config
from .logs import Log

MAX_MESSAGE: Final = 4096
"""Bytes Kubernetes keeps of a container's termination message (``kubectl explain
pod.spec.containers.terminationMessagePath``)."""

GRACE_SECONDS: Final = 30
"""Kubernetes' default of ``terminationGracePeriodSeconds``."""

MARGIN_SECONDS: Final = 2
"""Between our end and the platform's SIGKILL: signal, log and the kubelet's own delay."""

TRIAL_DELAY_SECONDS: Final = 10
"""A delay to measure with: endpoints and kube-proxy need some 1 to 5 s as a rule."""

CUTOFF_TOLERANCE_SECONDS: Final = 0.5
"""Requests that arrive within as much of the closed door are taken as not the last ones."""

INTERRUPT: Final = "SIGINT"

Report = dict[str, Any]
"""What is told, ready for JSON."""


def report(flight: ShutdownRecord, config: Config) -> Report:
    """Return *flight* for people and programs, advice first."""
    listed = (*flight.first, *flight.last)
    return {
        "signal": flight.signal,
        "ended": flight.ended,
        "advice": advice(flight, config),
        "seconds": flight.seconds,
        "readiness_fell_seconds": flight.unready_seconds,
        "door_shut_seconds": flight.shut_seconds,
        "connections": flight.connections,
        "in_flight": flight.in_flight,
        "finished": flight.finished,
        "cut": sum(flight.cut.values()),
        "cut_while": flight.cut,
        "new_connections": flight.new_connections,
        "last_connection_seconds": flight.last_connection_seconds,
        "requests": flight.requests,
        "probes": flight.probes,
        "last_request_seconds": flight.last_request_seconds,
        "processes": flight.processes,
        "killed_processes": flight.killed,
        "arrived": list(listed),
        "not_listed": flight.requests - len(listed),
    }


def advice(flight: ShutdownRecord, config: Config) -> list[str]:
    """Say in plain words what to set, and why; one sentence a matter.

    Nothing after SIGINT: Ctrl-C on a terminal is no rollout, and nobody takes over.
    """
    if flight.signal == INTERRUPT:
        return []
    needed = config.drain_delay_seconds + config.drain_seconds + MARGIN_SECONDS
    if not flight.ended:
        return [
            (
                f"Killed more than {flight.seconds:.1f} s after the signal, before the end:"
                f" terminationGracePeriodSeconds must be at least {needed}, and more by a preStop"
                " sleep; or DRAIN_DELAY_SECONDS and DRAIN_SECONDS less."
            )
        ]
    said = [_on_arrivals(flight, config.drain_delay_seconds)]
    if flight.cut:
        said.append(_on_cut(flight, config))
    if needed > GRACE_SECONDS:
        said.append(
            "DRAIN_DELAY_SECONDS and DRAIN_SECONDS may take"
            f" {config.drain_delay_seconds + config.drain_seconds} s together:"
            f" terminationGracePeriodSeconds, {GRACE_SECONDS} by default, must be at least"
            f" {needed}, and more by a preStop sleep."
        )
    return said


def _on_arrivals(flight: ShutdownRecord, delay: int) -> str:
    last, shut = flight.last_request_seconds, flight.shut_seconds
    nothing = "Nothing but probes" if flight.probes else "Nothing"
    if last is None and not delay:
        return (
            f"{nothing} arrived in the {shut:.1f} s before the door was shut; what came later was"
            f" refused unseen. DRAIN_DELAY_SECONDS={TRIAL_DELAY_SECONDS} in one rollout shows"
            " whether anything does."
        )
    if last is None:
        return f"{nothing} arrived after the signal: DRAIN_DELAY_SECONDS={delay} could be 0."
    enough = int(last) + 1
    kept = f"Requests kept arriving for {last:.1f} s"
    if not delay:
        return (
            f"{kept}, over connections that were open: a preStop sleep of {enough} s would have"
            f" sufficed for these. New connections were refused unseen after {shut:.1f} s:"
            f" DRAIN_DELAY_SECONDS={TRIAL_DELAY_SECONDS} in one rollout shows how long they come."
        )
    if last > shut - CUTOFF_TOLERANCE_SECONDS:
        return (
            f"{kept}, up to the closed door and perhaps beyond: raise DRAIN_DELAY_SECONDS from"
            f" {delay} to {2 * delay}, or have a preStop sleep that is longer by {delay} s."
        )
    instead = (
        f" DRAIN_DELAY_SECONDS could be {enough} instead of {delay}." if enough < delay else ""
    )
    return f"{kept}: a preStop sleep of {enough} s would have sufficed.{instead}"


def _on_cut(flight: ShutdownRecord, config: Config) -> str:
    count = sum(flight.cut.values())
    were = "1 connection was" if count == 1 else f"{count} connections were"
    longer = 2 * config.drain_seconds or Config().drain_seconds
    grace = config.drain_delay_seconds + longer + MARGIN_SECONDS
    return (
        f"{were} cut after {flight.seconds:.1f} s: raise DRAIN_SECONDS from"
        f" {config.drain_seconds} to {longer}, and terminationGracePeriodSeconds to at least"
        f" {grace}, and more by a preStop sleep."
    )


def tell(flight: ShutdownRecord, config: Config, log: Log) -> None:
    """Say what happened in one line of the log, and to the platform if it wants to know.

    While it is still happening only the platform is told: of a process that is killed before
    its end that is the last word.
    """
    told = report(flight, config)
    if flight.ended:
        log.info("termination", **told)
    reason = leave(message(told), config.termination_log)
    if reason and flight.ended:
        log.error("termination_log", message=reason)


def message(told: Report) -> bytes:
    """Return *told* as one line of JSON that Kubernetes keeps whole.

    Requests from the middle of the list are left out until it fits.
    """
    arrived = list(told["arrived"])
    while True:
        not_listed = told["requests"] - len(arrived)
        line = msgspec.json.encode(told | {"arrived": arrived, "not_listed": not_listed}) + b"\n"
        if len(line) <= MAX_MESSAGE or not arrived:
            return line
        del arrived[len(arrived) // 2]


def leave(line: bytes, path: str) -> str:
    """Write *line* to the file at *path*, if the platform has put one there.

    A regular file of one name, and no link on the way to it: whoever can write to a directory
    of the path could else choose the file that is emptied. Return why it is not written, or
    nothing.
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
    """Open what is at *path*, as openat2(2) does with RESOLVE_NO_SYMLINKS.

    Step by step, as the interpreter cannot make that call; a step that is exchanged meanwhile is
    refused as it is opened. Never created: where nobody made the file nobody reads it.
    """
    step = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
    parts = [part for part in path.split("/") if part not in {"", "."}]
    *steps, name = parts or [".."]  # The root, which is no file.
    directory = os.open("/", step)
    try:
        for at in steps:
            _expect(os.lstat(at, dir_fd=directory), stat.S_IFDIR, f"{at!r} on the way is")
            inner = os.open(at, step, dir_fd=directory)
            os.close(directory)
            directory = inner
        # Looked at before it is opened, too: to open a device may do something.
        _expect(os.lstat(name, dir_fd=directory), stat.S_IFREG, "it is")
        # Not blocking: a pipe that took its place would keep us waiting for a reader.
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
        called = _KINDS.get(found, "a device")
        raise OSError(errno.ELOOP, f"{what} {called}; expected {_KINDS[kind]}, and no link")
    if kind == stat.S_IFREG and status.st_nlink > 1:
        raise OSError(errno.EMLINK, "it has other names, too; expected a file of its own")


_KINDS: Final = {
    stat.S_IFREG: "a regular file",
    stat.S_IFDIR: "a directory",
    stat.S_IFLNK: "a symbolic link",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
}
