"""The requests of each client and their wanted outcomes; values only."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One call of a program, and the part of its output that is the outcome."""

    sent: str
    argv: tuple[str, ...]
    """``{url}`` and ``{port}`` are filled in; and ``{big}``, ``{too_big}``: files of zeros."""
    wanted: str
    find: str = r"^(.*)$"
    """What to show: the groups of every match, one line."""
    statuses: tuple[int, ...] = (0,)
    """Of which it may exit with one."""


_SILENT: Final = ("curl", "--silent", "--max-time", "30")
_NOTED: Final = (*_SILENT, "--output", "/dev/null", "--write-out")
_HTTP: Final = "%{http_code}, HTTP/%{http_version}"
_SAID: Final = r"^(?:< )?(HTTP/\S+ \d+)"

CURL: Final = (
    Case(sent="GET", argv=(*_NOTED, _HTTP, "{url}/"), wanted=r"200, HTTP/1\.1"),
    Case(
        sent="GET as HTTP/1.0",
        argv=(*_NOTED, _HTTP, "--http1.0", "{url}/"),
        wanted=r"200, HTTP/1\.1",
    ),
    Case(
        sent="GET as HTTP/1.0, to be kept alive",
        argv=(*_SILENT, "--include", "--http1.0", "-H", "Connection: keep-alive", "{url}/health"),
        find=r"(?i)^(HTTP/1.1 \d+|connection: [a-z-]+)",
        wanted=r"HTTP/1\.1 200; Connection: keep-alive",
    ),
    Case(
        sent="HEAD",
        argv=(*_NOTED, _HTTP + ", %{size_download} bytes", "--head", "{url}/"),
        wanted=r"200, HTTP/1\.1, 0 bytes",
    ),
    Case(
        sent="two URLs: connections made",
        argv=(
            *_NOTED,
            "%{http_code}, %{num_connects}\\n",
            "{url}/",
            "-o",
            "/dev/null",
            "{url}/health",
        ),
        wanted="200, 1; 200, 0",
    ),
    Case(
        sent="50 by 20 at a time",
        argv=(
            *(*_SILENT, "--parallel", "--parallel-max", "20", "--write-out", "%{http_code}\\n"),
            *("--output", "/dev/null", "{url}/health?[1-50]"),
        ),
        find=r"^(\d{3})$",
        wanted="50 times 200",
    ),
    Case(
        sent="POST of 2 MB with Expect",
        argv=(*_SILENT, "-v", "-H", "Expect: 100-continue", "--data-binary", "@{big}", "{url}/"),
        find=_SAID,
        wanted=r"HTTP/1\.1 100; HTTP/1\.1 405",
    ),
    Case(
        sent="POST of 11 MiB with Expect: status, bytes sent",
        argv=(
            *(*_NOTED, "%{http_code}, %{size_upload}", "-H", "Expect: 100-continue"),
            *("--data-binary", "@{too_big}", "{url}/"),
        ),
        wanted="413, 0",
    ),
    Case(
        sent="POST of 11 MiB without Expect",
        argv=(*_NOTED, "%{http_code}", "-H", "Expect:", "--data-binary", "@{too_big}", "{url}/"),
        wanted="413",
    ),
    Case(
        sent="PUT in chunks",
        argv=(
            *(*_NOTED, "%{http_code}", "-H", "Transfer-Encoding: chunked", "-H", "Expect:"),
            *("--upload-file", "{big}", "{url}/health"),
        ),
        wanted="405",
    ),
    Case(
        sent="--http2: Upgrade: h2c",
        argv=(*_NOTED, _HTTP, "--http2", "{url}/"),
        wanted=r"200, HTTP/1\.1",
    ),
    Case(
        sent="--http2-prior-knowledge",
        argv=(*_SILENT, "-v", "--http2-prior-knowledge", "{url}/"),
        # Debian 12's prints one, newer ones the other.
        find=r"(Empty reply from server|Error in the HTTP2 framing layer)$",
        wanted="Empty reply from server|Error in the HTTP2 framing layer",
        statuses=(16, 52),
    ),
    Case(
        sent="through a proxy, which the service is not: absolute-form",
        argv=(*_NOTED, "%{http_code}", "--proxy", "{url}", "http://other.example/health"),
        wanted="200",
    ),
    Case(
        sent="CONNECT",
        argv=(*_NOTED, "%{http_connect}", "--proxytunnel", "--proxy", "{url}", "http://a.example/"),
        wanted="501",
        statuses=(56,),
    ),
    Case(
        sent="https to a plain port: its exit status",
        argv=(*_SILENT, "--insecure", "https://127.0.0.1:{port}/"),
        find=r"$^",
        wanted="",
        statuses=(35,),
    ),
    Case(
        sent="a path that climbs",
        argv=(*_NOTED, "%{http_code}", "--path-as-is", "{url}/../../etc/passwd"),
        wanted="404",
    ),
    Case(
        sent="100 fields of 100 bytes; 200 of them",
        argv=(
            *(*_NOTED, "%{http_code}\\n"),
            *[word for n in range(90) for word in ("-H", f"X-{n}: {'x' * 100}")],
            *("{url}/", "--next", *_NOTED[1:], "%{http_code}\\n"),
            *[word for n in range(200) for word in ("-H", f"X-{n}: {'x' * 100}")],
            "{url}/",
        ),
        wanted="200; 431",
    ),
)

