"""The config of an image as instructions of a Dockerfile.

Source: Dockerfile reference (docs.docker.com/reference/dockerfile).
"""

import json
from collections.abc import Iterator

from onebin.errors import ImageError
from onebin.image import spec


def instructions(process: spec.Process) -> Iterator[str]:
    """Yield one instruction a line, for each part of *process* that is set.

    Raises:
        ImageError: a value has a line break or another control character.
    """
    for name, value in (process.labels or {}).items():
        yield f"LABEL {name}={_quoted(value)}"
    for name, _, value in (item.partition("=") for item in process.env or ()):
        yield f"ENV {name}={_quoted(value)}"
    for port in process.exposed_ports or {}:
        yield f"EXPOSE {port}"
    if process.user:
        yield f"USER {process.user}"
    if process.working_dir:
        yield f"WORKDIR {process.working_dir}"
    if process.stop_signal:
        yield f"STOPSIGNAL {process.stop_signal}"
    if process.healthcheck is not None:
        yield _healthcheck(process.healthcheck)
    if process.entrypoint:
        yield f"ENTRYPOINT {json.dumps(process.entrypoint)}"


def _healthcheck(health: spec.Healthcheck) -> str:
    # The start interval is left out: builders before Docker 25 refuse the whole file for it.
    durations = {
        "interval": health.interval,
        "timeout": health.timeout,
        "start-period": health.start_period,
    }
    options = [f"--{name}={value // 1_000_000_000}s" for name, value in durations.items() if value]
    if health.retries:
        options.append(f"--retries={health.retries}")
    _, *command = health.test or ("NONE",)
    return " ".join(("HEALTHCHECK", *options, f"CMD {json.dumps(command)}"))


def _quoted(value: str) -> str:
    if not value.isprintable():
        raise ImageError(
            f"{value!r}: a Dockerfile cannot hold this value; expected printable characters",
            hint="change the label or variable, or publish to another destination than dir",
        )
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("$", "\\$")
    return f'"{escaped}"'
