"""onebin builds the service, a real engine runs the image: from a clone to a running container."""

import json
import os
import subprocess
import tarfile
from pathlib import Path

import pytest
from playwright.sync_api import expect, sync_playwright

from tests.lib.http_client import get
from tests.lib.waiting import until

from .conftest import (
    ROOT,
    SERVICE,
    TAG,
    Engine,
    onebin,
    running,
    secret,
    wait_for,
)

pytestmark = pytest.mark.engine

HEALTHY_SECONDS = 180
"""For the first health check: 30 s after the start on old engines."""

BUDGET_UNPACKED, BUDGET_COMPRESSED = 7_081_067, 2_856_700 + 60_000
"""Bytes of the Go original's image (`reference/go`), by `make sizes`: the limit for the service,
whose tools and load generator, which the original lacks, may cost 60 kB of it in gzip."""

RESTRICTED = (
    "--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges",
    "--user", "12345:12345", "--memory", "64m", "--pids-limit", "64",
)  # fmt: skip


def exit_status(engine: Engine, container: str) -> str:
    return engine.run("inspect", "--format", "{{.State.ExitCode}}", container)


def test_container_serves_the_contract_and_stops(
    engine: Engine, image: str, free_port: int
) -> None:
    """Both endpoints respond from outside, the health check passes, SIGTERM ends it with 0."""
    with running(engine, "--publish", f"{free_port}:8080", image) as container:
        health, info = wait_for(free_port).json, get(free_port, "/").json

        assert {"service", "system", "runtime", "request", "endpoints"} == info.keys()
        assert "devops-info-service" == info["service"]["name"]
        assert container[:12] == info["system"]["hostname"]
        assert "linux" == info["system"]["platform"]
        assert "3.13.5" == info["system"]["python_version"]
        assert "UTC" == info["runtime"]["timezone"]
        assert "healthy" == health["status"]

        state = ("inspect", "--format", "{{.State.Health.Status}}", container)
        until(lambda: engine.run(*state) == "healthy", HEALTHY_SECONDS)

        engine.run("stop", "--time", "60", container)  # then it is killed, with status 137
        assert "0" == exit_status(engine, container)


def test_container_runs_with_nothing_granted(engine: Engine, image: str, free_port: int) -> None:
    """Read-only, no capability, no new privileges, a numeric user, 64 MiB, 64 processes."""
    with running(engine, "--publish", f"{free_port}:8080", *RESTRICTED, image) as container:
        assert "healthy" == wait_for(free_port).json["status"]
        assert 5 == len(get(free_port, "/").json)
        engine.run("exec", container, "/app/devops-info-service", "check")

        engine.run("stop", container)
        assert "0" == exit_status(engine, container)


def test_termination_message(engine: Engine, image: str, free_port: int, tmp_path: Path) -> None:
    """Requests after SIGTERM are in the file that Kubernetes mounts, although the rest is read-only
    and the user arbitrary."""
    message = tmp_path / "termination-log"
    message.touch()
    message.chmod(0o666)  # As the kubelet makes it.
    mount = f"{message}:/dev/termination-log"
    settings = ("--volume", mount, "--env", "DRAIN_DELAY_SECONDS=8", "--publish")
    with running(engine, *settings, f"{free_port}:8080", *RESTRICTED, image) as container:
        wait_for(free_port)
        stop = ("stop", "--time", "60", container)
        with subprocess.Popen([engine.client, *stop], stdout=subprocess.DEVNULL) as stopping:
            until(lambda: '"draining"' in engine.run("logs", container))
            get(free_port, "/")
            assert 0 == stopping.wait()
        assert "0" == exit_status(engine, container)
        log = engine.run("logs", container)

    record = json.loads(message.read_bytes())
    assert "/" == record["late_requests"][-1]["path"]
    assert "a preStop sleep of " in record["advice"][0]
    (line,) = (json.loads(line) for line in log.splitlines() if '"termination"' in line)
    assert record == {key: line[key] for key in record}