OTHERS: Final = {
    "wrk": (
        Case(
            sent="16 connections for a second",
            argv=("wrk", "-t1", "-c16", "-d1s", "{url}/"),
            find=r"^\s*(Socket errors.*|Non-2xx.*|[1-9]\d* requests in)",
            wanted=r"\d+ requests in",
        ),
    ),
    "h2load": (
        Case(
            sent="--h1, 1000 by 10",
            argv=("h2load", "--h1", "-n1000", "-c10", "{url}/"),
            find=r"^requests: (.*)$",
            wanted=r"1000 total, 1000 started, 1000 done, 1000 succeeded, 0 failed, "
            "0 errored, 0 timeout",
        ),
        Case(
            sent="--h1, 1000 by 10, pipelined by 8",
            argv=("h2load", "--h1", "-n1000", "-c10", "-m8", "{url}/"),
            find=r"^requests: (.*)$",
            wanted=r"1000 total, 1000 started, 1000 done, 1000 succeeded, 0 failed, "
            "0 errored, 0 timeout",
        ),
        Case(
            sent="HTTP/2 at once: rejected at once, no hanging",
            argv=("h2load", "-n10", "-c1", "{url}/"),
            find=r"^requests: (.*)$",
            wanted=r"10 total, .* 0 succeeded, 10 failed, 10 errored, 0 timeout",
        ),
    ),
    "nghttp": (
        Case(
            sent="HTTP/2 at once: its output",
            argv=("nghttp", "-v", "{url}/"),
            find=r"(peer does not support HTTP/2 properly)",
            wanted="peer does not support HTTP/2 properly",
        ),
        Case(
            sent="Upgrade: h2c: its output",
            argv=("nghttp", "-v", "--upgrade", "{url}/"),
            find=r"^(HTTP/1.*?|.*Upgrade failed.*)\s*$",
            wanted=r"HTTP/1\.1 200 OK; \[ERROR\] HTTP Upgrade failed",
        ),
    ),
    "ab": tuple(
        Case(
            sent=sent,
            argv=("ab", "-q", "-l", "-n1000", "-c10", *more, "{url}/"),
            find=r"^((?:Complete|Failed|Keep-Alive|Non-2xx|Write errors).*?:)\s+(\d+)$",
            wanted=wanted,
        )
        for sent, more, wanted in (
            ("1000 by 10 as HTTP/1.0", (), "Complete requests: 1000; Failed requests: 0"),
            (
                "1000 by 10 as HTTP/1.0, kept alive",
                ("-k",),
                "Complete requests: 1000; Failed requests: 0; Keep-Alive requests: 1000",
            ),
        )
    ),
    "hey": tuple(
        Case(
            sent=sent,
            argv=("hey", "-n", "1000", "-c", "10", *more, "{url}/"),
            find=r"^\s+(\[\d+\])\s+(\d+) |(Error distribution)",
            wanted=r"\[200\] 1000",
        )
        for sent, more in (
            ("1000 by 10", ()),
            ("1000 by 10, a connection each", ("-disable-keepalive",)),
        )
    ),
}

GO: Final = {
    "GET": "200, JSON, new",
    "GET again": "200, JSON, reused",
    "HEAD": "200, no body, reused",
    "an unknown path": "404, JSON, reused",
    "POST with a length": "405, JSON, reused",
    "POST in chunks": "405, JSON, reused",
    "POST with Expect": "100, 405, JSON, reused",
    "500 by 20 at a time": r"map\[200:500\]",
    "GET, then close": "200, JSON, new",
    "GET, then close, again": "200, JSON, new",
}
NODE: Final = {
    "fetch": "200, JSON",
    "fetch, HEAD": "200, no body",
    "fetch, an unknown path": "404, JSON",
    "fetch, POST with a length": "405, JSON",
    "fetch, POST in chunks": "405, JSON",
    "fetch, 200 at once": "200, JSON",
    "http": "200, JSON, new",
    "http, again": "200, JSON, reused",
    "http, HEAD": "200, no body, reused",
    "http, POST in chunks": "405, JSON, reused",
    "http, POST with Expect": "100, 405, JSON, reused",
    "http, no agent": "200, JSON, new",
}
