"""Progress of a build: lines in a log, a live line on a terminal."""

import contextlib
import io
import threading

import pytest

from onebin.effects.progress import Progress


class Clock:
    """A clock that advances by a given step at each reading."""

    def __init__(self, step: float) -> None:
        self.now, self.step = 0.0, step

    def __call__(self) -> float:
        self.now += self.step
        return self.now


def printed(*, terminal: bool, step: float = 1.0) -> str:
    stream = io.StringIO()
    progress = Progress(stream, terminal=terminal, color=False, clock=Clock(step))
    with progress.stage("freeze") as stage:
        for n in range(4):
            progress.report("compiling", done=n, total=4)
        stage.summary = "4 modules"
    return stream.getvalue()


def test_log_has_one_line_a_stage() -> None:
    """Without a terminal, a stage is a line with its seconds and its result."""
    lines = printed(terminal=False).splitlines()

    assert 1 == len(lines)
    assert ["freeze", "s", "4"] == [lines[0].split()[n] for n in (0, 2, 3)]


def test_log_of_a_long_stage_has_a_percentage() -> None:
    """Every ten seconds a long stage shows that it is alive."""
    first = printed(terminal=False, step=9).splitlines()[0]

    assert ["freeze", "18", "s", "compiling", "25", "%", "…"] == first.split()


@pytest.mark.parametrize("terminal", [False, True])
def test_a_stage_that_reports_nothing_is_repeated(*, terminal: bool) -> None:
    """One download, one compilation: its text and its seconds, without a further report."""
    stream, clock = io.StringIO(), Clock(0)
    progress = Progress(stream, terminal=terminal, color=False, clock=clock)
    with progress.stage("runtime"):
        progress.report("fetching CPython", done=1, total=4)
        for clock.now in range(1, 26):
            progress.tick()
    seen = stream.getvalue()

    assert (25 if terminal else 2) == sum(f"{n} s " in seen for n in range(1, 26))
    assert all(word in seen for word in ("runtime", "fetching CPython", "25 %"))


def test_a_stage_inside_another_one() -> None:
    """The inner one has its line and its seconds; the outer one is repeated after it."""
    stream, clock = io.StringIO(), Clock(0)
    progress = Progress(stream, terminal=False, color=False, clock=clock)
    with progress.stage("plan"):
        progress.report("cffi 2.0.0")
        with progress.stage("lock"):
            clock.now = 11
            progress.tick()
        clock.now = 30
        progress.tick()

    names = [line.split()[0] for line in stream.getvalue().splitlines()]
    assert ["lock", "lock", "plan", "plan"] == names
    assert "cffi 2.0.0" in stream.getvalue()


def test_nothing_is_repeated_after_the_end() -> None:
    """Not after a result, and not after a fault."""
    stream = io.StringIO()
    progress = Progress(stream, terminal=True, color=False, timed=True)
    with contextlib.suppress(RuntimeError), progress.stage("link"):
        raise RuntimeError
    seen = stream.getvalue()
    progress.tick()
    progress.report("late")

    assert seen == stream.getvalue()
    assert not [it for it in threading.enumerate() if it.name == "progress"]


def test_terminal_shows_a_bar_and_clears_it() -> None:
    """On a terminal the bar is redrawn in place, and the stage's line replaces it."""
    text = printed(terminal=True)

    assert "[██████████████████······]  75 %" in text
    assert text.rpartition("\x1b[K")[2].startswith("✓ freeze")


def test_failing_stage_leaves_a_clean_line() -> None:
    """An error clears the live line, and passes through."""
    stream = io.StringIO()
    progress = Progress(stream, terminal=True, color=False)

    with pytest.raises(RuntimeError), progress.stage("link"):
        raise RuntimeError

    assert stream.getvalue().endswith("\r\x1b[K")


def test_no_color_unless_requested() -> None:
    """Colors are the caller's decision."""
    plain, colored = io.StringIO(), io.StringIO()
    Progress(plain, terminal=False, color=False).warn("x")
    Progress(colored, terminal=False, color=True).warn("x")

    assert "warning: x\n" == plain.getvalue()
    assert "\x1b[33mwarning:\x1b[0m x\n" == colored.getvalue()
