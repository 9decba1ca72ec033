"""The commands in README, tutorials and how-tos run, and print what the pages show.

An HTML comment before a block of shell states how it is handled:

    <!-- run -->, <!-- run: service -->, <!-- run: toolchain, engine -->
    <!-- run: cluster -->              by make cluster-test, not here
    <!-- file: PATH -->                the block's text is that file
    <!-- not executed: REASON -->

Blocks of a page with the same needs run in one shell, in order, in a folder of that test: the
files of the page, or a copy of the repository. ``service`` has the service at port 8080. In
``console`` blocks each ``$`` line must succeed and print the lines that follow it, in order,
other lines between them; numbers match any number, ``…`` any text.
"""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from tests.lib.running_service import RunningService, free_port

ROOT: Final = Path(__file__).parents[2]
PAGES: Final = (
    ROOT / "README.md",
    *sorted(ROOT.glob("docs/tutorial/*.md")),
    *sorted(ROOT.glob("docs/how-to/*.md")),
)
SHELL: Final = frozenset({"console", "sh", "bash", "shell", ""})
IMAGE: Final = "devops-info-service:latest"
NEEDS: Final = frozenset({"service", "toolchain", "engine", "cluster"})

IN_A_CLUSTER: Final = frozenset({"cluster"})

BLOCK: Final = re.compile(
    r"(?:^<!-- (?P<mark>[^\n]*?) -->\n)?^```(?P<language>\w*)\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
NUMBER: Final = re.compile(r"\d[\d.,:TZ-]*|\b[0-9a-f]{12,}\b")


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block, with the comment before it."""

    page: Path
    mark: str
    language: str
    text: str

    @property
    def needs(self) -> frozenset[str] | None:
        """The needs of its commands; None if they are not run."""
        kind, _, rest = self.mark.partition(":")
        if kind != "run":
            return None
        return frozenset(name.strip() for name in rest.split(",") if name.strip())


@dataclass(frozen=True, slots=True)
class Command:
    """A command and the output shown for it."""

    text: str
    shown: tuple[str, ...] = ()


def blocks(page: Path) -> list[Block]:
    return [
        Block(page, found["mark"] or "", found["language"], found["text"])
        for found in BLOCK.finditer(page.read_text("utf-8"))
    ]


def commands(block: Block) -> list[Command]:
    """Split a block: each ``$`` line of ``console`` is one, all of ``sh`` is one."""
    if block.language != "console":
        return [Command(block.text)]
    found: list[tuple[str, list[str]]] = []
    continued = False
    for line in block.text.splitlines():
        if line.startswith("$ "):
            found.append((line[2:], []))
        elif continued:
            found[-1] = (f"{found[-1][0]}\n{line}", [])
        else:
            found[-1][1].append(line)
        continued = (line.startswith("$ ") or continued) and line.endswith("\\")
    return [Command(text, tuple(shown)) for text, shown in found]


def missing(shown: Sequence[str], printed: str) -> list[str]:
    """Return the lines of *shown* that *printed* does not have in this order."""
    lines = iter(NUMBER.sub("0", line).rstrip() for line in printed.splitlines())
    absent = []
    for line in shown:
        parts = map(re.escape, NUMBER.sub("0", line).rstrip().split("…"))
        pattern = re.compile(".*".join(parts))
        if not any(pattern.fullmatch(candidate) for candidate in lines):
            absent.append(line)
    return absent


def scripts() -> Sequence[object]:
    """Return each page with each set of needs, and the blocks that run with it."""
    found = []
    for page in PAGES:
        wanted = [block for block in blocks(page) if block.needs not in {None, IN_A_CLUSTER}]
        for needs in dict.fromkeys(block.needs for block in wanted):
            assert needs is not None
            # One block builds what another loads: those with fewer needs run as well.
            chosen = [block for block in wanted if (block.needs or frozenset()) <= needs]
            marks = [getattr(pytest.mark, need) for need in sorted(needs - {"service"})]
            found.append(
                pytest.param(
                    needs,
                    chosen,
                    id="-".join([page.stem, *sorted(needs)]),
                    marks=[pytest.mark.timeout(1800), *marks],
                )
            )
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_block_is_run_or_has_a_reason(page: Path) -> None:
    """A block of shell is run, or states the reason."""
    for block in blocks(page):
        if block.mark.startswith("file: ") or block.language not in SHELL:
            continue
        if block.needs is None:
            reason = block.mark.removeprefix("not executed: ")
            assert reason not in {block.mark, ""}, f"{page.name}: {block.text}"
        else:
            assert block.needs <= NEEDS, block.mark


@pytest.mark.parametrize(("needs", "chosen"), scripts())
def test_commands(needs: frozenset[str], chosen: Sequence[Block], tmp_path: Path) -> None:
    """Every command succeeds and prints what the page shows."""
    port = free_port()
    if "engine" in needs:
        require_engine()
        if any(IMAGE in block.text for block in chosen):
            make_image()
    if any("curl" in block.text for block in chosen):
        require_curl()
    folder = tmp_path / "folder"
    files = [block for block in blocks(chosen[0].page) if block.mark.startswith("file: ")]
    if not files:
        copy_repository(folder)
    for block in files:
        target = folder / block.mark.removeprefix("file: ")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(block.text, "utf-8")
    steps = [command for block in chosen for command in commands(block)]
    with contextlib.ExitStack() as stack:
        if "service" in needs:
            stack.enter_context(service(port))
        outputs = run(steps, folder, tmp_path, port)
    for command, printed in zip(steps, outputs, strict=True):
        absent = missing(command.shown, printed)
        assert not absent, f"$ {command.text}\nprinted\n{printed}\nwithout {absent}"


def run(steps: Sequence[Command], folder: Path, scratch: Path, port: int) -> list[str]:
    """Run *steps* in one shell in *folder*; return what each wrote to stdout.

    Raises:
        AssertionError: a command failed; with its stderr.
    """
    script = ["set -euo pipefail"]
    for number, step in enumerate(steps):
        # To a file each: no output can be taken for the end of another's.
        script.append(f"{{\n{at_port(step.text, port)}\n}} >{scratch}/{number}.out")
    errors = scratch / "stderr"
    with errors.open("w") as stderr:
        shell = subprocess.Popen(
            ["bash", "-c", "\n".join(script)],
            cwd=folder,
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=stderr,
            start_new_session=True,
        )
        try:
            status = shell.wait()
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(shell.pid, signal.SIGKILL)  # programs in the background
            remove_containers(steps)
    written = [scratch / f"{number}.out" for number in range(len(steps))]
    last = steps[max(0, sum(file.exists() for file in written) - 1)].text
    assert status == 0, f"status {status} at {last}\n{errors.read_text()[-4000:]}"
    return [file.read_text("utf-8", "replace") for file in written]


def remove_containers(steps: Sequence[Command]) -> None:
    """Remove the containers that *steps* name and a failure may have left."""
    names = [name for step in steps for name in re.findall(r"--name (\S+)", step.text)]
    if names:
        subprocess.run(
            ["docker", "rm", "--force", *names],
            env=environment(),
            capture_output=True,
            check=False,
        )


def require_engine() -> None:
    """Skip without a running engine; in CI fail."""
    try:
        docker = subprocess.run(
            ["docker", "info"], env=environment(), capture_output=True, check=False
        )
        runs = docker.returncode == 0
    except FileNotFoundError:
        runs = False
    if not runs:
        require("no Docker engine responds: run .ci/prepare-engine")


def require_curl() -> None:
    """Skip without curl; in CI fail."""
    if shutil.which("curl") is None:
        require("no curl: apt-get install curl")


def require(reason: str) -> None:
    """Skip for *reason*; in CI fail."""
    if os.environ.get("CI", "").lower() in {"1", "true"}:
        pytest.fail(reason)
    pytest.skip(reason)


def make_image() -> None:
    """Build the image that the page assumes; seconds if it is built already."""
    for argv in ([".ci/prepare-bases", "debian:trixie-slim"], ["make", "image"]):
        done = subprocess.run(
            argv, cwd=ROOT, env=environment(), capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr[-4000:]


def at_port(text: str, port: int) -> str:
    """Return *text* with the host's port 8080 replaced; the container's stays."""
    return re.sub(r"(127\.0\.0\.1:|localhost:|-p |PORT=)8080", rf"\g<1>{port}", text)


def environment() -> dict[str, str]:
    """Return this process's environment with onebin and a Docker client first in PATH."""
    found = subprocess.run([ROOT / ".ci/find-docker"], capture_output=True, text=True, check=False)
    client = [str(Path(found.stdout.strip()).parent)] if found.stdout.strip() else []
    path = [str(Path(sys.executable).parent), *client, os.environ["PATH"]]
    usual = {name: value for name, value in os.environ.items() if name != "COLUMNS"}
    return {**usual, "PATH": ":".join(path), "PIP_DISABLE_PIP_VERSION_CHECK": "1"}


@contextlib.contextmanager
def service(port: int) -> Iterator[None]:
    """Run the service at *port*."""
    with contextlib.closing(RunningService(port=port)) as running:
        running.event("listening")
        yield


def copy_repository(folder: Path) -> None:
    """Copy the repository to *folder*: commands of other tests run at the same time."""
    made = shutil.ignore_patterns(".venv", ".git", "dist", "__pycache__", ".*_cache", ".hypothesis")
    shutil.copytree(ROOT, folder, ignore=made, symlinks=True)
    folder.joinpath(".venv").symlink_to(ROOT / ".venv")


def test_console_block_is_split() -> None:
    block = Block(ROOT, "run", "console", "$ a \\\n  b\nout\n$ c\n")
    assert commands(block) == [Command("a \\\n  b", ("out",)), Command("c")]


@pytest.mark.parametrize(
    ("shown", "printed", "absent"),
    [
        (("a 5 MB",), "x\na 17.25 MB\n", []),
        (("a…z",), "abcz", []),
        (("b", "a"), "a\nb\n", ["a"]),
        (("a",), "ab", ["a"]),
    ],
)
def test_output_is_compared_by_lines(
    shown: tuple[str, ...], printed: str, absent: list[str]
) -> None:
    assert missing(shown, printed) == absent


@pytest.mark.parametrize(
    ("text", "changed"),
    [
        ("curl http://127.0.0.1:8080/", "curl http://127.0.0.1:9/"),
        ("curl localhost:8080", "curl localhost:9"),
        ("docker run --publish 127.0.0.1:8080:8080 x", "docker run --publish 127.0.0.1:9:8080 x"),
        ("docker run -p 8080:8080 x", "docker run -p 9:8080 x"),
        ("env PORT=8080 ./x", "env PORT=9 ./x"),
        ("ports = [8080]", "ports = [8080]"),
    ],
)
def test_port_of_the_host_is_replaced(text: str, changed: str) -> None:
    assert at_port(text, 9) == changed
