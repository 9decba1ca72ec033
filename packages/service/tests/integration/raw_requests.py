"""Raw requests of the tests over TCP, and a mark near the end of the response."""

from typing import Final

GET: Final = b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n"
INFO: Final = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
END: Final = b'"uptime_seconds":'
"""In the response to GET, near its end."""