@pytest.mark.browser
def test_browser_gets_the_page(engine: Engine, image: str, free_port: int, chromium: Path) -> None:
    """With nothing granted the page is complete and live: the frozen modules have all it needs."""
    complaints: list[str] = []
    with running(engine, "--publish", f"{free_port}:8080", *RESTRICTED, image) as container:
        wait_for(free_port)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=chromium, chromium_sandbox=os.geteuid() != 0
            )
            page = browser.new_page()
            page.on("console", lambda message: complaints.append(message.text))
            page.goto(f"http://127.0.0.1:{free_port}/")
            expect(page.get_by_role("status")).to_contain_text("Live", timeout=20_000)
            verdicts = page.get_by_role("list", name="Pod Security Standards").inner_text()
            text = page.locator("main").inner_text()
            browser.close()

    assert container[:12] in text
    assert "64 MiB granted" in " ".join(text.split())
    assert ["Baseline", "pass", "Restricted", "pass"] == verdicts.split()
    assert complaints == []


def test_bad_setting_ends_the_container_with_one_line(engine: Engine, image: str) -> None:
    """A wrong PORT is refused with status 2 before anything else happens."""
    with running(engine, "--env", "PORT=http", image) as container:
        assert "2" == engine.run("wait", container)
        done = subprocess.run(
            [engine.client, "logs", container], capture_output=True, text=True, check=True
        )
        assert "PORT" in done.stderr
        assert 1 == len(done.stderr.splitlines())


@pytest.mark.parametrize(("memory", "status"), [("64m", 200), ("48m", 409)])
def test_expectations_are_held_against_the_engine(
    engine: Engine, image: str, free_port: int, memory: str, status: int
) -> None:
    """The limits of the engine decide the status, and for the command the exit status."""
    wants = ("--env", "EXPECTATIONS=memory.limit: 64Mi\ncpu.limit: <= 500m\npids.limit: 50")
    granted = ("--memory", memory, "--cpus", "0.5", "--pids-limit", "50", *wants)
    with running(engine, "--publish", f"{free_port}:8080", *granted, image):
        assert "healthy" == wait_for(free_port).json["status"]
        response = get(free_port, "/conformance")
    report = subprocess.run(
        [engine.client, "run", "--rm", *granted, image, "report"], capture_output=True, check=False
    )

    assert status == response.status
    assert (0 if status == 200 else 1) == report.returncode
    assert [("memory.limit", f"{memory[:-1]}Mi"), ("cpu.limit", "500m"), ("pids.limit", "50")] == [
        (each["name"], each["found"]) for each in response.json["expectations"]
    ]
    assert (
        str(int(memory[:-1]) * 1024**2) == response.json["expectations"][0]["evidence"][0]["value"]
    )


@pytest.mark.claim("image content")
def test_image_holds_the_program_and_nothing_else(
    engine: Engine, image: str, tmp_path: Path
) -> None:
    """One executable; no shell, no package manager, no library, one user."""
    container = engine.run("create", image)
    engine.run("export", "--output", tmp_path / "root.tar", container)
    engine.run("rm", container)
    # Files that the engine mounts or makes in every container, empty in the image.
    engines_own = {"dev/console", ".dockerenv", "etc/hosts", "etc/hostname", "etc/resolv.conf"}

    with tarfile.open(tmp_path / "root.tar") as tar:
        files = {member.name: member for member in tar if member.isfile()}
        passwd = tar.extractfile("etc/passwd")
        assert passwd is not None
        users = passwd.read().decode().splitlines()

    added = {name for name in files if name not in engines_own}
    assert {"app/devops-info-service", "etc/passwd", "etc/group"} == added
    executables = [name for name in sorted(added) if files[name].mode & 0o111]
    assert ["app/devops-info-service"] == executables
    assert ["nonroot:x:65532:65532:nonroot:/:/sbin/nologin"] == users


def test_builder_stage_and_onebin_make_the_same_bytes(
    engine: Engine, image: str, binary: Path, tmp_path: Path
) -> None:
    """In a container or outside, under another distribution and Python: the same executable."""
    container = engine.run("create", image)
    engine.run("cp", f"{container}:/app/devops-info-service", tmp_path / "from-image")
    engine.run("rm", container)

    assert binary.read_bytes() == (tmp_path / "from-image").read_bytes()


