"""Fixtures of the documentation tests."""

import socket

import pytest


@pytest.fixture
def free_port() -> int:
    """A free TCP port of the loopback."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
