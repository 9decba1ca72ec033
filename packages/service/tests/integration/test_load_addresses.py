"""``load`` with a name of several addresses, of which some refuse or do not respond."""

import itertools
import socket
import threading
from collections.abc import Iterator
from typing import Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from devops_info_service.load.addresses import Address
from devops_info_service.load.client import LoadClient
from devops_info_service.load.plan import Plan, Result
from tests.lib.running_service import RunningService

REQUEST: Final = b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n"
REQUESTS: Final = 12


def address(host: str, port: int) -> Address:
    return socket.AF_INET, (host, port)


@pytest.fixture
def refusing() -> Iterator[Address]:
    """An address at which nothing listens, and nothing else may."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield address(*bound.getsockname())


@pytest.fixture
def silent() -> Iterator[Address]:
    """An address whose queue is full: the kernel drops each SYN, as the network drops those to a
    task that has ended."""
    with socket.socket() as listening, socket.socket() as first, socket.socket() as second:
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        for queued in (first, second):
            queued.settimeout(0)
            queued.connect_ex(listening.getsockname())
        yield address(*listening.getsockname())


def send(
    addresses: tuple[Address, ...], *, keep_alive: bool = False, timeout: float = 30
) -> Result:
    plan = Plan(
        REQUEST,
        addresses,
        None,
        connections=4,
        seconds=None,
        requests=REQUESTS,
        rate=None,
        keep_alive=keep_alive,
        timeout_seconds=timeout,
    )
    return LoadClient(plan, lambda *_: None).run()


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    kinds=st.lists(st.sampled_from(("serves", "refuses")), min_size=1, max_size=6),
    keep_alive=st.booleans(),
)
def test_refused_connection_goes_to_another_address(
    service: RunningService, refusing: Address, kinds: list[str], *, keep_alive: bool
) -> None:
    """Each address is tried once: a request fails only if all refuse."""
    serving = address("127.0.0.1", service.port)
    places = tuple(serving if kind == "serves" else refusing for kind in kinds)

    found = send(places, keep_alive=keep_alive)

    assert found.requests == REQUESTS
    if "serves" in kinds:
        assert found.failures == {}
    else:
        assert found.failures == {"Connection refused": REQUESTS}
        assert found.retried == REQUESTS * (len(kinds) - 1)
        assert found.connections == REQUESTS * len(kinds)


@pytest.mark.sample(every=3)
@pytest.mark.parametrize("places", [*set(itertools.permutations(("serves", "silent", "silent")))])
def test_silent_address_is_left(
    service: RunningService, silent: Address, places: tuple[str, ...]
) -> None:
    serving = address("127.0.0.1", service.port)

    found = send(tuple(serving if place == "serves" else silent for place in places))

    assert (found.requests, found.failures) == (REQUESTS, {})
    assert found.retried > 0


def test_only_address_is_waited_for(silent: Address) -> None:
    found = send((silent,), timeout=1.5)

    assert found.failures == {"no response within 1.5 s": REQUESTS}
    assert found.retried == 0


def test_slow_resolver_holds_up_no_request(service: RunningService) -> None:
    """Requests are served while a name server does not respond, and follow its response."""
    serving = address("127.0.0.1", service.port)
    resolving, respond, responded = threading.Event(), threading.Event(), threading.Event()
    counts: list[int] = []

    def resolve() -> tuple[Address, ...]:
        if resolving.is_set():
            responded.set()
        resolving.set()
        assert respond.wait(60)
        return (serving,)

    def on_tick(requests: int, _: int) -> None:
        if resolving.is_set():
            counts.append(requests)
        if len(counts) > 5:
            respond.set()
        if responded.is_set():
            client.stop()

    plan = Plan(
        REQUEST,
        (serving,),
        resolve,
        connections=2,
        seconds=50,
        requests=None,
        rate=100,
        keep_alive=False,
        timeout_seconds=30,
    )
    client = LoadClient(plan, on_tick)
    found = client.run()

    assert counts[5] > counts[0]
    assert responded.is_set()
    assert found.failures == {}
