"""A client that sends requests on many connections at once, and counts responses and failures.

One thread with epoll(7), as the server has it. Memory is bounded: a connection keeps a parser,
bodies are dropped, durations go into a histogram, failures are counted by kind.
"""

import contextlib
import errno
import os
import select
import socket
import time
from collections import Counter, deque
from collections.abc import Callable
from typing import Any, Final

import httptools
import msgspec

from .latencies import Latencies

READ_BYTES: Final = 64 * 1024
_SUCCESS: Final = range(200, 400)
_FINAL: Final = 200
_SWEEP_SECONDS: Final = 0.2
"""The grain of timeouts."""
_EVENTS: Final = 256

_RESOLVE_SECONDS: Final = 1.0
"""A name whose tasks come and go, such as a headless Service, has others soon."""

Address = tuple[socket.AddressFamily, tuple[Any, ...]]


class Plan(msgspec.Struct, frozen=True):
    """What to send."""

    request: bytes
    """The bytes of each request."""
    resolve: Callable[[], tuple[Address, ...]]
    """Gives the addresses that are connected to in turn; called each second."""
    connections: int
    seconds: float | None
    """No request starts after so many; None: no limit."""
    requests: int | None
    """The number of requests; None: no limit."""
    rate: float | None
    """Requests a second; None: a connection sends the next one when it has the response."""
    keep_alive: bool
    timeout_seconds: float
    """For a response, from the moment its request was due."""


class Result(msgspec.Struct, frozen=True):
    """The outcome of a run; durations in seconds."""

    requests: int
    """Those with a whole response, or a failure."""
    failures: dict[str, int]
    """By kind: a status below 200 or from 400 on is one."""
    retried: int
    """Sent again as the server had closed the kept connection before any byte of a response, which
    a client is to expect (RFC 9112, section 9.5)."""
    connections: int
    body_bytes: int
    seconds: float
    rate: float
    p50: float
    p90: float
    p99: float
    max: float
    """Of successful requests, from the moment each was due: a pause of the server counts for every
    request it has held up."""


class LoadClient:
    """Sends the requests of one plan."""

    def __init__(self, plan: Plan, on_tick: Callable[[int, int], object]) -> None:
        """Call *on_tick* with requests and failures so far, a few times a second."""
        self._plan = plan
        self._on_tick = on_tick
        self._epoll = select.epoll()
        self._addresses = plan.resolve()
        self._resolved = time.monotonic()
        self._idle = deque(Slot(self) for _ in range(plan.connections))
        self._busy: dict[int, Slot] = {}
        self._started = 0
        self._began = self._ended = time.monotonic()
        self._stopped = False
        self.latencies = Latencies()
        self.failures: Counter[str] = Counter()
        self.retried = self.connections = self.body_bytes = 0

    def stop(self) -> None:
        """Start no further request; those in flight are waited for."""
        self._stopped = True

    def run(self) -> Result:
        """Send, until the plan's end."""
        self._began = time.monotonic()
        swept = self._began
        while True:
            now = time.monotonic()
            self._start(now)
            if not self._busy and self._is_over(now):
                break
            for descriptor, _ in self._epoll.poll(self._wait(now), _EVENTS):
                slot = self._busy.get(descriptor)
                if slot is not None:
                    slot.proceed()
            if now - swept >= _SWEEP_SECONDS:
                swept = now
                for slot in tuple(self._busy.values()):
                    slot.check_time(now)
                self._resolve(now)
                self._on_tick(self._done, self.failures.total())
        self._ended = time.monotonic()
        for slot in self._idle:
            slot.close()
        self._epoll.close()
        return self.result()

    def result(self) -> Result:
        """Return the counts and latencies so far."""
        seconds, latencies = max(self._ended - self._began, 1e-9), self.latencies
        return Result(
            self._done,
            dict(self.failures.most_common()),
            self.retried,
            self.connections,
            self.body_bytes,
            seconds,
            self._done / seconds,
            latencies.percentile(50),
            latencies.percentile(90),
            latencies.percentile(99),
            latencies.longest,
        )

    @property
    def _done(self) -> int:
        return self.latencies.count + self.failures.total()

    def _is_over(self, now: float) -> bool:
        plan = self._plan
        return (
            self._stopped
            or (plan.seconds is not None and now - self._began >= plan.seconds)
            or (plan.requests is not None and self._started >= plan.requests)
        )

    def _due(self) -> float:
        """Return the moment of the next request; that in the past is now."""
        rate = self._plan.rate
        return self._began + self._started / rate if rate else 0.0

    def _resolve(self, now: float) -> None:
        if now - self._resolved >= _RESOLVE_SECONDS:
            self._resolved = now
            # A name that is gone for a while keeps its addresses.
            with contextlib.suppress(OSError):
                self._addresses = self._plan.resolve() or self._addresses

    def _start(self, now: float) -> None:
        while self._idle and not self._is_over(now) and (due := self._due()) <= now:
            self._started += 1
            self._idle.popleft().send(due or now)

    def _wait(self, now: float) -> float:
        if self._idle and not self._is_over(now):
            return min(max(self._due() - now, 0.0), _SWEEP_SECONDS)
        return _SWEEP_SECONDS

    # Called by slots.

    def connect(self) -> socket.socket:
        """Begin to connect to the next address."""
        family, address = self._addresses[self.connections % len(self._addresses)]
        self.connections += 1
        sock = socket.socket(family, socket.SOCK_STREAM)
        sock.settimeout(0)
        error = sock.connect_ex(address)
        if error not in {0, errno.EINPROGRESS}:
            sock.close()
            raise OSError(error, os.strerror(error))
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return sock

    def watch(self, slot: "Slot", descriptor: int, *, is_new: bool) -> None:
        """Call *slot* when its descriptor can be read or written."""
        self._busy[descriptor] = slot
        if is_new:
            events = select.EPOLLIN | select.EPOLLOUT | select.EPOLLET
            self._epoll.register(descriptor, events)

    def forget(self, descriptor: int) -> None:
        """Make no further call for this descriptor, until it is watched again."""
        self._busy.pop(descriptor, None)

    def rest(self, slot: "Slot") -> None:
        """Take *slot* back, whose request is done with."""
        self._idle.append(slot)

    @property
    def plan(self) -> Plan:
        """What to send."""
        return self._plan


