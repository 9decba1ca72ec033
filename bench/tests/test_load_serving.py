"""A contender of a few lines is started, timed, asked and killed, with everything it started."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bench.lib import proc
from bench.lib.harness import MeasureError
from bench.lib.server_process import Command, serving

CPUS = sorted(os.sched_getaffinity(0))[:1]

ANSWERING = """
import http.server, json, os, subprocess, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        facts = [list(os.sched_getaffinity(0)), sys.argv[2], sorted(os.environ)]
        body = json.dumps(facts).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
subprocess.Popen(["sleep", "600"])
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""


def command(code: str, *arguments: str) -> Command:
    return Command(argv=(sys.executable, "-c", code, *arguments), version="", env={"A": "{port}"})


def test_server_environment() -> None:
    with serving(command(ANSWERING, "{port}", "{workers}"), CPUS) as server:
        status, _, body = server.get("/")
        members = proc.session(server.pid)
    cpus, workers, names = json.loads(body)
    assert (status, cpus, workers) == (200, CPUS, "1")
    assert {"A", "PATH"} <= set(names) <= {"A", "PATH", "LC_CTYPE"}
    assert len(members) == 2
    assert server.cold_start_seconds > 0


def test_every_process_is_killed_after_a_failure() -> None:
    with (
        pytest.raises(ZeroDivisionError),
        serving(command(ANSWERING, "{port}", "1"), CPUS) as server,
    ):
        _ = 1 / 0
    assert proc.session(server.pid) == []


def test_ended_server_is_reported_with_its_last_line() -> None:
    code = "import sys; print('first', file=sys.stderr); raise SystemExit('no such thing')"
    with (
        pytest.raises(MeasureError, match="ended with status 1: no such thing"),
        serving(command(code), CPUS),
    ):
        pytest.fail("it was said to run")


def test_launcher_is_not_part_of_the_cold_start() -> None:
    """From exec, not from the start of the program that pins."""
    began = time.monotonic()
    with serving(command(ANSWERING, "{port}", "1"), CPUS) as server:
        took = time.monotonic() - began
    assert server.cold_start_seconds < took


def test_launcher_writes_the_start_time() -> None:
    reader, writer = os.pipe()
    launcher = Path(__file__).parent.parent / "lib/run_pinned.py"
    before = time.monotonic_ns()
    done = subprocess.run(
        [sys.executable, "-I", "-S", launcher, str(CPUS[0]), str(writer), "/bin/echo", "hello"],
        pass_fds=[writer],
        capture_output=True,
        text=True,
        check=True,
    )
    os.close(writer)
    with os.fdopen(reader) as moment:
        assert before < int(moment.read()) < time.monotonic_ns()
    assert done.stdout == "hello\n"
