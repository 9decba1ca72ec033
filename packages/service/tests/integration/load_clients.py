"""Clients that follow the protocol, in threads; they record their failures."""

import socket
import threading
from collections.abc import Callable
from typing import Final, Self

from .raw_requests import GET

PATIENCE_SECONDS: Final = 20


class LoadClients:
    """Requests without a pause over keep-alive connections; reconnects after the last one."""

    def __init__(self, connect: Callable[[], socket.socket], clients: int = 8) -> None:
        self._connect = connect
        self._enough = threading.Event()
        self.failures: list[str] = []
        self.answers = 0
        self.connections = 0
        self._threads = [threading.Thread(target=self._use) for _ in range(clients)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Let every client finish its request."""
        self._enough.set()
        for thread in self._threads:
            thread.join(PATIENCE_SECONDS)

    def wait(self, answers: int) -> None:
        """Wait for so many more responses."""
        until = self.answers + answers
        pause = threading.Event()
        for _ in range(2000):
            if self.answers >= until or self.failures:
                return
            pause.wait(0.01)
        self.failures.append(f"{self.answers} responses; expected {until}")

    def _use(self) -> None:
        while not self._enough.is_set():
            try:
                with self._connect() as sock:
                    self.connections += 1
                    self._ask(sock)
            except ConnectionRefusedError:
                return  # The end of the service; the test decides whether it may be.
            except OSError as exc:
                self.failures.append(repr(exc))
                return

    def _ask(self, sock: socket.socket) -> None:
        while not self._enough.is_set():
            sock.sendall(GET)
            answer = read_answer(sock)
            if not answer.startswith(b"HTTP/1.1 200 OK\r\n"):
                self.failures.append(repr(answer))
                return
            self.answers += 1
            if b"\r\nConnection: close\r\n" in answer:
                return


def read_answer(sock: socket.socket) -> bytes:
    """Read one response to its last byte, or to the end of the connection."""
    data = b""
    while True:
        head, end, body = data.partition(b"\r\n\r\n")
        if end:
            length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
            if len(body) >= length:
                return data
        piece = sock.recv(65536)
        if not piece:
            return data
        data += piece
