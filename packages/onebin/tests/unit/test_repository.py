"""Servers of git that do not respond."""

import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from onebin.effects.process import run
from onebin.effects.repository import SSH, check_out
from onebin.errors import ToolError


@pytest.fixture
def silent() -> Iterator[int]:
    """The port of a server that takes connections and never sends a byte."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.mark.parametrize("where", ["", "variable", "settings"])
def test_server_of_ssh_that_is_silent(
    silent: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    """It has a limit; a program for ssh that the caller names is his own matter."""
    if shutil.which("git") is None or shutil.which("ssh") is None:
        pytest.skip("no git or ssh: apt-get install git openssh-client")
    own = tmp_path / "own" / "ssh"  # git knows its options by the name
    own.parent.mkdir()
    own.write_text("#!/bin/sh\necho of the caller >&2\nexit 9\n")
    own.chmod(0o755)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("GIT_SSH_COMMAND", raising=False)
    monkeypatch.setattr("onebin.effects.repository.SSH", ("ssh", "-o", "ConnectTimeout=1"))
    if where == "variable":
        monkeypatch.setenv("GIT_SSH_COMMAND", str(own))
    elif where == "settings":
        (tmp_path / ".gitconfig").write_text(f"[core]\nsshCommand = {own}\n")

    with pytest.raises(ToolError, match=r"ssh://.*: cannot be fetched with git") as no:
        check_out(f"ssh://git@127.0.0.1:{silent}/x", "0" * 40, tmp_path / "copy", run=run)

    assert ("of the caller" if where else "timed out") in no.value.detail
    assert "ConnectTimeout=60" in SSH
