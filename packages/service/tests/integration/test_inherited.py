"""Inherited signals, limits and umask, and a signal before the process serves."""

import os
import resource
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from signal import SIGINT, SIGTERM, Signals

import pytest

from tests.lib.running_service import Start, free_port
from tests.lib.waiting import until

from .inheritance import (
    block_all,
    hold_signals,
    ignore_all,
    ignore_and_block_all,
    require_namespace,
)


@pytest.mark.sample(every=3)
@pytest.mark.claim("inherited masks, dispositions, umask, limits")
@pytest.mark.parametrize("number", [SIGTERM, SIGINT])
@pytest.mark.parametrize("workers", ["1", "2"])
@pytest.mark.parametrize("inherit", [ignore_all, block_all, ignore_and_block_all])
def test_inherited_signals(
    launch: Start, inherit: Callable[[], None], workers: str, number: Signals
) -> None:
    """Signals that the parent ignored or blocked still work."""
    service = launch("--workers", workers, inherit=inherit)
    assert service.responds()
    if workers == "2":
        before = service.two_workers()
        os.kill(before[0], signal.SIGKILL)
        until(lambda: len(set(service.children()) - {before[0]}) == 2)
    service.signal(number)

    assert service.wait() == 0


@pytest.mark.claim("inherited masks, dispositions, umask, limits")
@pytest.mark.claim("private files")
@pytest.mark.parametrize("workers", ["1", "2"])
def test_inherited_rest(launch: Start, workers: str) -> None:
    """A umask of 0, core files and a low soft limit of open files are corrected."""

    def inherit() -> None:
        os.umask(0)
        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (10, hard))
        resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))

    service = launch("--workers", workers, inherit=inherit)
    assert service.responds()
    for pid in (service.pid, *service.children()):
        status = Path(f"/proc/{pid}/status").read_text()
        limits = Path(f"/proc/{pid}/limits").read_text()
        assert "Umask:\t0077" in status
        assert any(
            line.split()[:5] == ["Max", "core", "file", "size", "0"] for line in limits.splitlines()
        )
        (files,) = [line.split()[3] for line in limits.splitlines() if "open files" in line]
        assert int(files) > 100


@pytest.mark.claim("inherited masks, dispositions, umask, limits")
def test_too_few_files(launch: Start) -> None:
    """A hard limit of a few open files is an error of one line, with the remedy."""
    service = launch(inherit=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (20, 20)))

    assert service.wait() == 1
    assert service.errors() == (
        "devops-info-service: open files: the limit is 20; expected at least 24"
        " (ulimit -n, LimitNOFILE=, --ulimit nofile=)\n"
    )


@pytest.mark.claim("a signal before it serves, as PID 1")
@pytest.mark.parametrize("workers", ["1", "2", "8"])
def test_signal_to_the_first_process_at_once(launch: Start, workers: str) -> None:
    """SIGTERM to PID 1 before it serves is not lost."""
    unshare = ("unshare", "--pid", "--fork", "--kill-child")
    require_namespace(*unshare)
    for delay in (0.0, 0.005, 0.02, 0.05, 0.1, 0.2):
        # As the executable's first instructions do.
        service = launch("--workers", workers, prefix=unshare, inherit=hold_signals)
        (first,) = until(service.children)
        time.sleep(delay)
        os.kill(first, SIGTERM)

        assert (service.wait(), service.errors()) == (0, "")
        assert service.names()[-1] == "stopped"


@pytest.mark.sample(every=3)
@pytest.mark.parametrize(
    ("namespace", "script"),
    [
        ("--mount", 'mount -t tmpfs none /dev && exec "$@" 0<&- 1>&- 2>&-'),
        ("--mount", 'mount -t tmpfs none /proc && exec "$@"'),
        ("--uts", "printf '\\377' > /proc/sys/kernel/hostname; exec \"$@\""),
    ],
    ids=["no /dev and closed streams", "no /proc", "a hostname that is not UTF-8"],
)
@pytest.mark.parametrize("workers", ["1", "2"])
def test_unusual_surroundings(launch: Start, workers: str, namespace: str, script: str) -> None:
    """Missing files and a name that is not text do not keep the service from serving."""
    require_namespace("unshare", namespace)
    service = launch(
        *("--workers", workers),
        prefix=("unshare", namespace, "sh", "-c", script, "sh"),
        port=free_port(),
        stdout=subprocess.DEVNULL,
    )
    assert service.get("/").status == 200
    service.signal(SIGTERM)
    assert service.wait() == 0
