"""Clients that follow the protocol, in threads; they record their failures."""

import threading
from collections.abc import Callable
from typing import Self

from tests.lib.http_client import TIMEOUT_SECONDS, Connection, ProtocolError
from tests.lib.waiting import until


class LoadClients:
    """Requests without a pause over keep-alive connections; reconnects after the last one."""

    def __init__(self, connect: Callable[[], Connection], clients: int = 8) -> None:
        self._connect = connect
        self._enough = threading.Event()
        self.failures: list[str] = []
        self.responses = 0
        self.connections = 0
        self._threads = [threading.Thread(target=self._run) for _ in range(clients)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._enough.set()
        for thread in self._threads:
            thread.join(TIMEOUT_SECONDS)

    def wait(self, responses: int) -> None:
        """Wait for so many more responses, or a failure."""
        enough = self.responses + responses
        until(lambda: self.responses >= enough or self.failures)

    def _run(self) -> None:
        while not self._enough.is_set():
            try:
                with self._connect() as connection:
                    self.connections += 1
                    self._send_requests(connection)
            except ConnectionRefusedError:
                return  # The end of the service; the test decides whether it may be.
            except (OSError, ProtocolError) as exc:
                self.failures.append(repr(exc))
                return

    def _send_requests(self, connection: Connection) -> None:
        while not self._enough.is_set():
            response = connection.request()
            if response.status != 200:
                self.failures.append(repr(response))
                return
            self.responses += 1
            if response.closes:
                return
