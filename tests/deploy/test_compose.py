"""The files for Docker Compose and Swarm."""

import subprocess
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from devops_info_service.expectations.conformance import load_expectations

from .conftest import DEPLOY, ROOT

COMPOSE: Final = DEPLOY / "compose"
FILES: Final = ("compose.yaml", "stack.yaml")


def service(name: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((COMPOSE / name).read_text())["services"]["service"]
    return found


@pytest.mark.exhaustive
def test_schema() -> None:
    """Each is valid by the Compose specification."""
    checker = Path(ROOT / ".venv/bin/check-jsonschema")
    subprocess.run(
        [
            *(checker, "--quiet", "--builtin-schema", "vendor.compose-spec"),
            *(COMPOSE / name for name in FILES),
        ],
        check=True,
        timeout=60,
    )


@pytest.mark.parametrize("name", FILES)
def test_is_hardened(name: str) -> None:
    found = service(name)

    assert found["read_only"] is True
    assert found["cap_drop"] == ["ALL"]
    assert found["healthcheck"]["test"] == ["CMD", "/app/devops-info-service", "check"]


@pytest.mark.parametrize("name", FILES)
def test_grace_period_covers_the_drain(name: str) -> None:
    found = service(name)
    delay = int(found["environment"].get("DRAIN_DELAY_SECONDS", 0))

    assert int(found["stop_grace_period"].removesuffix("s")) >= delay + 8 + 2


def test_expectations_are_valid() -> None:
    """Those in the Compose file, and the Swarm's and the overlay's files."""
    assert load_expectations(service("compose.yaml")["environment"]["EXPECTATIONS"])
    assert load_expectations(str(COMPOSE / "expectations.yaml"))
    assert load_expectations(str(DEPLOY / "kustomize/overlays/production/expectations.yaml"))
