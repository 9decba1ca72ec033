"""Values that llhttp reads and httptools does not pass on, from the text of their line.

A line is read here after llhttp has accepted it, to its end. So nothing is parsed by two rules.
"""

from typing import Final

from devops_info_service.http.errors import RejectedError

_VERSIONS: Final = {b" HTTP/1.1\r\n": "1.1", b" HTTP/1.0\r\n": "1.0"}
_VERSION_BYTES: Final = len(b" HTTP/1.1\r\n")

_SIZE_BYTES: Final = 16 + 1
"""Of a size line: 64 bits in hexadecimal, which is llhttp's limit, and the byte behind them."""


def version_of(line: bytes) -> str:
    """Return the version that a request line ends with.

    Raises:
        RejectedError: it is not supported.
    """
    end = line[-_VERSION_BYTES:]
    version = _VERSIONS.get(end)
    if version is not None:
        return version
    if end.startswith(b" HTTP/"):
        raise RejectedError(f"{end[1:-2].decode('latin-1')} is not supported", status=505)
    # llhttp also takes RTSP/ and ICE/ for HTTP/. RFC 9112, section 2.3: the name is HTTP, in
    # capitals; so this is not a request line, which is 400 (section 3). 505 would be for a version
    # of HTTP (RFC 9110, section 15.6.6). A line of HTTP/0.9 names none at all.
    raise RejectedError("a request line that does not end in HTTP/1.1 or HTTP/1.0")


def chunk_size_of(line: bytes) -> int:
    """Return the bytes that a size line announces."""
    digits, _, _ = line.partition(b";")
    return int(b"0" + digits, 16)


def request_line_tail(line: bytes) -> bytes:
    """Return the end of a request line, or field, that is kept until more of it comes."""
    return line[-_VERSION_BYTES:]


def chunk_size_head(line: bytes) -> bytes:
    """Return the part of a size line that is kept: zeros and extensions may be endless."""
    return line.lstrip(b"0")[:_SIZE_BYTES]
