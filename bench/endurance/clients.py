"""Requests of common clients, and their outcomes, a row each."""

import http.client
import json
import re
import shutil
import subprocess
import tempfile
import urllib.error
import urllib.request
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.lib.harness import MeasureError, go, markdown_table, run
from bench.lib.server_process import Command, serving

from .cases import CURL, GO, NODE, OTHERS, Case
from .gate import Verdict

_HERE: Final = Path(__file__).parent
_PATIENCE_SECONDS: Final = 60
"""For one program, which needs one or two."""

_BIG_BYTES: Final = 2_000_000
"""A body for which curl sends ``Expect: 100-continue``."""

_TOO_BIG_BYTES: Final = 11 * 1024 * 1024
"""More than MAX_BODY_BYTES."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One request of a client."""

    client: str
    sent: str
    wanted: str
    """A regular expression for all that came."""
    got: str

    @property
    def passes(self) -> bool:
        """Whether the outcome is the wanted one."""
        return re.fullmatch(self.wanted, self.got) is not None


def clients(command: Command, *, server_cpus: Sequence[int]) -> list[Row]:
    """Run every installed client against a fresh service.

    Raises:
        MeasureError: the service ended.
    """
    with serving(command, server_cpus) as server, tempfile.TemporaryDirectory() as folder:
        found = list(rows(server.port, Path(folder)))
        status, _, _ = server.get("/health")
        found.append(Row(client="afterwards", sent="GET /health", wanted="200", got=str(status)))
    return found


def rows(port: int, folder: Path) -> Iterator[Row]:
    """Run the clients against *port*; *folder* holds the files that some of them need."""
    words = {
        "{url}": f"http://127.0.0.1:{port}",
        "{port}": str(port),
        "{big}": str(_zeros(folder, _BIG_BYTES)),
        "{too_big}": str(_zeros(folder, _TOO_BIG_BYTES)),
    }
    for program, cases in {"curl": CURL, **OTHERS}.items():
        if shutil.which(program):
            for case in cases:
                yield _call(program, case, words)
        else:
            yield _missing(program)
    yield from _python(port)
    yield from _go(words["{url}"], folder)
    if shutil.which("node"):
        version = run(["node", "--version"]).strip()
        script = ("node", str(_HERE / "client_node/client.mjs"), words["{url}"])
        yield from _told(f"Node.js {version}", script, NODE)
    else:
        yield _missing("node")


def judged(found: Sequence[Row]) -> list[Verdict]:
    """Say what holds."""
    wrong = [one for one in found if not one.passes]
    return [
        Verdict(
            what="clients: outcomes that were not as wanted",
            limit=f"0 of {len(found)}",
            found=str(len(wrong)),
            holds=not wrong,
        )
    ]


def table(found: Sequence[Row]) -> str:
    """Render what was found."""
    return markdown_table(
        ("client", "request", "outcome", ""),
        [
            (
                one.client,
                one.sent,
                one.got,
                "as wanted" if one.passes else f"FAILS: wanted {one.wanted}",
            )
            for one in found
        ],
    )


def _zeros(folder: Path, size: int) -> Path:
    file = folder / f"{size}-zeros"
    file.write_bytes(bytes(size))
    return file


def _missing(program: str) -> Row:
    return Row(client=program, sent="-", wanted="to be there", got="not on this machine")


def _call(program: str, case: Case, words: dict[str, str]) -> Row:
    argv = []
    for word in case.argv:
        for name, value in words.items():
            word = word.replace(name, value)  # noqa: PLW2901
        argv.append(word)
    got = _output(argv, case.statuses)
    if not isinstance(got, str):
        found = [
            " ".join(group for group in match.groups() if group)
            for match in re.finditer(case.find, "".join(got), re.MULTILINE)
        ]
        got = _shortened([one for one in found if one])
    return Row(client=program, sent=case.sent, wanted=case.wanted, got=got)


