"""The report of hey, which sends the load of the cluster's acts."""

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Load:
    """The result of one run of hey."""

    requests: int
    lost: int
    rate: float
    slowest: float
    errors: str


def parse(text: str) -> Load:
    """Read the report of hey."""
    statuses = {int(code): int(n) for code, n in re.findall(r"\[(\d{3})\]\t(\d+) responses", text)}
    errors = re.findall(r"^ *\[(\d+)\]\t((?!\d+ responses).*)$", text, re.MULTILINE)
    failed = sum(int(count) for count, _ in errors)
    rate = re.search(r"Requests/sec:\s+([\d.]+)", text)
    slowest = re.search(r"Slowest:\s+([\d.]+)", text)
    others = sum(count for code, count in statuses.items() if code != 200)
    return Load(
        sum(statuses.values()) + failed,
        failed + others,
        float(rate[1]) if rate else 0,
        float(slowest[1]) if slowest else 0,
        "; ".join(f"{count} of {message}" for count, message in errors) or str(statuses),
    )
