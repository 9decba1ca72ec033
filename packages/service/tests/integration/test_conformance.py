"""Expectations of a real process: at the start, on its port, and as a command."""

import json
from pathlib import Path

import pytest

from tests.lib.running_service import Start, run_program


@pytest.mark.sample(every=3)
@pytest.mark.parametrize("command", ["serve", "report"])
@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (
            "cpu.usable: 1\nmemory.limt: 5Mi\n",
            "line 2: 'memory.limt' is not a known name; the",
        ),
        ("cpu.limit: 5x\n", "line 1: cpu.limit: '5x' has no suffix of a quantity, which are n u"),
        ("dns.ndots: =< 2\n", "line 1: dns.ndots: =< is not an operator here; expected one of"),
        ("a: &b 1\n", "line 1: an anchor; put the value between quotes"),
        ("cpu:\n  limit: 1\n  limit: 2\n", "line 3: 'cpu.limit' is repeated; it is in line"),
        ("#" * 70_000, "line 1: more than 65536 bytes"),
    ],
)
def test_bad_file(tmp_path: Path, command: str, text: str, reason: str) -> None:
    """An invalid document ends with status 2 and one line with file, line and reason."""
    file = tmp_path / "expectations.yaml"
    file.write_text(text)

    process = run_program(command, "--expectations", str(file))

    assert (process.returncode, process.stdout) == (2, "")
    assert process.stderr.startswith(f"devops-info-service: EXPECTATIONS: {file}, {reason}")
    assert process.stderr.count("\n") == 1


@pytest.mark.parametrize("workers", ["1", "2"])
def test_served(start: Start, tmp_path: Path, workers: str) -> None:
    """The response is the status, from a file as from a variable."""
    file = tmp_path / "expectations.json"
    file.write_text('{"rlimits": {"open_files": ">= 1"}, "network.mtu": "> 0"}')
    met = start("--workers", workers, environ={"EXPECTATIONS": 'rlimits.open_files: ">= 1"'})
    unmet = start("--expectations", str(file), "--ready-requires-expectations")
    file.unlink()  # read once, at the start

    response = met.get("/conformance")
    assert (response.status, response.json["conforms"]) == (200, True)
    assert met.get("/readyz").json == {"status": "ready"}
    response = unmet.get("/conformance")
    body = response.json
    assert [each["name"] for each in body["expectations"]] == ["rlimits.open_files", "network.mtu"]
    assert response.status == (200 if body["conforms"] else 409)
    assert unmet.get("/readyz").status == (200 if body["conforms"] else 503)


def test_nothing_expected(start: Start) -> None:
    """An empty variable counts as unset, and then there is nothing to conform to."""
    service = start(environ={"EXPECTATIONS": ""})

    assert service.get("/conformance").status == 404


@pytest.mark.parametrize(
    ("text", "status", "said"),
    [
        ('rlimits.open_files: ">= 1"', 0, "Expectations: 1 of 1 met"),
        ('{"rlimits.open_files": ">= 1", "dns.ndots": "> 15"}', 1, "Expectations: 1 of 2 met"),
    ],
)
def test_report(text: str, status: int, said: str) -> None:
    """The command's status is whether all are met, by variable or flag, in text as in JSON."""
    by_variable = run_program("report", EXPECTATIONS=text)
    by_flag = run_program("report", "--json", "--expectations", text, EXPECTATIONS="dns.ndots: 99")

    assert (by_variable.returncode, by_flag.returncode) == (status, status)
    assert f"\n{said}\n" in by_variable.stdout
    assert json.loads(by_flag.stdout)["conformance"]["conforms"] is (status == 0)


def test_report_with_profile() -> None:
    """The report fails if either the profile or an expectation does."""
    process = run_program("report", "--profile", "baseline", EXPECTATIONS="cpu.usable: 9999")

    assert process.returncode == 1
