"""An exception as text, whatever it is, without opening a file."""

import resource
from collections.abc import Callable

import pytest

from devops_info_service.faults import MAX_FRAMES, MAX_TEXT, describe
from devops_info_service.logs import MAX_LINE_BYTES, Log

pytestmark = [
    pytest.mark.claim("faults are reported without a file"),
    pytest.mark.claim("faults are contained"),
]


class UnspeakableError(Exception):
    """Raises in `__str__`."""

    def __str__(self) -> str:
        raise OSError(24, "Too many open files")


def plain() -> None:
    raise KeyError("a")


def caused() -> None:
    try:
        plain()
    except KeyError as exc:
        raise ValueError("b") from exc


def during() -> None:
    try:
        plain()
    except KeyError:
        raise ValueError("b")  # noqa: B904  this is the case


def hidden() -> None:
    try:
        plain()
    except KeyError:
        raise ValueError("b") from None


def endless() -> None:
    endless()


def long() -> None:
    raise ValueError("x" * 100_000)


def empty() -> None:
    raise AssertionError


def unspeakable() -> None:
    raise UnspeakableError


def cyclic() -> None:
    one, two = ValueError("one"), ValueError("two")
    one.__cause__, two.__cause__ = two, one
    raise one


@pytest.mark.parametrize(
    ("fail", "texts"),
    [
        (plain, ["KeyError: 'a'"]),
        (caused, ["KeyError: 'a'", "ValueError: b"]),
        (during, ["KeyError: 'a'", "ValueError: b"]),
        (hidden, ["ValueError: b"]),
        (endless, ["RecursionError: maximum recursion depth exceeded"]),
        (long, ["ValueError: " + "x" * MAX_TEXT + "..."]),
        (empty, ["AssertionError"]),
        (unspeakable, ["UnspeakableError: its text is not available"]),
        (cyclic, ["ValueError: two", "ValueError: one"] * 2),
    ],
)
def test_describe(fail: Callable[[], None], texts: list[str]) -> None:
    """The chain from its first cause, each with its innermost frames and its text."""
    with pytest.raises(BaseException) as caught:  # noqa: PT011  each case has its own
        fail()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
    try:
        lines = describe(caught.value)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))

    heads = [line for line in lines if not line.startswith("  ")]
    expected = [line for text in texts for line in ("Traceback (most recent call last):", text)]
    assert [line.removeprefix(f"{__name__}.") for line in heads] == expected
    assert len(lines) <= len(texts) * (MAX_FRAMES + 3)


@pytest.mark.parametrize("fail", [endless, long, cyclic, unspeakable])
def test_line_is_one_piece(fail: Callable[[], None]) -> None:
    """A line with a traceback fits a pipe's atomic write and keeps the innermost frames."""
    with pytest.raises(BaseException) as caught:  # noqa: PT011  as above
        fail()
    lines: list[bytes] = []
    Log(lines.append).error("fault", exc=caught.value, path="\x1b" * 600)

    (line,) = lines
    assert len(line) <= MAX_LINE_BYTES
    assert b"Traceback" in line
    assert describe(caught.value)[-1].encode() in line


def test_fault_of_the_log() -> None:
    """A line that cannot be made, or written, raises nothing."""

    def write(_: bytes) -> None:
        raise MemoryError

    Log(write).error("fault", exc=ValueError("x"))
    Log(lambda _: None).info("fault", value=["\ud800"])
