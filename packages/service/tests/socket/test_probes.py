"""Kubernetes' probes of a real process."""

import signal
from typing import Any, Final

GET: Final = b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n"


def test_readiness_falls(start: Any) -> None:
    """From the signal on, and while it still answers, the service is alive and not ready."""
    service = start("--drain-delay-seconds", "1")
    with service.connect() as sock:
        sock.sendall(GET.replace(b"health", b"readyz"))
        assert sock.recv(1000).startswith(b"HTTP/1.1 200 OK\r\n")
    service.signal(signal.SIGTERM)
    service.event()
    for path, status in ((b"readyz", b"503 Service Unavailable"), (b"livez", b"200 OK")):
        with service.connect() as sock:
            sock.sendall(GET.replace(b"health", path))
            assert sock.recv(1000).startswith(b"HTTP/1.1 %b\r\n" % status)
    assert service.wait() == 0
