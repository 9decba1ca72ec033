"""The termination message: its advice, and a size that the platform keeps whole."""

from pathlib import Path

import msgspec
import pytest

from devops_info_service.config import Config
from devops_info_service.http.shared_memory.shutdown_record import LateRequest, ShutdownRecord
from devops_info_service.logs import Log
from devops_info_service.termination import (
    MAX_MESSAGE,
    advice,
    message,
    publish,
    report,
)

from .http.test_shutdown_record import QUIET


def a_record(
    last: float | None = None,
    *,
    stopped: float = 0.1,
    probes: int = 0,
    aborted: int = 0,
    after: float = 5,
) -> ShutdownRecord:
    """Return a record of an end."""
    return msgspec.structs.replace(
        QUIET,
        seconds=after,
        accept_stopped_after_seconds=stopped,
        requests=probes + (last is not None),
        probes=probes,
        last_request_seconds=last,
        aborted_by_phase={"sending_response": aborted} if aborted else {},
    )


@pytest.mark.parametrize(
    ("seen", "delay", "sentence"),
    [
        (
            a_record(stopped=5.0),
            5,
            (
                "Nothing arrived at this replica after the signal; at others it may have: leave"
                " DRAIN_DELAY_SECONDS=5 unless the last_request_seconds of all are null."
            ),
        ),
        (
            a_record(stopped=5.0, probes=3),
            5,
            (
                "Nothing but probes arrived at this replica after the signal; at others it may"
                " have: leave DRAIN_DELAY_SECONDS=5 unless the last_request_seconds of all are"
                " null."
            ),
        ),
        (
            a_record(),
            0,
            (
                "Nothing arrived in the 0.1 s before new connections were refused; later ones were"
                " not seen. DRAIN_DELAY_SECONDS=10 in one rollout shows whether any come."
            ),
        ),
        (
            a_record(4.1, stopped=10.0),
            10,
            (
                "Requests kept arriving for 4.1 s: a preStop sleep of 5 s would have sufficed"
                " for this replica."
                " DRAIN_DELAY_SECONDS could be 5 instead of 10 if the last_request_seconds of"
                " no other replica is larger."
            ),
        ),
        (
            a_record(4.1, stopped=5.0),
            5,
            (
                "Requests kept arriving for 4.1 s: a preStop sleep of 5 s would have sufficed"
                " for this replica."
            ),
        ),
        (
            a_record(4.0, stopped=10.0),
            10,
            (
                "Requests kept arriving for 4.0 s: a preStop sleep of 5 s would have sufficed"
                " for this replica."
                " DRAIN_DELAY_SECONDS could be 5 instead of 10 if the last_request_seconds of"
                " no other replica is larger."
            ),
        ),
        (
            a_record(0.0, stopped=3.0),
            3,
            (
                "Requests kept arriving for 0.0 s: a preStop sleep of 1 s would have sufficed"
                " for this replica."
                " DRAIN_DELAY_SECONDS could be 1 instead of 3 if the last_request_seconds of"
                " no other replica is larger."
            ),
        ),
        (
            a_record(4.9, stopped=5.0),
            5,
            (
                "Requests kept arriving for 4.9 s, until new connections were refused and perhaps"
                " beyond: raise DRAIN_DELAY_SECONDS from 5 to 10, or have a preStop sleep that is"
                " longer by 5 s."
            ),
        ),
        (
            a_record(6.2, stopped=5.0),
            5,
            (
                "Requests kept arriving for 6.2 s, until new connections were refused and perhaps"
                " beyond: raise DRAIN_DELAY_SECONDS from 5 to 10, or have a preStop sleep that is"
                " longer by 5 s."
            ),
        ),
        (
            a_record(1.2),
            0,
            (
                "Requests kept arriving for 1.2 s, over connections that were open: a preStop sleep"
                " of 2 s would have sufficed for these. New connections were refused unseen after"
                " 0.1 s: DRAIN_DELAY_SECONDS=10 in one rollout shows how long they come."
            ),
        ),
    ],
)
def test_advice_on_arrivals(seen: ShutdownRecord, delay: int, sentence: str) -> None:
    """The advice follows from the requests that arrived, and for how long."""
    assert advice(seen, Config(drain_delay_seconds=delay)) == [sentence]


