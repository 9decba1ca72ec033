"""Programs run to their end, and the places that every act knows."""

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
CLUSTER: Final = Path(os.environ.get("CLUSTER", "/tmp/k8s"))
CHART: Final = "deploy/helm/devops-info-service"
RELEASE: Final = "info"
NAME: Final = "info-devops-info-service"
PODS: Final = f"app.kubernetes.io/instance={RELEASE},app.kubernetes.io/name=devops-info-service"


def output(argv: Sequence[str | Path], stdin: str = "") -> str:
    """Run to the end and return stdout."""
    return subprocess.run(
        argv, input=stdin, capture_output=True, text=True, check=True, timeout=300
    ).stdout
