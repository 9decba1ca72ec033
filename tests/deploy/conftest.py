"""helm, kubectl and kubernetes-validate, as .ci/prepare-kubernetes installs them."""

import hashlib
import os
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[2]
DEPLOY: Final = ROOT / "deploy"
CHART: Final = DEPLOY / "helm/devops-info-service"

Tool = Callable[..., str]


@pytest.fixture(scope="session")
def tools() -> Path:
    """Return the directory of the programs; without them skip, in CI fail."""
    pins = hashlib.sha256((ROOT / "requirements/kubernetes.txt").read_bytes()).hexdigest()[:12]
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    made = cache / f"devops-info-service/kubernetes-{pins}"
    if not (made / "done").exists():
        pytest.skip("no helm and kubectl: run .ci/prepare-kubernetes")
    return made / "bin"


def run(argv: Sequence[str | Path], stdin: str = "", status: int = 0) -> str:
    """Run to the end and return stdout, of a failure that is expected stderr."""
    process = subprocess.run(
        argv, input=stdin, capture_output=True, text=True, check=False, timeout=120
    )
    assert process.returncode == status, process.stderr[-4000:]
    return process.stdout if status == 0 else process.stderr


@pytest.fixture(scope="session")
def helm(tools: Path) -> Tool:
    """Render the chart with some values, each as ``--set-json`` takes it."""

    def render(*values: str, status: int = 0) -> str:
        flags = [flag for value in values for flag in ("--set-json", value)]
        return run([tools / "helm", "template", "info", CHART, *flags], status=status)

    return render


@pytest.fixture(scope="session")
def kustomize(tools: Path) -> Tool:
    """Build a kustomization."""
    return lambda name: run([tools / "kubectl", "kustomize", DEPLOY / "kustomize" / name])
