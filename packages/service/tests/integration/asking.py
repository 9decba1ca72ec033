"""What the tests over TCP ask by hand, and what tells that the answer has come."""

from typing import Final

GET: Final = b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n"
INFO: Final = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
END: Final = b'"uptime_seconds":'
"""In the answer to GET, near its end."""
