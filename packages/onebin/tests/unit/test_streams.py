"""The command line on standard streams of any kind: closed, full, left by their reader, ASCII."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

COMMANDS = {
    "help": ["--help"],
    "plan": ["plan", "project"],
    "plan as JSON": ["plan", "--json", "project"],
    "report as JSON": ["inspect", "--json", sys.executable],
    "error": ["plan", "missing-\udcff"],
}
SHELLS = {
    "all closed": "exec <&- >&- 2>&-",
    "stdout closed": "exec >&-",
    "stderr closed": "exec 2>&-",
    "stdout full": "exec >/dev/full",
    "stderr full": "exec 2>/dev/full",
    "both full": "exec >/dev/full 2>&1",
}
ENCODINGS = {
    "C locale": "export LC_ALL=C PYTHONUTF8=0 PYTHONCOERCECLOCALE=0",
    "ASCII": "export PYTHONIOENCODING=ascii:strict",
    "UTF-16": "export PYTHONIOENCODING=utf-16",
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project in a directory whose names have characters of every kind; return its parent."""
    parent = tmp_path / "Größe-\udcff-✓"
    package = parent / "project" / "src" / "app"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("def main(): pass\n")
    (parent / "project" / "pyproject.toml").write_text(
        '[project]\nname = "app"\nversion = "1"\nrequires-python = ">=3.11"\n'
        'description = "Ж ✓ 😀"\n'
        '[project.scripts]\napp = "app:main"\n'
    )
    return parent


def run(arguments: list[str], shell: str, where: Path) -> subprocess.CompletedProcess[bytes]:
    """Run onebin after *shell*, a shell's setting of the streams."""
    environ = dict(os.environ, ONEBIN_CACHE=str(where / "cache"), LC_ALL="C.UTF-8")
    environ.pop("PYTHONUNBUFFERED", None)
    return subprocess.run(
        ["sh", "-c", f'{shell}\nexec "$@"', "sh", sys.executable, "-m", "onebin", *arguments],
        cwd=where,
        env=environ,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )


@pytest.mark.sample(every=7)
@pytest.mark.parametrize("shell", SHELLS.values(), ids=SHELLS)
@pytest.mark.parametrize("arguments", COMMANDS.values(), ids=COMMANDS)
def test_no_traceback_whatever_the_streams_are(
    arguments: list[str], shell: str, project: Path
) -> None:
    """Each command ends with its status; a result that is lost to a full disk is an error."""
    result = run(arguments, shell, project)

    is_error = arguments == COMMANDS["error"]
    is_result = arguments[0] in {"plan", "inspect"} and not is_error
    lost = is_result and ">/dev/full" in shell.replace("2>/dev/full", "")
    assert (2 if is_error else 1 if lost else 0) == result.returncode, result.stderr
    assert b"Traceback" not in result.stderr
    assert b"Exception ignored" not in result.stderr
    if lost and "2>&1" not in shell:
        assert b"onebin: error: stdout: cannot be written" in result.stderr


@pytest.mark.sample(every=2)
@pytest.mark.parametrize("command", ["plan", "plan as JSON", "report as JSON"])
def test_result_is_utf_8_in_any_locale(command: str, project: Path) -> None:
    """RFC 8259, section 8.1, has it so for JSON: the same bytes, whatever the locale is."""
    expected = run(COMMANDS[command], ":", project).stdout

    assert expected.decode()
    for shell in ENCODINGS.values():
        result = run(COMMANDS[command], shell, project)
        assert (0, expected) == (result.returncode, result.stdout), result.stderr


@pytest.mark.sample(every=3)
@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("arguments", COMMANDS.values(), ids=COMMANDS)
def test_reader_that_leaves_is_no_fault(
    arguments: list[str], unbuffered: str, project: Path
) -> None:
    """As ``onebin … | head -0``: both streams are pipes whose readers are gone."""
    reader, writer = os.pipe()
    os.close(reader)
    try:
        process = subprocess.run(
            [sys.executable, "-m", "onebin", *arguments],
            cwd=project,
            env=dict(os.environ, PYTHONUNBUFFERED=unbuffered),
            stdout=writer,
            stderr=writer,
            check=False,
        )
    finally:
        os.close(writer)

    assert (2 if arguments == COMMANDS["error"] else 0) == process.returncode


def test_current_directory_that_is_gone(project: Path) -> None:
    """It is one line; a shell stays in a directory that another has deleted."""
    result = run(["plan", str(project)], 'mkdir gone; cd gone; rmdir "$PWD"', project)

    assert 2 == result.returncode
    assert b"onebin: error: current directory: " in result.stderr
