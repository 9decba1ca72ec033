#!/usr/bin/env -S uv run --script
# /// script
# requires-python = ">=3.11"
# dependencies = [
#   "rich",
#   "pyyaml",
# ]
# ///
import sys
from dataclasses import dataclass
from pathlib import Path

import yaml
from rich import print


@dataclass
class Row:
    name: str
    count: int


print([Row(**row) for row in yaml.safe_load(sys.stdin)])
print(f"{Path(__file__).name} {__name__}")