def test_readelf_finds_a_static_position_independent_executable(binary: Path) -> None:
    """readelf finds no loader, nothing needed, RELRO, no executable stack."""

    def readelf(option: str) -> str:
        return subprocess.run(
            ["readelf", "--wide", option, binary], capture_output=True, text=True, check=True
        ).stdout

    assert "DYN (Position-Independent Executable" in readelf("--file-header")
    segments = readelf("--program-headers")
    assert "INTERP" not in segments
    assert "GNU_RELRO" in segments
    stack = next(line for line in segments.splitlines() if "GNU_STACK" in line)
    assert " RW " in stack
    assert "NEEDED" not in readelf("--dynamic")


def test_archive_made_without_an_engine_loads_and_runs(
    engine: Engine, tmp_path: Path, free_port: int
) -> None:
    """``onebin image`` writes an archive for ``docker load``; the same input gives one digest."""
    first = onebin("image", SERVICE, "--output", tmp_path / "one", "--tag", "onebin-e2e:1")
    second = onebin("image", SERVICE, "--output", tmp_path / "two", "--tag", "onebin-e2e:1")
    assert first == second
    engine.run("load", "--input", tmp_path / "one" / "devops-info-service.tar")

    with running(engine, "--publish", f"{free_port}:8080", *RESTRICTED, "onebin-e2e:1") as made:
        assert "healthy" == wait_for(free_port).json["status"]
        user = engine.run("inspect", "--format", "{{.Config.User}}", made)
        assert "12345:12345" == user
    assert "65532:65532" == engine.run(
        "image", "inspect", "--format", "{{.Config.User}}", "onebin-e2e:1"
    )


def test_change_of_code_rebuilds_only_the_last_steps(engine: Engine, image: str) -> None:
    """Everything before the copy of the service's code comes from the cache."""
    done = subprocess.run(
        [engine.client, "build", "--progress=plain", *secret(), "--tag", TAG, "."],
        cwd=ROOT,
        env={**os.environ, "DOCKER_BUILDKIT": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    steps = [line for line in done.stderr.splitlines() if "] RUN " in line]
    cached = [line for line in done.stderr.splitlines() if line.endswith(" CACHED")]
    assert len(cached) >= len(steps)


def test_image_is_within_its_budget(engine: Engine, image: str, tmp_path: Path) -> None:
    """Unpacked and compressed, with everything the service needs in it."""
    saved = tmp_path / "image.tar"
    engine.run("save", "--output", saved, image)

    report = json.loads(onebin("inspect", "--json", saved))["image"]

    assert BUDGET_UNPACKED > report["unpacked"]
    assert BUDGET_COMPRESSED > report["compressed"]


def test_builder_stage_and_onebin_make_the_same_config(
    engine: Engine, image: str, tmp_path: Path
) -> None:
    """An engine runs the image alike, however it is built."""
    onebin("image", SERVICE, "--to", f"dir:{tmp_path}/out")
    added = json.loads(Path(tmp_path, "out/config.json").read_text())
    builders = json.loads(engine.run("image", "inspect", "--format", "{{json .Config}}", image))

    # Left out of the Dockerfile: builders before Docker 25 refuse it.
    del added["config"]["Healthcheck"]["StartInterval"]
    for name, value in added["config"].items():
        assert builders[name] == value, name
    # A builder sets the PATH of an empty base, and nothing else.
    assert [name.partition("=")[0] for name in builders["Env"] or ()] in ([], ["PATH"])


@pytest.mark.claim("image content")
def test_inspect_finds_nothing_wrong_with_our_image(
    engine: Engine, image: str, tmp_path: Path
) -> None:
    """onebin's inspector, on the engine's archive: static, one executable, numeric user."""
    saved = tmp_path / "image.tar"
    engine.run("save", "--output", saved, image)

    report = json.loads(onebin("inspect", "--json", saved))

    failed = [finding["id"] for finding in report["findings"] if finding["status"] == "fail"]
    assert not [name for name in failed if name.startswith(("IMG-USER", "IMG-ENTRY", "IMG-ELF"))]
