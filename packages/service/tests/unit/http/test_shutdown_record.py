"""What is recorded from the signal to the end, with a clock of our own."""

import msgspec
import pytest

from devops_info_service.http.shared_memory.shutdown_record import (
    MAX_PATH,
    SHOWN,
    LateRequest,
    SharedRecords,
    ShutdownRecord,
    ShutdownRecorder,
    merge,
)
from devops_info_service.http.wire.message import Client, Request, Response

IN_FLIGHT = Client("192.0.2.7", 1)
BEHIND = Client("192.0.2.7", 2)

FLIGHT = ShutdownRecord(
    signal="SIGTERM",
    began=100.0,
    seconds=5.0,
    unready_seconds=0.0,
    shut_seconds=4.0,
    connections=3,
    in_flight=2,
    finished=1,
    new_connections=2,
    last_connection_seconds=1.5,
    requests=2,
    probes=1,
    last_request_seconds=2.5,
    first=(LateRequest(1.0, "GET", "/readyz"), LateRequest(2.5, "GET", "/")),
    last=(),
    cut={"in an answer": 1},
)
QUIET = msgspec.structs.replace(
    FLIGHT,
    connections=1,
    in_flight=0,
    finished=0,
    new_connections=0,
    last_connection_seconds=None,
    requests=0,
    probes=0,
    last_request_seconds=None,
    first=(),
    cut={},
)


class Clock:
    """Goes when it is told to."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


def a_request(path: str = "/", client: Client = BEHIND) -> Request:
    """Return a request as the reader would."""
    return Request("GET", path, b"", {}, client, "1.1", keep_alive=True)


def answer(_: Request) -> Response:
    """Answer anybody."""
    return Response(200, b"")


@pytest.fixture
def clock() -> Clock:
    """A clock that stands still."""
    return Clock()


@pytest.fixture
def recorder(clock: Clock) -> ShutdownRecorder:
    """A record that begins with two connections, one of them with a request begun."""
    return ShutdownRecorder(
        "SIGTERM",
        clock,
        began=99.0,  # readiness took a second to fall
        probes={"/readyz"},
        connections=2,
        in_flight=[IN_FLIGHT],
    )


def test_nothing(recorder: ShutdownRecorder, clock: Clock) -> None:
    """Where nothing comes, that is what the record says."""
    clock.now += 0.25
    recorder.shut()
    clock.now += 0.1

    assert recorder.snapshot([], ended=True) == ShutdownRecord(
        signal="SIGTERM",
        began=99.0,
        seconds=1.35,
        unready_seconds=1.0,
        shut_seconds=1.25,
        connections=2,
        in_flight=1,
        finished=0,
        new_connections=0,
        last_connection_seconds=None,
        requests=0,
        probes=0,
        last_request_seconds=None,
        first=(),
        last=(),
        cut={},
    )


def test_requests(recorder: ShutdownRecorder, clock: Clock) -> None:
    """A request that had begun is finished; what comes after the signal is late by so much."""
    dispatch = recorder.wrap(answer)
    clock.now += 0.5
    assert dispatch(a_request(client=IN_FLIGHT)).status == 200
    clock.now += 0.5
    dispatch(a_request("/a", IN_FLIGHT))  # its second one
    clock.now += 1.0004
    dispatch(a_request("/readyz"))
    clock.now += 1

    flight = recorder.snapshot([], ended=True)

    assert (flight.in_flight, flight.finished) == (1, 1)
    assert flight.first == (LateRequest(2.0, "GET", "/a"), LateRequest(3.0, "GET", "/readyz"))
    assert (flight.requests, flight.probes, flight.last_request_seconds) == (2, 1, 2.0)


def test_connections(recorder: ShutdownRecorder, clock: Clock) -> None:
    """New connections are counted, and the last one is dated."""
    for _ in range(3):
        clock.now += 0.5
        recorder.connected()

    flight = recorder.snapshot([], ended=True)

    assert (flight.new_connections, flight.last_connection_seconds) == (3, 2.5)


def test_cut(recorder: ShutdownRecorder) -> None:
    """Who was cut off in the middle of something counts; who was doing nothing lost nothing."""
    flight = recorder.snapshot(
        ["", "in an answer", "in a request's body", "", "in an answer"], ended=True
    )

    assert flight.cut == {"in an answer": 2, "in a request's body": 1}


@pytest.mark.parametrize("count", [0, 1, SHOWN, SHOWN + 1, 2 * SHOWN, 2 * SHOWN + 1, 10 * SHOWN])
def test_many(recorder: ShutdownRecorder, clock: Clock, count: int) -> None:
    """However many come, the first and the last ones are kept, none of them twice."""
    dispatch = recorder.wrap(answer)
    for number in range(count):
        clock.now += 1
        dispatch(a_request(f"/{number}"))

    flight = recorder.snapshot([], ended=True)

    every = [f"/{number}" for number in range(count)]
    assert flight.requests == count
    assert [late.path for late in flight.first] == every[:SHOWN]
    assert [late.path for late in flight.last] == every[SHOWN:][-SHOWN:]


@pytest.mark.parametrize(
    "path", ["/" + "a" * 5000, "/\x9b31m", "/\x00\n", "/" + "\xff" * 5000, '/"\\']
)
def test_any_path(recorder: ShutdownRecorder, path: str) -> None:
    """Whatever a client asks for, what is kept of it is short and plain."""
    recorder.wrap(answer)(a_request(path))

    (late,) = recorder.snapshot([], ended=True).first
    assert len(late.path) <= MAX_PATH
    assert late.path.isascii()
    assert late.path.isprintable()


def test_together() -> None:
    """Several processes are one service: sums, the latest of each kind, one list in order, all
    counted from the moment of the supervisor's signal."""
    later = msgspec.structs.replace(FLIGHT, began=100.25)

    assert merge(
        "SIGINT", 100.0, 106.0, [later, FLIGHT, QUIET], processes=4, ended=True
    ) == ShutdownRecord(
        signal="SIGINT",
        began=100.0,
        seconds=6.0,
        unready_seconds=0.25,
        shut_seconds=4.25,
        connections=7,
        in_flight=4,
        finished=2,
        new_connections=4,
        last_connection_seconds=1.75,
        requests=4,
        probes=2,
        last_request_seconds=2.75,
        first=(
            LateRequest(1.0, "GET", "/readyz"),
            LateRequest(1.25, "GET", "/readyz"),
            LateRequest(2.5, "GET", "/"),
            LateRequest(2.75, "GET", "/"),
        ),
        last=(),
        cut={"in an answer": 2},
        processes=4,
        killed=1,
    )


