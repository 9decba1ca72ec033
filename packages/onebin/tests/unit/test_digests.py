"""A file's digest is that of its contents, whenever and however it changes."""

import hashlib
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onebin.effects.digests import sha256_of

OLD = 10**9
"""A time long ago: such a file counts as unchanged."""

CHANGES = st.lists(
    st.tuples(st.sampled_from(["write", "replace", "backdate"]), st.binary(max_size=4)),
    max_size=12,
)


@given(changes=CHANGES)
def test_digest_is_that_of_the_contents(
    changes: list[tuple[str, bytes]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("files")
    file, other = Path(folder, "file"), Path(folder, "other")
    file.write_bytes(b"")

    for kind, data in changes:
        if kind == "write":
            file.write_bytes(data)
        elif kind == "backdate":
            os.utime(file, (OLD, OLD))
        else:
            other.write_bytes(data)
            os.utime(other, (OLD, OLD))
            other.replace(file)
        assert sha256_of(file) == hashlib.sha256(file.read_bytes()).hexdigest()


def test_an_old_file_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of this interpreter's library nothing has just changed."""
    file = Path(os.__file__)
    first = sha256_of(file)
    monkeypatch.setattr(Path, "open", lambda *_: pytest.fail("read again"))

    assert sha256_of(file) == first
