"""``report`` as a program: exit statuses, JSON, terminals."""

import json
import os
import pty
import subprocess
from pathlib import Path

import pytest

from tests.lib.running_service import PROGRAM, run_program

COMMAND = [*PROGRAM, "report"]


def report(*args: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run it to its end."""
    return run_program("report", *args, **environ)


def test_text() -> None:
    """Without a profile it reports without a verdict; without a terminal, no colors."""
    process = report()

    assert (process.returncode, process.stderr) == (0, "")
    assert process.stdout.startswith("Platform report of ")
    assert process.stdout.replace("\n", "").isprintable()


@pytest.mark.parametrize("profile", ["baseline", "restricted"])
@pytest.mark.parametrize("fail_on", ["fail", "unknown"])
def test_status(profile: str, fail_on: str) -> None:
    """With a profile the status follows the verdict in the JSON, for both formats."""
    text = report("--profile", profile, "--fail-on", fail_on)
    process = report("--json", "--profile", profile, "--fail-on", fail_on)
    verdict = json.loads(process.stdout)["security"]["pod_security"][profile]

    assert process.stdout.count("\n") == 1
    assert f"\nProfile {profile}: {verdict}\n" in text.stdout
    held = verdict == "pass" or (verdict == "unknown" and fail_on == "fail")
    assert process.returncode == text.returncode == (0 if held else 1)


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["--profile", "privileged"], "argument --profile: invalid choice: 'privileged'"),
        (["--fail-on", "unknown"], "--fail-on: no profile is given"),
        (["--fail-on", "pass", "--profile", "baseline"], "argument --fail-on: invalid choice"),
        (["--jso"], "unknown flag '--jso'; the nearest is --json"),
        (["now"], "unexpected argument 'now'; expected a flag"),
    ],
)
def test_usage(args: list[str], message: str) -> None:
    """A wrong flag is one line and status 2, unlike a failed profile."""
    process = report(*args)

    assert (process.returncode, process.stdout) == (2, "")
    assert process.stderr.startswith(f"devops-info-service: {message}")
    assert process.stderr.count("\n") == 1


def test_variables() -> None:
    """The setting decides which variables' values are shown; none of them steers a terminal."""
    process = report(SHOW_ENVIRONMENT="TIER", TIER="\x1b[31mgold\u202e", TIER_2="lead")

    assert "  $TIER" in process.stdout
    assert r"\x1b[31mgold\u202e" in process.stdout
    assert "lead" not in process.stdout
    assert "\x1b" not in process.stdout


@pytest.mark.parametrize(
    ("environ", "colored"),
    [
        ({"TERM": "xterm"}, True),
        ({"TERM": "xterm", "NO_COLOR": "1"}, False),
        ({"TERM": "dumb"}, False),
    ],
)
def test_terminal(environ: dict[str, str], *, colored: bool) -> None:
    """A terminal gets colors unless NO_COLOR is set or it is dumb."""
    ours, theirs = pty.openpty()
    plain = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    with subprocess.Popen(COMMAND, stdout=theirs, env=plain | environ) as process:
        os.close(theirs)
        text = b""
        try:
            while piece := os.read(ours, 65536):
                text += piece
        except OSError:
            pass  # Linux reports the closed other end of a terminal so.
        os.close(ours)

    assert process.returncode == 0
    assert (b"\x1b[1mGranted\x1b[0m" in text) is colored
    assert (b"\x1b" in text) is colored


def test_reader_that_closes_early() -> None:
    """A reader that closes early changes no status and causes no message."""
    with subprocess.Popen(
        [*COMMAND, "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""

    assert process.returncode == 0


def test_full_disk() -> None:
    """A report that cannot be written is an error, not a success."""
    with Path("/dev/full").open("wb") as full:
        process = subprocess.run(COMMAND, stdout=full, stderr=subprocess.PIPE, check=False)

    assert process.returncode == 1
    assert process.stderr == b"devops-info-service: stdout: No space left on device\n"


@pytest.mark.parametrize(
    "args",
    [
        ("--from", "/nowhere/\x1b[31m\n\u202e"),
        ("--record", "/nowhere/\x1b[31m\n\u202e"),
        ("--expectations", "/nowhere/\x1b[31m\n\u202e"),
        ("--profile", "\x1b[31m\n\u202e"),
    ],
)
def test_error_is_one_line(args: tuple[str, ...]) -> None:
    """A path may be of an archive's making: a terminal shows it and obeys nothing in it."""
    process = report(*args)

    assert process.returncode == 2
    assert process.stderr.removesuffix("\n").isprintable()
    assert r"\x1b[31m\n\u202e" in process.stderr
