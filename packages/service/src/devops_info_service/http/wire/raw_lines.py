"""What llhttp reads and httptools does not tell, from the text of the line that says it.

llhttp is asked first: a line is looked at here when it has accepted it, to its end. So nothing
is parsed by two rules; what is left to do is to spell out what must be there.
"""

from typing import Final

from devops_info_service.http.errors import RejectedError

_VERSIONS: Final = {b" HTTP/1.1\r\n": "1.1", b" HTTP/1.0\r\n": "1.0"}
_VERSION_BYTES: Final = len(b" HTTP/1.1\r\n")

_SIZE_BYTES: Final = 16 + 1
"""Of a size line: 64 bits in hexadecimal, above which llhttp refuses, and what stands behind."""


def version_of(line: bytes) -> str:
    """Return the version that a request line ends with.

    Raises:
        RejectedError: it is not spoken here.
    """
    end = line[-_VERSION_BYTES:]
    version = _VERSIONS.get(end)
    if version is not None:
        return version
    if end.startswith(b" HTTP/"):
        raise RejectedError(f"{end[1:-2].decode('latin-1')} is not spoken here", status=505)
    # llhttp takes RTSP/ and ICE/ for HTTP/, too. RFC 9112, section 2.3: the name is HTTP, in
    # capitals; so that is no request line, which is 400 (section 3). 505 would be for a version
    # of HTTP (RFC 9110, section 15.6.6). A line of HTTP/0.9 names none at all.
    raise RejectedError("a request line that does not end in HTTP/1.1 or HTTP/1.0")


def chunk_size_of(line: bytes) -> int:
    """Return the bytes that a size line announces."""
    digits, _, _ = line.partition(b";")
    return int(b"0" + digits, 16)


def request_line_tail(line: bytes) -> bytes:
    """Return what has to be kept of a request line, or a field, until more of it comes."""
    return line[-_VERSION_BYTES:]


def chunk_size_head(line: bytes) -> bytes:
    """Return what has to be kept of a size line, which may have zeros and extensions for ever."""
    return line.lstrip(b"0")[:_SIZE_BYTES]
