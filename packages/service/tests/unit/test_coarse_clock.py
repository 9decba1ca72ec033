"""The clock in whole seconds: cached until a refresh, or live."""

from devops_info_service.coarse_clock import CachedClock, SystemClock
from devops_info_service.http.wire.message import Response
from devops_info_service.http.wire.writer import ResponseWriter


def test_cached_and_system_clock() -> None:
    """The cached clock changes only by a refresh, the live one always; both are whole."""
    seconds = 10.9
    looked, live = CachedClock(lambda: seconds), SystemClock(lambda: seconds)
    seconds = 12.1
    assert (looked.now, live.now) == (10, 12)
    looked.refresh()

    assert (looked.now, live.now) == (12, 12)


def test_date_follows_the_refreshes() -> None:
    """The clock keeps the second of the last refresh, forwards and backwards."""
    seconds = [0.0]
    second = CachedClock(lambda: seconds[0])
    encode = ResponseWriter(second).encode

    def date() -> bytes:
        return encode(Response(200, b"")).split(b"\r\n")[1][-12:]

    dates = []
    for seconds[0] in (59.0, 86_400.0, 1.0):
        dates.append(date())
        second.refresh()
        dates.append(date())

    assert dates == [
        *(b"00:00:00 GMT", b"00:00:59 GMT"),
        *(b"00:00:59 GMT", b"00:00:00 GMT"),
        *(b"00:00:00 GMT", b"00:00:01 GMT"),
    ]
