"""Source in a repository of git, at one commit, through git.

It sees the caller's settings and credentials of git; nothing of a fetched repository runs, and the
copy keeps no address.
"""

import os
import re
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from onebin.errors import ProjectError, ToolError
from onebin.secret import hidden

from .process import RunCommand

COMMIT: Final = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
"""The whole name of a commit: SHA-1 or SHA-256."""

PROTOCOLS: Final = "https:http:ssh:git:file"
"""Those that run no program an address names, as ``ext::`` does."""

NO_COMMIT: Final = re.compile(
    r"not our ref|unadvertised object|not a tree|couldn't find remote ref"
)
"""How git words that a repository lacks a commit."""

INHERITED: Final = re.compile(
    r"SSH_AUTH_SOCK|SSH_ASKPASS|GIT_SSH|GIT_SSH_COMMAND|GIT_ASKPASS|GIT_(SSL|CONFIG)_\w+"
)
"""Variables of the caller with which git reaches a private repository."""

SILENT_SECONDS: Final = 60
"""Of a server of git: while it counts objects it sends a few bytes each five seconds."""

ENVIRONMENT: Final = {
    "GIT_ALLOW_PROTOCOL": PROTOCOLS, "GIT_TERMINAL_PROMPT": "0",
    "GIT_HTTP_LOW_SPEED_LIMIT": "1", "GIT_HTTP_LOW_SPEED_TIME": str(SILENT_SECONDS),
}  # fmt: skip

SSH: Final = (
    "ssh", "-o", f"ConnectTimeout={SILENT_SECONDS}",
    "-o", f"ServerAliveInterval={SILENT_SECONDS // 3}", "-o", "ServerAliveCountMax=3",
)  # fmt: skip
"""With the same limit, to which ssh itself has none (ssh_config(5))."""


def check_out(address: str, commit: str, target: Path, *, run: RunCommand) -> None:
    """Fetch the repository at *address* into the new *target*, with its history, at *commit*.

    The history has the tags that versions are made of. Submodules are those of the commit.

    Raises:
        ProjectError: it has no such commit.
        ToolError: there is no git, or the repository cannot be fetched.
    """
    where, env = hidden(address), _environment(run)

    def git(*arguments: str | Path) -> None:
        run(["git", *arguments], env=env, fetching=True)

    def has_commit() -> bool:
        try:
            git("-C", target, "rev-parse", "--quiet", "--verify", f"{commit}^{{commit}}")
        except ToolError:
            return False
        return True

    try:
        # Contents of files are fetched as they are needed.
        git("clone", "--quiet", "--no-checkout", "--filter=blob:none", "--", address, target)
        if not has_commit():
            # Reached by no branch or tag: of a pull request, or of a branch that was rewritten.
            git("-C", target, "fetch", "--quiet", "origin", commit)
        git("-C", target, "checkout", "--quiet", "--detach", commit)
        git("-C", target, "submodule", "--quiet", "update", "--init", "--recursive")
        # Its address may hold a password, and the back end reads this copy.
        git("-C", target, "remote", "remove", "origin")
    except ToolError as exc:
        if NO_COMMIT.search(exc.detail):
            raise ProjectError(
                f"{where}: has no commit {commit}",
                hint="is it pushed? if so, lock again for another",
            ) from exc
        hint = f"does this work: git ls-remote {where}" if exc.detail else exc.hint
        raise ToolError(
            f"{where}: cannot be fetched with git", hint=hint, detail=exc.detail or str(exc)
        ) from exc


def _environment(run: RunCommand) -> dict[str, str]:
    own = {name: value for name, value in os.environ.items() if INHERITED.fullmatch(name)}
    if not own.keys() & {"GIT_SSH", "GIT_SSH_COMMAND"} and not _has_ssh(own, run):
        own["GIT_SSH_COMMAND"] = shlex.join(SSH)
    return own | ENVIRONMENT


def _has_ssh(own: Mapping[str, str], run: RunCommand) -> bool:
    """Whether the settings of git name a program for ssh."""
    try:
        run(["git", "config", "--get", "core.sshCommand"], env=own, fetching=True)
    except ToolError:
        return False  # another fault is the next call's too
    return True
