"""A real process on a real port."""

import contextlib
from collections.abc import Iterator
from typing import Any

import pytest

from tests.lib.running_service import RunningService, Start


@pytest.fixture
def launch() -> Iterator[Start]:
    """Start services in any state; they end with the test."""
    with contextlib.ExitStack() as stack:

        def start_one(*flags: str, **more: Any) -> RunningService:
            service = RunningService(*flags, **more)
            stack.callback(service.close)
            return service

        yield start_one


@pytest.fixture
def start(launch: Start) -> Start:
    """Start services and wait until they listen; their next event is one after that."""

    def start_one(*flags: str, **more: Any) -> RunningService:
        service = launch(*flags, **more)
        service.event("listening")
        return service

    return start_one


@pytest.fixture(scope="module")
def service() -> Iterator[RunningService]:
    """One service for all tests of a module that leave it as it is."""
    with contextlib.closing(RunningService()) as service:
        service.event("listening")
        yield service