def test_together_of_many() -> None:
    """The first and the last of all processes are kept."""
    early = tuple(LateRequest(float(number), "GET", "/early") for number in range(SHOWN))
    late = tuple(LateRequest(100.0 + number, "GET", "/late") for number in range(SHOWN))
    flights = [msgspec.structs.replace(FLIGHT, first=early, last=late)] * 3

    flight = merge("SIGTERM", 100.0, 300.0, flights, processes=3, ended=True)

    assert [one.after_seconds for one in flight.first] == sorted([*range(SHOWN)] * 3)[:SHOWN]
    assert flight.last[-1].after_seconds == 100.0 + SHOWN - 1
    assert len(flight.last) == SHOWN


def test_together_of_none() -> None:
    """Where every process was killed, that is told, and nothing else is made up."""
    flight = merge("SIGTERM", 100.0, 110.0, [], processes=2, ended=True)

    assert (flight.processes, flight.killed, flight.requests) == (2, 2, 0)
    assert flight.last_request_seconds is None


@pytest.mark.parametrize(("ended", "killed"), [(False, 0), (True, 1)])
def test_together_before_the_end(*, ended: bool, killed: int) -> None:
    """Who has not ended yet is not killed; when the service has ended, it was."""
    so_far = msgspec.structs.replace(FLIGHT, ended=False)

    flight = merge("SIGTERM", 100.0, 103.0, [so_far, FLIGHT], processes=2, ended=ended)

    assert (flight.ended, flight.killed, flight.requests) == (ended, killed, 4)


def test_records() -> None:
    """Each process has a place of its own; an older record in it is not taken for a new one."""
    records = SharedRecords(3)
    assert records.since(0) == []
    records.store(0, FLIGHT)
    records.store(2, msgspec.structs.replace(QUIET, began=99.9))
    assert len(records.since(0)) == 2
    assert records.since(100.0) == [FLIGHT]

    records.store(0, QUIET)

    assert records.since(100.0) == [QUIET]


def test_record_always_fits(recorder: ShutdownRecorder) -> None:
    """The longest record there can be fits its place, whatever the paths."""
    dispatch = recorder.wrap(answer)
    for _ in range(3 * SHOWN):
        dispatch(a_request('/"\\' * 5000))
    flight = recorder.snapshot([], ended=True)
    records = SharedRecords(2)
    for number in range(2):
        records.store(number, flight)

    assert records.since(0) == [flight, flight]


def test_record_that_does_not_fit() -> None:
    """One that did not fit after all would come without its list."""
    records = SharedRecords(1)
    records.store(
        0, msgspec.structs.replace(FLIGHT, first=(LateRequest(1.0, "GET", "/" * 10_000),))
    )

    (flight,) = records.since(0)

    assert (flight.first, flight.requests) == ((), 2)
