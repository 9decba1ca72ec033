"""The container's limit as read at the start."""

from pathlib import Path

import pytest

from devops_info_service.commands.serve import own_memory_limit
from devops_info_service.facts.system_files import SystemFiles

V1, V2 = "sys/fs/cgroup/memory/memory.limit_in_bytes", "sys/fs/cgroup/memory.max"


@pytest.mark.parametrize(
    ("files", "limit"),
    [
        ({}, None),
        ({V2: "67108864\n"}, 67108864),
        ({V2: "max\n"}, None),
        ({V2: ""}, None),
        ({V2: "-1\n"}, None),
        ({V2: "9" * 5000}, None),
        ({V2: "67108864 x\n"}, None),
        ({V1: "67108864\n"}, 67108864),
        ({V1: "9223372036854771712\n"}, None),
        ({V2: "max\n", V1: "1048576\n"}, 1048576),
    ],
)
def test_limit(tmp_path: Path, files: dict[str, str], limit: int | None) -> None:
    """Either version; an invalid number of bytes counts as unlimited."""
    for path, text in files.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)

    assert own_memory_limit(SystemFiles(str(tmp_path))) == limit