@pytest.mark.parametrize(
    ("count", "drain", "delay", "sentence"),
    [
        (
            1,
            8,
            0,
            (
                "1 connection was aborted after 5.0 s: raise DRAIN_SECONDS from 8 to 16, and"
                " terminationGracePeriodSeconds to at least 18, and more by a preStop sleep."
            ),
        ),
        (
            3,
            8,
            5,
            (
                "3 connections were aborted after 5.0 s: raise DRAIN_SECONDS from 8 to 16, and"
                " terminationGracePeriodSeconds to at least 23, and more by a preStop sleep."
            ),
        ),
        (
            1,
            0,
            0,
            (
                "1 connection was aborted after 5.0 s: raise DRAIN_SECONDS from 0 to 8, and"
                " terminationGracePeriodSeconds to at least 10, and more by a preStop sleep."
            ),
        ),
    ],
)
def test_advice_on_cut(count: int, drain: int, delay: int, sentence: str) -> None:
    """Aborted connections mean too little time; the advice has how much to try."""
    config = Config(drain_seconds=drain, drain_delay_seconds=delay)

    assert advice(a_record(aborted=count), config)[1:] == [sentence]


@pytest.mark.parametrize(("delay", "drain", "is_said"), [(20, 8, False), (20, 9, True)])
def test_advice_on_grace(delay: int, drain: int, *, is_said: bool) -> None:
    """Settings that exceed Kubernetes' default grace period are reported in advance."""
    said = advice(a_record(stopped=20.0), Config(drain_delay_seconds=delay, drain_seconds=drain))

    assert ("terminationGracePeriodSeconds" in said[-1]) is is_said
    assert not is_said or "29 s together" in said[-1]
    assert not is_said or "at least 31" in said[-1]


def test_advice_before_the_end(tmp_path: Path) -> None:
    """A partial record goes to the platform's file only, and is marked as such."""
    path, lines = tmp_path / "termination-log", list[bytes]()
    path.touch()
    so_far = msgspec.structs.replace(a_record(4.1, stopped=10.0, aborted=1), complete=False)

    publish(so_far, Config(drain_delay_seconds=15, termination_log=str(path)), Log(lines.append))

    assert lines == []
    told = msgspec.json.decode(path.read_bytes())
    assert (told["complete"], told["aborted_by_phase"]) == (False, {"sending_response": 1})
    assert told["advice"] == [
        (
            "Killed more than 5.0 s after the signal, before the end: terminationGracePeriodSeconds"
            " must be at least 25, and more by a preStop sleep; or DRAIN_DELAY_SECONDS and"
            " DRAIN_SECONDS less."
        )
    ]


@pytest.mark.parametrize("count", [0, 1, 40])
@pytest.mark.parametrize("path", ["/", "/" + '"' * 79])
def test_message_is_kept_whole(count: int, path: str) -> None:
    """For any number of entries the message is a line of JSON that Kubernetes keeps, with
    the number of omitted ones."""
    lates = tuple(LateRequest(float(number), "GET", path) for number in range(count))
    seen = msgspec.structs.replace(QUIET, requests=count, first=lates[:20], last=lates[20:])
    told = report(seen, Config())

    line = message(told)

    assert len(line) <= MAX_MESSAGE
    assert line.endswith(b"}\n")
    decoded = msgspec.json.decode(line)
    assert len(decoded["late_requests"]) + decoded["omitted"] == count
    if decoded["late_requests"]:
        ends = [decoded["late_requests"][end]["after_seconds"] for end in (0, -1)]
        assert ends == [0.0, float(count - 1)]
    assert {key: decoded[key] for key in decoded if key not in {"late_requests", "omitted"}} == {
        key: told[key] for key in told if key not in {"late_requests", "omitted"}
    }


def test_publish(tmp_path: Path) -> None:
    """The log's line and the platform's message are the same; the file is overwritten."""
    path, lines = tmp_path / "termination-log", list[bytes]()
    path.write_bytes(b"x" * 10_000)

    publish(
        a_record(4.1, stopped=10.0),
        Config(termination_log=str(path)),
        Log(lines.append, lambda: 0.0),
    )

    (line,) = map(msgspec.json.decode, lines)
    assert (line.pop("time"), line.pop("level"), line.pop("event")) == (
        "1970-01-01T00:00:00.000Z",
        "info",
        "termination",
    )
    assert msgspec.json.decode(path.read_bytes()) == line


def test_no_file(tmp_path: Path) -> None:
    """Without a file of the platform none is made, and nothing is logged."""
    path, lines = tmp_path / "termination-log", list[bytes]()

    publish(a_record(), Config(termination_log=str(path)), Log(lines.append))

    assert not path.exists()
    assert len(lines) == 1


def test_interrupted() -> None:
    """Ctrl-C on a terminal is not a rollout: advice is empty."""
    seen = msgspec.structs.replace(a_record(4.0, aborted=3), signal="SIGINT")

    assert advice(seen, Config(drain_delay_seconds=40)) == []