def _output(argv: Sequence[str], statuses: Container[int]) -> str | tuple[str, str]:
    """Return what a program wrote; a sentence where it did not end as it should."""
    try:
        done = subprocess.run(
            argv,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_PATIENCE_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"nothing within {_PATIENCE_SECONDS} s"
    if done.returncode not in statuses:
        return f"exit status {done.returncode}: {(done.stderr + done.stdout)[-200:]!r}"
    return done.stdout, done.stderr


def _shortened(found: list[str]) -> str:
    if len(found) > 3 and len(set(found)) == 1:  # noqa: PLR2004
        return f"{len(found)} times {found[0]}"
    return "; ".join(found)


def _told(client: str, argv: Sequence[str], wanted: dict[str, str]) -> Iterable[Row]:
    """Read the JSON lines of a client in another language."""
    output = _output(argv, (0,))
    if isinstance(output, str):
        yield Row(client=client, sent="to run", wanted="to end well", got=output)
        return
    outcomes = dict(json.loads(line) for line in output[0].splitlines())
    for sent, outcome in wanted.items():
        yield Row(client=client, sent=sent, wanted=outcome, got=outcomes.get(sent, "no output"))


def _go(url: str, folder: Path) -> Iterable[Row]:
    try:
        compiler = go()
        binary = folder / "client"
        run(
            [compiler, "build", "-o", binary, "."],
            cwd=_HERE / "client_go",
            env={"CGO_ENABLED": "0", "GOTOOLCHAIN": "local", "GOFLAGS": "-mod=mod"},
        )
        version = run([compiler, "version"], env={"GOTOOLCHAIN": "local"}).split()[2]
    except MeasureError:
        return [_missing("go")]
    return _told(f"Go net/http, {version}", (str(binary), url), GO)


def _python(port: int) -> Iterable[Row]:
    cases: tuple[tuple[str, str, str, Callable[[int], str]], ...] = (
        (
            "http.client",
            "five over one connection",
            "200 JSON; 200 no body; 200 JSON; 405 JSON; 404 JSON; 1 connection",
            _http_client,
        ),
        (
            "http.client",
            "POST in chunks, then GET, one connection",
            "405; 200",
            _http_client_chunks,
        ),
        ("urllib", "GET, 404", "200; 404", _urllib),
    )
    for client, sent, wanted, ask in cases:
        try:
            got = ask(port)
        except (OSError, http.client.HTTPException) as error:
            got = repr(error)
        yield Row(client=f"Python {client}", sent=sent, wanted=wanted, got=got)


def _http_client(port: int) -> str:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_PATIENCE_SECONDS)
    got, sockets = [], set()
    for method, path in (
        ("GET", "/"),
        ("HEAD", "/"),
        ("GET", "/health"),
        ("POST", "/health"),
        ("GET", "/nothing"),
    ):
        connection.request(method, path, body=b"abc" if method == "POST" else None)
        sockets.add(connection.sock)
        response = connection.getresponse()
        body = response.read()
        kind = "JSON" if body and json.loads(body) else "no body"
        got.append(f"{response.status} {kind}")
    connection.close()
    return "; ".join(got) + f"; {len(sockets)} connection"


def _http_client_chunks(port: int) -> str:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_PATIENCE_SECONDS)
    got = []
    for method, body in (("POST", iter([b"abc"] * 100)), ("GET", None)):
        connection.request(method, "/health", body=body, encode_chunked=body is not None)
        response = connection.getresponse()
        response.read()
        got.append(str(response.status))
    connection.close()
    return "; ".join(got)


def _urllib(port: int) -> str:
    got = []
    for path in ("/", "/nothing"):
        try:
            with urllib.request.urlopen(
                f"http://127.0.0.1:{port}{path}", timeout=_PATIENCE_SECONDS
            ) as response:
                got.append(str(response.status))
        except urllib.error.HTTPError as error:
            error.close()
            got.append(str(error.code))
    return "; ".join(got)
