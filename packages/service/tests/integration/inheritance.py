"""Surroundings that a parent process hands on to the service: signals and namespaces."""

import signal
import subprocess

import pytest

from devops_info_service.http.lifecycle import SIGNALS


def hold_signals() -> None:
    """Inherit the signals blocked, as the executable blocks them in its first instructions."""
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)


def ignore_all() -> None:
    """Ignore every signal, as a careless shell script does."""
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)


def block_all() -> None:
    """Block every signal, as a program that execs from a handler does."""
    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())


def ignore_and_block_all() -> None:
    """Ignore and block every signal."""
    ignore_all()
    block_all()


def require_namespace(*unshare: str) -> None:
    """Skip on a machine where this user may not make the namespace."""
    if subprocess.run([*unshare, "true"], capture_output=True, check=False).returncode:
        pytest.skip("no namespaces without more privileges")
