"""The real connection under conversations made from pieces of the grammar, whole and broken.

The pieces arrive in any order and cut anywhere. ``fuzz_connection.py`` is led by coverage instead.
"""

from pathlib import Path
from typing import Final

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from .invariants import Llhttp, check, check_invariants, connect, same_however_cut

pytestmark = [
    pytest.mark.claim("never a second reading of the same bytes"),
    pytest.mark.claim("fuzz"),
    pytest.mark.claim("one reading of the same bytes"),
]

PIECES: Final = (
    *(b"GET", b"POST", b"HEAD", b"OPTIONS", b"CONNECT", b"PRI", b" ", b"/", b"*", b"/a?b", b"#"),
    *(
        b"http://a:80/",
        b" HTTP/1.1",
        b" HTTP/1.0",
        b" HTTP/0.9",
        b" HTTP/2.0",
        b" RTSP/1.0",
        b"SOURCE / ICE/1.0",
        b"\r\n",
        b"\r",
        b"\n",
    ),
    *(b"Host: a", b"Host: b", b"Connection: close", b"Connection: keep-alive, upgrade"),
    *(b"Upgrade: h2c", b"Expect: 100-continue", b"Content-Length: 3", b"Content-Length: 65"),
    *(b"Transfer-Encoding: chunked", b"X: 1", b" folded", b":", b"\0", b"\xff", b"abc"),
    *(b"3\r\nabc\r\n", b"0\r\n\r\n", b"3;x=y\r\nabc\r\n", b"ffffffffffffffff\r\n", b"+3\r\n"),
    *(b"40\r\n" + b"a" * 64 + b"\r\n", b"41\r\n", b"0", b"00a;x\r\n", b"2\r\n\r\n\r\n"),
    b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc",
    b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n",
)
"""Parts of requests."""


class AnyBytes(RuleBasedStateMachine):
    """One connection, fed in pieces; beside it another, fed the same bytewise.

    A third parser is llhttp without a connection.
    """

    @initialize(is_long=st.booleans())
    def connect(self, is_long: bool) -> None:  # noqa: FBT001  hypothesis calls it so
        """Begin with two new connections."""
        self.one, self.llhttp = connect(is_long=is_long), Llhttp()
        self.bytewise = connect(has_fast_path=False, is_long=is_long)

    @rule(pieces=st.lists(st.sampled_from(PIECES) | st.binary(max_size=4), max_size=12))
    def feed(self, pieces: list[bytes]) -> None:
        """Let some bytes arrive, in one read here and in as many as there are there."""
        data = b"".join(pieces)
        over, rejection = self.one.is_over, self.one.rejection
        new = self.one.send(data)
        if over:
            assert new == []
            assert self.one.rejection == rejection
        self.llhttp.feed(data)
        for byte in data:
            self.bytewise.send(bytes([byte]))

    @rule(times=st.integers(min_value=1, max_value=700), byte=st.sampled_from(b"a \r\n0;:,\0"))
    def flood(self, times: int, byte: int) -> None:
        """Let one byte come again and again."""
        self.feed([bytes([byte]) * times])

    @invariant()
    def holds(self) -> None:
        """Both keep them, and agree."""
        check_invariants(self.one)
        check_invariants(self.bytewise)
        self.llhttp.agrees(self.one)
        self.llhttp.agrees(self.bytewise)
        same_however_cut(self.one, self.bytewise)


def test_any_bytes() -> None:
    """The same conversations in every run."""
    run_state_machine_as_test(
        AnyBytes,
        settings=settings(stateful_step_count=12, derandomize=True),
    )


@pytest.mark.parametrize(
    "path", sorted(Path(__file__).with_name("corpus").iterdir()), ids=lambda path: path.name
)
def test_corpus(path: Path) -> None:
    """The inputs that earlier searches kept are tried in every run."""
    check(path.read_bytes())
