"""The record from the signal to the end, with a fake clock."""

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

RECORD = ShutdownRecord(
    signal="SIGTERM",
    began=100.0,
    seconds=5.0,
    unready_after_seconds=0.0,
    accept_stopped_after_seconds=4.0,
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
    aborted_by_phase={"sending_response": 1},
)
QUIET = msgspec.structs.replace(
    RECORD,
    connections=1,
    in_flight=0,
    finished=0,
    new_connections=0,
    last_connection_seconds=None,
    requests=0,
    probes=0,
    last_request_seconds=None,
    first=(),
    aborted_by_phase={},
)


class Clock:
    """Moves when a test sets it."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


def a_request(path: str = "/", client: Client = BEHIND) -> Request:
    """Return a request as the reader would."""
    return Request("GET", path, b"", {}, client, "1.1", keep_alive=True)


def answer(_: Request) -> Response:
    """Respond with nothing."""
    return Response(200, b"")


@pytest.fixture
def clock() -> Clock:
    """A fixed clock."""
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
    """Without requests the record is all zeros."""
    clock.now += 0.25
    recorder.stop_accepting()
    clock.now += 0.1

    assert recorder.snapshot([], complete=True) == ShutdownRecord(
        signal="SIGTERM",
        began=99.0,
        seconds=1.35,
        unready_after_seconds=1.0,
        accept_stopped_after_seconds=1.25,
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
        aborted_by_phase={},
    )


def test_requests(recorder: ShutdownRecorder, clock: Clock) -> None:
    """A request that had begun is finished; requests after the signal are late, with their time."""
    dispatch = recorder.wrap(answer)
    clock.now += 0.5
    assert dispatch(a_request(client=IN_FLIGHT)).status == 200
    clock.now += 0.5
    dispatch(a_request("/a", IN_FLIGHT))  # its second one
    clock.now += 1.0004
    dispatch(a_request("/readyz"))
    clock.now += 1

    record = recorder.snapshot([], complete=True)

    assert (record.in_flight, record.finished) == (1, 1)
    assert record.first == (LateRequest(2.0, "GET", "/a"), LateRequest(3.0, "GET", "/readyz"))
    assert (record.requests, record.probes, record.last_request_seconds) == (2, 1, 2.0)


def test_connections(recorder: ShutdownRecorder, clock: Clock) -> None:
    """New connections are counted, and the last one is dated."""
    for _ in range(3):
        clock.now += 0.5
        recorder.connected()

    record = recorder.snapshot([], complete=True)

    assert (record.new_connections, record.last_connection_seconds) == (3, 2.5)


def test_cut(recorder: ShutdownRecorder) -> None:
    """Connections aborted during a request or response count; idle ones do not."""
    record = recorder.snapshot(
        ["", "sending_response", "reading_body", "", "sending_response"], complete=True
    )

    assert record.aborted_by_phase == {"sending_response": 2, "reading_body": 1}


@pytest.mark.parametrize("count", [0, 1, SHOWN, SHOWN + 1, 2 * SHOWN, 2 * SHOWN + 1, 10 * SHOWN])
def test_many(recorder: ShutdownRecorder, clock: Clock, count: int) -> None:
    """However many come, the first and the last ones are kept, none of them twice."""
    dispatch = recorder.wrap(answer)
    for number in range(count):
        clock.now += 1
        dispatch(a_request(f"/{number}"))

    record = recorder.snapshot([], complete=True)

    every = [f"/{number}" for number in range(count)]
    assert record.requests == count
    assert [late.path for late in record.first] == every[:SHOWN]
    assert [late.path for late in record.last] == every[SHOWN:][-SHOWN:]


@pytest.mark.parametrize(
    "path", ["/" + "a" * 5000, "/\x9b31m", "/\x00\n", "/" + "\xff" * 5000, '/"\\']
)
def test_any_path(recorder: ShutdownRecorder, path: str) -> None:
    """Of any path, the record keeps short printable ASCII."""
    recorder.wrap(answer)(a_request(path))

    (late,) = recorder.snapshot([], complete=True).first
    assert len(late.path) <= MAX_PATH
    assert late.path.isascii()
    assert late.path.isprintable()


def test_merge() -> None:
    """Several processes are one service: sums, the latest of each kind, one list in order, all
    counted from the moment of the supervisor's signal."""
    later = msgspec.structs.replace(RECORD, began=100.25)

    assert merge(
        "SIGINT", 100.0, 106.0, [later, RECORD, QUIET], processes=4, complete=True
    ) == ShutdownRecord(
        signal="SIGINT",
        began=100.0,
        seconds=6.0,
        unready_after_seconds=0.25,
        accept_stopped_after_seconds=4.25,
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
        aborted_by_phase={"sending_response": 2},
        processes=4,
        killed_processes=1,
    )


def test_merge_of_many() -> None:
    """The first and the last of all processes are kept."""
    early = tuple(LateRequest(float(number), "GET", "/early") for number in range(SHOWN))
    late = tuple(LateRequest(100.0 + number, "GET", "/late") for number in range(SHOWN))
    records = [msgspec.structs.replace(RECORD, first=early, last=late)] * 3

    record = merge("SIGTERM", 100.0, 300.0, records, processes=3, complete=True)

    assert [one.after_seconds for one in record.first] == sorted([*range(SHOWN)] * 3)[:SHOWN]
    assert record.last[-1].after_seconds == 100.0 + SHOWN - 1
    assert len(record.last) == SHOWN


def test_merge_of_none() -> None:
    """If every process was killed, the record has that and nothing else."""
    record = merge("SIGTERM", 100.0, 110.0, [], processes=2, complete=True)

    assert (record.processes, record.killed_processes, record.requests) == (2, 2, 0)
    assert record.last_request_seconds is None


@pytest.mark.parametrize(("complete", "killed"), [(False, 0), (True, 1)])
def test_merge_before_the_end(*, complete: bool, killed: int) -> None:
    """A process without a complete record counts as killed only once the service has ended."""
    so_far = msgspec.structs.replace(RECORD, complete=False)

    record = merge("SIGTERM", 100.0, 103.0, [so_far, RECORD], processes=2, complete=complete)

    assert (record.complete, record.killed_processes, record.requests) == (complete, killed, 4)


def test_records() -> None:
    """Each process has its slot; an older record in it is not taken for a new one."""
    records = SharedRecords(3)
    assert records.since(0) == []
    records.store(0, RECORD)
    records.store(2, msgspec.structs.replace(QUIET, began=99.9))
    assert len(records.since(0)) == 2
    assert records.since(100.0) == [RECORD]

    records.store(0, QUIET)

    assert records.since(100.0) == [QUIET]


def test_record_always_fits(recorder: ShutdownRecorder) -> None:
    """The longest record there can be fits its place, whatever the paths."""
    dispatch = recorder.wrap(answer)
    for _ in range(3 * SHOWN):
        dispatch(a_request('/"\\' * 5000))
    record = recorder.snapshot([], complete=True)
    records = SharedRecords(2)
    for number in range(2):
        records.store(number, record)

    assert records.since(0) == [record, record]


def test_record_that_does_not_fit() -> None:
    """A record too large for its slot is stored without its list."""
    records = SharedRecords(1)
    records.store(
        0, msgspec.structs.replace(RECORD, first=(LateRequest(1.0, "GET", "/" * 10_000),))
    )

    (record,) = records.since(0)

    assert (record.first, record.requests) == ((), 2)
