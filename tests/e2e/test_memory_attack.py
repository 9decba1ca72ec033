"""A container of 64 MiB under attack: it is not killed, and other clients are served.

400 rounds of the worst mix, 20 s of a quiet machine; ``ATTACK_ROUNDS=1200`` makes it a minute.
"""

import json
import os
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Final

import pytest

from tests.lib.http_client import ProtocolError, get
from tests.lib.metrics_text import scrape
from tests.lib.waiting import until

from .conftest import Engine, running

pytestmark = [
    pytest.mark.engine,
    pytest.mark.claim("memory of all connections"),
    pytest.mark.claim("bounded turns and memory"),
]

ROUNDS: Final = int(os.environ.get("ATTACK_ROUNDS", "400"))
ATTACK: Final = Path(__file__).with_name("attack.py")
LIMIT_BYTES: Final = 64 * 1024 * 1024
FLAGS: Final = (
    *("--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges"),
    *("--memory", "64m", "--pids-limit", "64"),
)
PAUSE_SECONDS: Final = 0.02
"""Between a client's requests beside the attack: a thousand in 20 s."""


def outcome(address: str, path: str = "/health") -> int | str:
    """Request *path* on a new connection; return the status, or the error's name."""
    try:
        return get(8080, path, host=address).status
    except (OSError, ProtocolError) as exc:
        return type(exc).__name__


@pytest.mark.parametrize("workers", [1, 2])
def test_attack_on_memory(
    engine: Engine, image: str, capsys: pytest.CaptureFixture[str], workers: int
) -> None:
    """The kernel kills no process; at least nine of ten probes succeed."""
    outcomes: Counter[int | str] = Counter()
    took: list[float] = []
    with running(engine, *FLAGS, "--env", f"WORKERS={workers}", image) as container:
        address = engine.run(
            "inspect", "--format", "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}",
            container,
        )  # fmt: skip
        until(lambda: outcome(address) == 200)
        attack = subprocess.Popen(
            [sys.executable, ATTACK, address, "8080", str(ROUNDS)],
            stdout=subprocess.PIPE,
            text=True,
        )
        while attack.poll() is None:
            began = time.monotonic()
            outcomes[outcome(address)] += 1
            took.append(time.monotonic() - began)
            time.sleep(PAUSE_SECONDS)
        done = json.loads(attack.communicate()[0])
        state = json.loads(engine.run("inspect", container))[0]
        until(lambda: outcome(address, "/metrics") == 200)
        metrics = scrape(8080, address)

    peak = metrics["platform_memory_peak_bytes"]
    p99 = sorted(took)[len(took) * 99 // 100]  # printed for the documentation
    with capsys.disabled():
        sys.stdout.write(
            f"{workers} workers, {ROUNDS} rounds: {done}; /health {dict(outcomes)}, "
            f"p99 {p99 * 1000:.1f} ms; highest memory {peak / 2**20:.1f} of 64 MiB\n"
        )
    assert done["opened"] > done["most_open"] > 500
    assert not state["State"]["OOMKilled"]
    assert state["State"]["Running"]
    assert state["RestartCount"] == 0
    assert 0 < peak < LIMIT_BYTES
    assert metrics.get("platform_memory_events_total{event=oom}", 0) == 0
    assert metrics["platform_memory_oom_kills_total"] == 0
    assert outcomes[200] > 0.9 * outcomes.total()
