"""Request metrics: exact over all processes, bounded for any input."""

import itertools
import os
import random

import pytest

from devops_info_service.app.routes import PATHS, READY_SWITCH_ROUTES, ROUTES
from devops_info_service.http.shared_memory.route_metrics import (
    BOUNDS,
    CAPACITY,
    METHODS,
    OTHER,
    RouteMetrics,
    RouteSeries,
    measure,
)
from devops_info_service.http.wire.message import Client, Request, Response

PEER = Client("192.0.2.7", 4242)


def a_request(method: str = "GET", path: str = "/health") -> Request:
    return Request(method, path, b"", {}, PEER, "1.1", keep_alive=True)


def answered_with(status: int, took: float, tables: RouteMetrics, *requests: Request) -> None:
    """Handler *requests* in one process, each taking so long by its clock."""
    moments = itertools.count(1000.0, took)
    dispatch = measure(
        lambda _: Response(status, b""), tables.worker(0), clock=lambda: next(moments)
    )
    for request in requests:
        dispatch(request)


@pytest.mark.parametrize(
    ("took", "bucket"),
    [
        (0.0, 0),
        (0.0049, 0),
        (0.0051, 1),
        (0.25, 5),
        (0.75, 7),
        (9.9, 10),
        (10.5, 11),
        (1e6, 11),
    ],
)
def test_buckets(took: float, bucket: int) -> None:
    """A request counts in the bucket with the first bound that it does not exceed."""
    tables = RouteMetrics(PATHS)

    answered_with(200, took, tables, a_request())

    (series,) = tables.sums(0)
    assert series.buckets.index(1) == bucket
    assert len(series.buckets) == len(BOUNDS) + 1
    assert series.seconds == pytest.approx(took)


def test_labels() -> None:
    """Method, path and status are separate; unknown ones are "other"."""
    tables = RouteMetrics(PATHS)
    answered_with(200, 0, tables, a_request(), a_request(), a_request("HEAD"))
    answered_with(405, 0, tables, a_request("PROPFIND"), a_request("MKCOL"))
    answered_with(404, 0, tables, a_request(path="/a"), a_request(path="/b"))
    answered_with(404, 0, tables, a_request(path=OTHER), a_request(method=OTHER))

    assert {(one.method, one.path, one.status): one.count for one in tables.sums(0)} == {
        ("GET", "/health", "200"): 2,
        ("HEAD", "/health", "200"): 1,
        (OTHER, "/health", "405"): 2,
        (OTHER, "/health", "404"): 1,
        ("GET", OTHER, "404"): 3,
    }


def test_attack() -> None:
    """Thousands of random paths and methods make a handful of series, and no memory grows."""
    tables = RouteMetrics(PATHS)
    table = tables.worker(0)
    dispatch = measure(lambda request: Response(404, request.path.encode()), table)
    chance = random.Random(7)
    for _ in range(5000):
        path = "/" + "".join(chance.choices('abc/%"\\\n{}\xff', k=chance.randrange(1, 40)))
        method = "".join(chance.choices("ABCXYZ", k=chance.randrange(1, 9)))
        dispatch(a_request(method, path))
        dispatch(a_request("GET", path))

    assert [(one.method, one.path, one.count) for one in tables.sums(0)] == [
        ("GET", OTHER, 5000),
        (OTHER, OTHER, 5000),
    ]
    assert set(table.slots) == {OTHER, *PATHS}
    assert set(table.slots[OTHER]) == {OTHER, "GET"}


def test_all_that_there_can_be() -> None:
    """Each method on each path, allowed, refused and failing, has room."""
    tables = RouteMetrics(PATHS)
    for path, method in itertools.product((*PATHS, "/nowhere"), (*METHODS, "LINK")):
        answered_with(405, 0, tables, a_request(method, path))
    for path in PATHS:
        for method, status in itertools.product(("GET", "HEAD"), (200, 500)):
            answered_with(status, 0, tables, a_request(method, path))

    found = tables.sums(0)
    assert len(found) == (len(PATHS) + 1) * (len(METHODS) + 1) + len(PATHS) * 4 < CAPACITY
    assert {one.count for one in found} == {1}
    assert OTHER not in PATHS
    assert len((*ROUTES, *READY_SWITCH_ROUTES)) >= len(PATHS)


def test_no_room() -> None:
    """Without room for one more series, responses are counted as "other"."""
    tables = RouteMetrics(PATHS)
    for status in range(CAPACITY + 50):
        answered_with(status, 0, tables, a_request())

    found = {(one.method, one.path, one.status): one.count for one in tables.sums(0)}
    assert len(found) == CAPACITY
    assert found[OTHER, OTHER, OTHER] == 51
    assert sum(found.values()) == CAPACITY + 50


def test_workers_are_added_up() -> None:
    """What forked processes count is one sum; a process that ended is still in it."""
    tables = RouteMetrics(PATHS, 4)
    for number in range(3):
        pid = os.fork()
        if pid == 0:
            answered = 0
            table = tables.worker(number)
            dispatch = measure(lambda _: Response(200, b""), table, itertools.count().__next__)
            for _ in range(100 * (number + 1)):
                dispatch(a_request())
                answered += 1
            os._exit(answered % 100)
        assert os.waitpid(pid, 0)[1] == 0

    (series,) = tables.sums(2)

    assert series == RouteSeries("GET", "/health", "200", (0,) * 7 + (600, 0, 0, 0, 0), 600.0)


def test_next_process() -> None:
    """A process that takes over the table of another goes on from its values."""
    tables = RouteMetrics(PATHS)
    answered_with(200, 0, tables, a_request(), a_request("POST"))
    answered_with(200, 0, tables, a_request("POST"), a_request("PUT"))

    assert {one.method: one.count for one in tables.sums(0)} == {"GET": 1, "POST": 2, "PUT": 1}


def test_no_table_beyond_the_last() -> None:
    """There are as many tables as workers."""
    with pytest.raises(IndexError):
        RouteMetrics(PATHS, 2).worker(2)
