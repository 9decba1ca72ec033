"""What a user sees: lines in a log, a live line on a terminal."""

import io

import pytest

from onebin.effects.progress import Story


class Clock:
    """A clock that goes on by a given step at each look."""

    def __init__(self, step: float) -> None:
        self.now, self.step = 0.0, step

    def __call__(self) -> float:
        self.now += self.step
        return self.now


def told(*, terminal: bool, step: float = 1.0) -> str:
    stream = io.StringIO()
    story = Story(stream, terminal=terminal, colour=False, clock=Clock(step))
    with story.stage("freeze") as ending:
        for n in range(4):
            story.tell("compiling", done=n, total=4)
        ending.text = "4 modules"
    return stream.getvalue()


def test_log_has_one_line_a_stage() -> None:
    """Where nobody watches, a stage is a line with its seconds and its result."""
    lines = told(terminal=False).splitlines()

    assert 1 == len(lines)
    assert ["freeze", "s", "4"] == [lines[0].split()[n] for n in (0, 2, 3)]


def test_log_of_a_long_stage_says_how_far_it_is() -> None:
    """Every ten seconds a long stage shows that it is alive."""
    assert "freeze     compiling 50 %" in told(terminal=False, step=9)


def test_terminal_shows_a_bar_and_clears_it() -> None:
    """On a terminal the bar is drawn over itself and gives way to the stage's line."""
    text = told(terminal=True)

    assert "[██████████████████······]  75 %" in text
    assert text.rpartition("\x1b[K")[2].startswith("✓ freeze")


def test_failing_stage_leaves_a_clean_line() -> None:
    """An error comes after the live line is cleared, and goes on to whoever explains it."""
    stream = io.StringIO()
    story = Story(stream, terminal=True, colour=False)

    with pytest.raises(RuntimeError), story.stage("link"):
        raise RuntimeError

    assert stream.getvalue().endswith("\r\x1b[K")


def test_no_colour_where_none_is_asked_for() -> None:
    """Colours are the caller's decision."""
    plain, coloured = io.StringIO(), io.StringIO()
    Story(plain, terminal=False, colour=False).warn("x")
    Story(coloured, terminal=False, colour=True).warn("x")

    assert "warning: x\n" == plain.getvalue()
    assert "\x1b[33mwarning:\x1b[0m x\n" == coloured.getvalue()
