"""Requests of pip: under a limit of time each, and those that failed are named at the end.

pip's own limit is one of silence between two bytes, and it tries five times: an index that sends a
byte a second, or lets pip come back in an hour, has no end. pip also takes an index that
denies a page for an index that lacks it, without a word: right only where there are several.

Runs beside ``pip_for_target.py``: standard library alone.
"""

import contextlib
import signal
import sys
from collections.abc import Callable, Iterator
from typing import Any

SECONDS = 60.0
"""Of a page with all its retries and redirects, and of each 256 KiB of a file; pip's own setting
of a timeout (``PIP_DEFAULT_TIMEOUT``) counts if it is longer."""

ABSENT = frozenset({404, 410})
"""Statuses of an index that has no such page: no failure."""

FIRST_FAILURE = 400

TOO_LARGE = "its page does not fit into memory"

MAX_REASON = 200
"""Characters: a line or two of a terminal."""


class Requests:
    """The requests of one run of pip."""

    def __init__(self, error: type[Exception], seconds: float = SECONDS) -> None:
        """Have made none yet; each gets *seconds*, and then ends with *error*, one of pip's."""
        self._error, self._seconds = error, seconds
        self.are_made = False
        """Whether there was one: without an index, or offline, there is none."""
        self._failed: dict[str, str] = {}
        self._given: set[str] = set()

    def failures(self) -> list[str]:
        """Return a line for each page that no index gave, and at which one of them failed."""
        return [line for name, line in self._failed.items() if name not in self._given]

    def limited(self, usual: Callable[..., Any]) -> Callable[..., Any]:
        """Return ``PipSession.request``, *usual*, under the limit and with its failures noted."""

        def request(session: Any, method: str, url: str, *words: Any, **options: Any) -> Any:
            self.are_made = True
            own = getattr(session, "timeout", None)
            seconds = max(self._seconds, own if isinstance(own, int | float) else 0)
            name = url.partition("?")[0].rstrip("/").rpartition("/")[2]
            try:
                with within(seconds, self._error):
                    response = usual(session, method, url, *words, **options)
            except MemoryError:
                self._failed.setdefault(name, f"{url}: {TOO_LARGE}")
                raise self._error(TOO_LARGE) from None
            except Exception as exc:
                self._failed.setdefault(name, f"{url}: {reason(exc)}")
                raise
            if response.status_code < FIRST_FAILURE:
                self._given.add(name)
            elif response.status_code not in ABSENT:
                stated = f"status {response.status_code} {response.reason or ''}".rstrip()
                self._failed.setdefault(name, f"{url}: {stated}")
            stream = getattr(response.raw, "stream", None)
            if options.get("stream") and stream:
                response.raw.stream = self._pieces(stream, url, name, seconds)
            return response

        return request

    def _pieces(
        self, stream: Callable[..., Iterator[bytes]], url: str, name: str, seconds: float
    ) -> Callable[..., Iterator[bytes]]:
        def pieces(*words: Any, **options: Any) -> Iterator[bytes]:
            source = iter(stream(*words, **options))
            while True:
                try:
                    with within(seconds, self._error):
                        piece = next(source, None)
                except Exception as exc:
                    self._given.discard(name)
                    self._failed.setdefault(name, f"{url}: {reason(exc)}")
                    raise
                if piece is None:
                    return
                yield piece

        return pieces


@contextlib.contextmanager
def within(seconds: float, error: type[Exception]) -> Iterator[None]:
    """Raise *error* in the block once it has taken *seconds*."""

    def end(*_: object) -> None:
        raise error(f"no response within {seconds:g} s")

    before = signal.signal(signal.SIGALRM, end)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def reason(exc: BaseException) -> str:
    """Return the text of what led to *exc*, in one line."""
    every = [exc]
    while inner := _inner(every[-1]):
        if inner in every:
            break
        every.append(inner)
    text = next((str(item) for item in reversed(every) if str(item)), type(exc).__name__)
    return " ".join(text.split())[:MAX_REASON].rstrip(".")


def _inner(exc: BaseException) -> BaseException | None:
    # requests and urllib3 give the cause as an argument too, where its context is lost.
    given = next((item for item in reversed(exc.args) if isinstance(item, BaseException)), None)
    stated = getattr(exc, "reason", None)
    return (
        exc.__cause__
        or (stated if isinstance(stated, BaseException) else given)
        or (exc.__context__)
    )


def write(failures: list[str], *, are_made: bool) -> None:
    """Write *failures* to stderr, as ``effects/reasons.py`` reads them."""
    if not are_made:
        sys.stderr.write("onebin: no request\n")
    sys.stderr.writelines(f"onebin: no response: {line}\n" for line in failures)