class Slot:
    """One request at a time, on a connection that is kept if that is wanted."""

    def __init__(self, client: LoadClient) -> None:
        self._client = client
        self._sock: socket.socket | None = None
        self._parser: httptools.HttpResponseParser | None = None
        self._due = 0.0
        self._unsent = b""
        self._is_reused = self._has_bytes = self._has_length = self._has_head = False
        self._is_complete = self._is_kept = False

    def send(self, due: float) -> None:
        """Send a request that was due at that moment."""
        self._due = due
        self._attempt()

    def _attempt(self) -> None:
        self._unsent = self._client.plan.request
        self._parser = httptools.HttpResponseParser(self)
        self._has_bytes = self._has_length = self._has_head = False
        self._is_complete = self._is_kept = False
        is_new = self._sock is None
        self._is_reused = not is_new
        try:
            sock = self._sock = self._sock or self._client.connect()
        except OSError as exc:
            self._fail(f"connect: {exc.strerror}")
            return
        self._client.watch(self, sock.fileno(), is_new=is_new)
        if not is_new:
            self.proceed()

    def proceed(self) -> None:
        """Send and receive what the kernel allows."""
        sock = self._sock
        if sock is None:
            return
        try:
            if self._unsent:
                self._unsent = self._unsent[sock.send(self._unsent) :]
            while not self._is_complete:
                data = sock.recv(READ_BYTES)
                if not data:
                    self._on_end()
                    return
                self._has_bytes = True
                if self._parser is not None:
                    self._parser.feed_data(data)
        except BlockingIOError:
            return
        except OSError as exc:
            self._on_broken(exc.strerror or str(exc))
            return
        except httptools.HttpParserError:
            self._fail("not an HTTP response")
            return
        self._finish()

    def check_time(self, now: float) -> None:
        """Give up a request that takes too long."""
        if now - self._due > self._client.plan.timeout_seconds:
            self._fail(f"no response within {self._client.plan.timeout_seconds:g} s")

    def close(self) -> None:
        """Close the connection."""
        if self._sock is not None:
            self._sock.close()
        self._sock = self._parser = None

    # Called by httptools.

    def on_header(self, name: bytes, value: bytes) -> None:  # noqa: ARG002  httptools' signature
        """Note whether the body has a length."""
        if name.lower() in {b"content-length", b"transfer-encoding"}:
            self._has_length = True

    def on_headers_complete(self) -> None:
        """Note that a body may follow."""
        self._has_head = True

    def on_body(self, body: bytes) -> None:
        """Count the body."""
        self._client.body_bytes += len(body)

    def on_message_complete(self) -> None:
        """Note the end of the response; one below 200 precedes another."""
        parser = self._parser
        if parser is not None and parser.get_status_code() >= _FINAL:
            self._is_complete = True
            # llhttp knows it only now.
            self._is_kept = self._client.plan.keep_alive and parser.should_keep_alive()

    # The ends of a request.

    def _on_end(self) -> None:
        if self._has_head and not self._has_length:
            # The end of the connection is the end of the body (RFC 9112, section 6.3).
            self._finish(is_last=True)
        else:
            self._on_broken("closed before the end of the response")

    def _on_broken(self, reason: str) -> None:
        if self._is_reused and not self._has_bytes:
            self._leave()
            self._client.retried += 1
            self._attempt()
        else:
            self._fail(reason)

    def _finish(self, *, is_last: bool = False) -> None:
        client, parser = self._client, self._parser
        if parser is None:
            return
        status = parser.get_status_code()
        if status in _SUCCESS:
            client.latencies.add(time.monotonic() - self._due)
        else:
            client.failures[f"status {status}"] += 1
        if is_last or not self._is_kept:
            self._leave()
        self._rest()

    def _fail(self, kind: str) -> None:
        self._client.failures[kind] += 1
        self._leave()
        self._rest()

    def _leave(self) -> None:
        """Close the connection, before its number can be another's."""
        if self._sock is not None:
            self._client.forget(self._sock.fileno())
        self.close()

    def _rest(self) -> None:
        if self._sock is not None:
            self._client.forget(self._sock.fileno())
        self._client.rest(self)
