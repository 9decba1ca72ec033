"""What the reader refuses: the status, the same however cut, and nothing read after it."""

from typing import Final

import pytest

from devops_info_service.http.wire.limits import Limits
from devops_info_service.http.wire.message import Client
from devops_info_service.http.wire.parser import RequestParser

pytestmark = [
    pytest.mark.claim("a request after garbage"),
    pytest.mark.claim("one reading of the same bytes"),
]

GOOD: Final = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
POST: Final = b"POST / HTTP/1.1\r\nHost: a\r\n"
CHUNKED: Final = POST + b"Transfer-Encoding: chunked\r\n\r\n"

REFUSED: Final = {
    # request line
    "garbage": (b"\x01\x02\x00\r\n\r\n", 400),
    "a TLS hello": (b"\x16\x03\x01\x02\x00\x01", 400),
    "a TLS hello of SSL 2.0": (b"\x80\x2e\x01\x03\x01\x00\x15\r\n", 400),
    "a PROXY header": (b"PROXY TCP4 192.0.2.7 192.0.2.8 1 2\r\n", 400),
    "a PROXY header of version 2": (b"\r\n\r\n\0\r\nQUIT\n\x20\x00\x00\x00", 400),
    "an SSH greeting": (b"SSH-2.0-OpenSSH_9.2\r\n", 400),
    "a byte that begins no method": (b"(GET) / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    "an unknown method": (b"BREW / HTTP/1.1\r\nHost: a\r\n\r\n", 501),
    "a lower-case method": (b"get / HTTP/1.1\r\nHost: a\r\n\r\n", 501),
    "CONNECT": (b"CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n", 501),
    "HTTP/0.9": (b"GET /\r\n\r\n", 400),
    "HTTP/0.9 in the form of 1.1": (b"GET /HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    "HTTP/0.9 with its version": (b"GET / HTTP/0.9\r\nHost: a\r\n\r\n", 505),
    "HTTP/1.2": (b"GET / HTTP/1.2\r\nHost: a\r\n\r\n", 505),
    "HTTP/2.0": (b"GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505),
    "HTTP/2.0 that llhttp keeps alive": (
        b"GET / HTTP/2.0\r\nHost: a\r\nProxy-Connection: keep-alive\r\n\r\n",
        505,
    ),
    "HTTP/3.0": (b"GET / HTTP/3.0\r\nHost: a\r\n\r\n", 505),
    "the HTTP/2 preface": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
    "another protocol": (b"GET / HTPP/1.1\r\nHost: a\r\n\r\n", 400),
    "RTSP/1.0": (b"GET / RTSP/1.0\r\nHost: a\r\n\r\n", 400),
    "RTSP/1.1": (b"GET / RTSP/1.1\r\nHost: a\r\n\r\n", 400),
    "RTSP/2.0": (b"GET / RTSP/2.0\r\nHost: a\r\n\r\n", 400),
    "RTSP's first request": (b"OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n", 400),
    "RTSP in absolute-form": (b"PLAY rtsp://a/b RTSP/1.0\r\nCSeq: 1\r\n\r\n", 400),
    "RTSP with a body": (POST.replace(b"HTTP", b"RTSP") + b"Content-Length: 3\r\n\r\nabc", 400),
    "RTSP and half an HTTP": (b"GET /?\xe2\x80 HTTP/ RTSP/1.0\r\nHost: a\r\n\r\n", 400),
    "a method of RTSP alone": (b"PLAY / HTTP/1.1\r\nHost: a\r\n\r\n", 501),
    "a method that RTSP has not": (b"DELETE / RTSP/1.0\r\nHost: a\r\n\r\n", 400),
    "ICE/1.0": (b"SOURCE / ICE/1.0\r\nHost: a\r\n\r\n", 400),
    "ICE/1.1": (b"SOURCE / ICE/1.1\r\nHost: a\r\n\r\n", 400),
    "ICE's name for a usual method": (b"GET / ICE/1.0\r\nHost: a\r\n\r\n", 400),
    "authority-form without CONNECT": (b"GET a:80 HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    "asterisk-form without OPTIONS": (b"GET * HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    "a relative target": (b"GET a HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    "another scheme": (b"GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    "a user in the target": (b"GET http://u@a/ HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    "a fragment": (b"GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    "a raw byte in the target": (b"GET /\xff HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    "a control character in the target": (b"GET /\x01 HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    "an empty target": (b"GET  HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    "two targets": (b"GET / /b HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    "no host in the target": (b"GET http:///p HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    "a bad port in the target": (b"GET http://a:b/ HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    "more than an asterisk": (b"OPTIONS *a HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    "a tab before the target": (b"GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n", 501),
    "a space before the method": (b" GET / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    "a space after the version": (b"GET / HTTP/1.1 \r\nHost: a\r\n\r\n", 400),
    "a lower-case version": (b"GET / http/1.1\r\nHost: a\r\n\r\n", 400),
    "a version of two digits": (b"GET / HTTP/1.10\r\nHost: a\r\n\r\n", 400),
    "half a version": (b"GET / HTTP/1\r\nHost: a\r\n\r\n", 400),
    "a byte order mark": (b"\xef\xbb\xbfGET / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    "NUL in the method": (b"G\0T / HTTP/1.1\r\nHost: a\r\n\r\n", 501),
    "NUL in the target": (b"GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    "bare CR after the request line": (b"GET / HTTP/1.1\rHost: a\r\n\r\n", 400),
    "CR twice after the request line": (b"GET / HTTP/1.1\r\r\nHost: a\r\n\r\n", 400),
    "bare LF after the request line": (b"GET / HTTP/1.1\nHost: a\r\n\r\n", 400),
    # Host
    "no Host": (b"GET / HTTP/1.1\r\n\r\n", 400),
    "two Hosts": (b"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400),
    "two Hosts in HTTP/1.0": (b"GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n", 400),
    "a list of Hosts": (b"GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", 400),
    "a Host and an empty one": (b"GET / HTTP/1.1\r\nHost: a\r\nHost:\r\n\r\n", 400),
    "a Host with a space": (b"GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400),
    "a Host with a path": (b"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400),
    "a Host with a user": (b"GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", 400),
    "a Host with a bad port": (b"GET / HTTP/1.1\r\nHost: a:b\r\n\r\n", 400),
    "a Host with two ports": (b"GET / HTTP/1.1\r\nHost: a:1:2\r\n\r\n", 400),
    "a Host with an open bracket": (b"GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", 400),
    "a Host with a closed bracket": (b"GET / HTTP/1.1\r\nHost: ::1]\r\n\r\n", 400),
    # fields
    "a space before the colon": (b"GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400),
    "a field without a colon": (b"GET / HTTP/1.1\r\nHost: a\r\nfoo\r\n\r\n", 400),
    "a field without a name": (b"GET / HTTP/1.1\r\nHost: a\r\n: x\r\n\r\n", 400),
    "a name with a bracket": (b"GET / HTTP/1.1\r\nHost: a\r\nf(o: x\r\n\r\n", 400),
    "obs-fold": (b"GET / HTTP/1.1\r\nHost: a\r\nX: 1\r\n 2\r\n\r\n", 400),
    "obs-fold at once": (b"GET / HTTP/1.1\r\n X: 1\r\nHost: a\r\n\r\n", 400),
    "obs-fold with a tab": (b"GET / HTTP/1.1\r\nHost: a\r\nX: 1\r\n\t2\r\n\r\n", 400),
    "bare LF after the head": (b"GET / HTTP/1.1\r\nHost: a\r\n\n", 400),
    "a byte above 127 in a name": (b"GET / HTTP/1.1\r\nHost: a\r\n\xffx: 1\r\n\r\n", 400),
    "NUL in a name": (b"GET / HTTP/1.1\r\nHo\0st: a\r\n\r\n", 400),
    "DEL in a field": (b"GET / HTTP/1.1\r\nHost: a\r\nX: \x7f\r\n\r\n", 400),
    "bare LF after a field": (b"GET / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n", 400),
    "bare CR in a field": (b"GET / HTTP/1.1\r\nHost: a\rX: b\r\n\r\n", 400),
    "NUL in a field": (b"GET / HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n", 400),
    # framing
    "both framings": (CHUNKED[:-2] + b"Content-Length: 3\r\n\r\n", 400),
    "both framings, turned": (
        POST + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
        400,
    ),
    "two lengths": (POST + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\n", 400),
    "the same length twice": (POST + b"Content-Length: 3\r\nContent-Length: 3\r\n\r\n", 400),
    "a list of lengths": (POST + b"Content-Length: 3, 3\r\n\r\n", 400),
    "a signed length": (POST + b"Content-Length: +5\r\n\r\n", 400),
    "a negative length": (POST + b"Content-Length: -5\r\n\r\n", 400),
    "a hexadecimal length": (POST + b"Content-Length: 0x5\r\n\r\n", 400),
    "a list of lengths in one": (POST + b"Content-Length: 3;4\r\n\r\n", 400),
    "two lengths in one": (POST + b"Content-Length: 3 3\r\n\r\n", 400),
    "a length with an underscore": (POST + b"Content-Length: 1_0\r\n\r\n", 400),
    "a space before the length's colon": (POST + b"Content-Length : 3\r\n\r\n", 400),
    "a folded length": (POST + b"Content-Length: 3\r\n Content-Length: 4\r\n\r\n", 400),
    "an empty length": (POST + b"Content-Length: \r\n\r\n", 400),
    "a length above 64 bits": (POST + b"Content-Length: 18446744073709551617\r\n\r\n", 400),
    "an unknown coding": (POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n", 501),
    "an unknown coding alone": (POST + b"Transfer-Encoding: gzip\r\n\r\n", 501),
    "identity": (POST + b"Transfer-Encoding: identity\r\n\r\n", 501),
    "xchunked": (POST + b"Transfer-Encoding: xchunked\r\n\r\n", 501),
    "a coding with a parameter": (POST + b"Transfer-Encoding: chunked;q=1\r\n\r\n", 501),
    "a coding in quotes": (POST + b'Transfer-Encoding: "chunked"\r\n\r\n', 501),
    "a control character before the coding": (
        POST + b"Transfer-Encoding: \x0bchunked\r\n\r\n",
        400,
    ),
    "a space before the coding's colon": (POST + b"Transfer-Encoding : chunked\r\n\r\n", 400),
    "no coding": (POST + b"Transfer-Encoding:\r\n\r\n", 400),
    "an empty coding": (POST + b"Transfer-Encoding: ,chunked\r\n\r\n", 501),
    "chunked, but not last": (POST + b"Transfer-Encoding: chunked, gzip\r\n\r\n", 400),
    "chunked twice": (
        POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
        400,
    ),
    "chunked in HTTP/1.0 that llhttp keeps alive": (
        POST.replace(b"1.1", b"1.0")
        + b"Proxy-Connection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n",
        400,
    ),
    "chunked in HTTP/1.0": (
        b"POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
        400,
    ),
    "a signed chunk size": (CHUNKED + b"+3\r\nabc\r\n0\r\n\r\n", 400),
    "a negative chunk size": (CHUNKED + b"-3\r\nabc\r\n0\r\n\r\n", 400),
    "no chunk size": (CHUNKED + b"\r\nabc\r\n0\r\n\r\n", 400),
    "an extension without a size": (CHUNKED + b";x\r\nabc\r\n0\r\n\r\n", 400),
    "NUL in an extension": (CHUNKED + b"3;\0\r\nabc\r\n0\r\n\r\n", 400),
    "a line break in an extension": (CHUNKED + b'3;a="\r\n"\r\nabc\r\n0\r\n\r\n', 400),
    "CR twice after a chunk size": (CHUNKED + b"3\r\r\nabc\r\n0\r\n\r\n", 400),
    "no CRLF after a chunk": (CHUNKED + b"3\r\nabc0\r\n\r\n", 400),
    "bare LF after a chunk": (CHUNKED + b"3\r\nabc\n0\r\n\r\n", 400),
    "bare LF after the last chunk": (CHUNKED + b"3\r\nabc\r\n0\r\n\n", 400),
    "a folded trailer": (CHUNKED + b"0\r\nX: 1\r\n 2\r\n\r\n", 400),
    "a trailer without a colon": (CHUNKED + b"0\r\nX\r\n\r\n", 400),
    "NUL in a trailer": (CHUNKED + b"0\r\nX: \0\r\n\r\n", 400),
    "a length in a trailer": (CHUNKED + b"0\r\nContent-Length: 5\r\n\r\n", 400),
    "a coding in a trailer": (CHUNKED + b"0\r\nTransfer-Encoding: x\r\n\r\n", 400),
    "a hexadecimal prefix": (CHUNKED + b"0x3\r\nabc\r\n0\r\n\r\n", 400),
    "a space after the size": (CHUNKED + b"3 \r\nabc\r\n0\r\n\r\n", 400),
    "a chunk size above 64 bits": (CHUNKED + b"11111111111111111\r\nabc\r\n", 400),
    "a chunk above the limit": (CHUNKED + b"a00001\r\n", 413),
    "a chunk above the limit, in capitals": (CHUNKED + b"A00001;x=y\r\n", 413),
    "a chunk above the limit, behind zeros": (CHUNKED + b"0" * 40 + b"a00001\r\n", 413),
    "a chunk of 64 bits": (CHUNKED + b"ffffffffffffffff\r\n", 413),
    "a chunk of 64 bits, behind zeros": (CHUNKED + b"000ffffffffffffffff;0\r\n", 413),
    "chunks above the limit": (CHUNKED + b"3\r\nabc\r\n9ffffe\r\n", 413),
    "a chunk above the limit, badly written": (CHUNKED + b"a00001 \r\n", 400),
    "a chunk longer than its size": (CHUNKED + b"3\r\nabcd\r\n0\r\n\r\n", 400),
    "a chunk size with bare LF": (CHUNKED + b"3\nabc\r\n0\r\n\r\n", 400),
    "an extension with bare LF": (CHUNKED + b"3;a\nabc\r\n0\r\n\r\n", 400),
    "two expectations": (
        POST + b"Expect: 100-continue, x\r\nContent-Length: 3\r\n\r\n",
        417,
    ),
    "an unknown expectation": (POST + b"Expect: tea\r\nContent-Length: 3\r\n\r\n", 417),
}


def new_reader(limits: Limits | None = None) -> RequestParser:
    """Return a reader that has seen nothing."""
    return RequestParser(Client("192.0.2.7", 4242), limits or Limits())


def status_of(reader: RequestParser) -> int:
    """Return the status of the refusal there has to be."""
    assert reader.rejection is not None
    return reader.rejection.status


@pytest.mark.claim("Content-Length with Transfer-Encoding; two; +5, 0x5, a list")
@pytest.mark.claim("chunk sizes with signs, huge; missing CRLF")
@pytest.mark.claim("chunks above the limit, alone and in sum")
@pytest.mark.claim("trailers")
@pytest.mark.claim("obs-fold; space before the colon; bare CR, bare LF; NUL")
@pytest.mark.claim("RTSP, ICE and their methods")
@pytest.mark.claim("HTTP/0.9, 1.0, the preface of 2.0")
@pytest.mark.claim("absolute-, authority-, asterisk-form")
@pytest.mark.claim("missing, doubled, bad Host")
@pytest.mark.claim("TLS, SSH, a PROXY header on the plain port")
@pytest.mark.parametrize(("data", "status"), REFUSED.values(), ids=REFUSED)
def test_rejected(data: bytes, status: int) -> None:
    """It is refused with this status, and what follows is not read."""
    reader = new_reader()

    assert reader.receive(data + GOOD) == []
    assert status == status_of(reader)
    assert reader.receive(GOOD) == []


@pytest.mark.sample(every=4)
@pytest.mark.parametrize(("data", "status"), REFUSED.values(), ids=REFUSED)
def test_rejected_however_cut(data: bytes, status: int) -> None:
    """Cuts, one or everywhere, change neither the status nor the parsed requests."""
    data += GOOD
    for cut in range(1, len(data)):
        reader = new_reader()
        assert reader.receive(data[:cut]) + reader.receive(data[cut:]) == []
        assert status == status_of(reader)

    reader = new_reader()
    assert [found for byte in data for found in reader.receive(bytes([byte]))] == []
    assert status == status_of(reader)


@pytest.mark.sample(every=4)
@pytest.mark.parametrize(("data", "status"), REFUSED.values(), ids=REFUSED)
def test_rejected_after_a_request(data: bytes, status: int) -> None:
    """The request before it is still served."""
    reader = new_reader()

    assert len(reader.receive(GOOD + data)) == 1
    assert status == status_of(reader)


@pytest.mark.sample(every=4)
@pytest.mark.parametrize(("data", "status"), REFUSED.values(), ids=REFUSED)
def test_rejected_after_a_body(data: bytes, status: int) -> None:
    """It is found behind chunks, too, however these and it are cut."""
    before = CHUNKED + b"3\r\nabc\r\n0\r\n\r\n"
    for step in (1, 7, 10_000):
        reader = new_reader()
        pieces = [(before + data)[at : at + step] for at in range(0, len(before + data), step)]
        assert len([found for piece in pieces for found in reader.receive(piece)]) == 1
        assert status == status_of(reader)
