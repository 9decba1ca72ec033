"""A client that sends requests on many connections at once, and counts responses and failures.

One thread with epoll(7), as the server has it. Memory is bounded: a connection keeps a parser,
bodies are dropped, durations go into a histogram, failures are counted by kind.
"""

import errno
import os
import select
import socket
import time
from collections import Counter, deque
from collections.abc import Callable
from typing import Final

import httptools

from .addresses import Addresses
from .latencies import Latencies
from .plan import Plan, Result

READ_BYTES: Final = 64 * 1024
_SUCCESS: Final = range(200, 400)
_FINAL: Final = 200
_SWEEP_SECONDS: Final = 0.2
"""The grain of timeouts."""
_EVENTS: Final = 256
_CONNECT_SECONDS: Final = 1.0
"""For one address of several: the kernel sends its second SYN after as long (RFC 6298)."""


class LoadClient:
    """Sends the requests of one plan."""

    def __init__(self, plan: Plan, on_tick: Callable[[int, int], object]) -> None:
        """Call *on_tick* with requests and failures so far, a few times a second."""
        self._plan = plan
        self._on_tick = on_tick
        self._epoll = select.epoll()
        self._addresses = Addresses(plan.addresses, plan.resolve)
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

    def _start(self, now: float) -> None:
        while self._idle and not self._is_over(now) and (due := self._due()) <= now:
            self._started += 1
            self._idle.popleft().send(due or now)

    def _wait(self, now: float) -> float:
        if self._idle and not self._is_over(now):
            return min(max(self._due() - now, 0.0), _SWEEP_SECONDS)
        return _SWEEP_SECONDS

    # Called by slots.

    def connect(self, turn: int) -> socket.socket:
        """Begin to connect to the address of that turn."""
        family, address = self._addresses.at(turn)
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

    @property
    def address_count(self) -> int:
        """How many there are now."""
        return self._addresses.count


class Slot:
    """One request at a time, on a connection that is kept if that is wanted."""

    def __init__(self, client: LoadClient) -> None:
        self._client = client
        self._sock: socket.socket | None = None
        self._parser: httptools.HttpResponseParser | None = None
        self._due = self._begun = 0.0
        self._unsent = b""
        self._turn = self._others = 0
        self._is_reused = self._has_bytes = self._has_length = self._has_head = False
        self._is_complete = self._is_kept = False

    def send(self, due: float) -> None:
        """Send a request that was due at that moment."""
        self._due = due
        self._turn = self._client.connections
        self._others = self._client.address_count - 1
        self._attempt()

    def _attempt(self) -> None:
        self._unsent = self._client.plan.request
        self._parser = httptools.HttpResponseParser(self)
        self._has_bytes = self._has_length = self._has_head = False
        self._is_complete = self._is_kept = False
        is_new = self._sock is None
        self._is_reused = not is_new
        while self._sock is None:
            self._begun = time.monotonic()
            try:
                self._sock = self._client.connect(self._turn)
            except OSError as exc:
                if not self._has_other():
                    self._fail(f"connect: {exc.strerror}")
                    return
        self._client.watch(self, self._sock.fileno(), is_new=is_new)
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
        """Give up a request that takes too long, or an address."""
        if now - self._due > self._client.plan.timeout_seconds:
            self._fail(f"no response within {self._client.plan.timeout_seconds:g} s")
        elif self._is_connecting and now - self._begun > _CONNECT_SECONDS and self._has_other():
            self._leave()
            self._attempt()

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
            self._client.retried += 1
        elif not (self._is_connecting and self._has_other()):
            self._fail(reason)
            return
        self._leave()
        self._attempt()

    @property
    def _is_connecting(self) -> bool:
        """Whether nothing was sent on a new connection."""
        return not self._is_reused and self._unsent == self._client.plan.request

    def _has_other(self) -> bool:
        """Turn to the next address, if this request has not tried all."""
        if self._others <= 0:
            return False
        self._others -= 1
        self._turn += 1
        self._client.retried += 1
        return True

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
