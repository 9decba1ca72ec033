"""An exception as lines of text, without an import, a file or a chance to fail.

Not ``traceback``: it would be imported after the error, when perhaps no file can be opened any
more, and it opens the source of each line. The static executable has no source.
"""

from typing import Final

MAX_FRAMES: Final = 16
"""Innermost frames shown of an exception: an endless recursion has a thousand alike."""

MAX_EXCEPTIONS: Final = 4
"""Exceptions shown of a chain."""

MAX_TEXT: Final = 200
"""Characters of an exception's text: a log line of all of this fits the 4 KiB that a pipe takes
in one piece."""


def describe(exc: BaseException) -> list[str]:
    """Return *exc* and its causes, the first one first, as ``traceback`` would print it."""
    chain: list[BaseException] = []
    each: BaseException | None = exc
    while each is not None and len(chain) < MAX_EXCEPTIONS:
        chain.append(each)
        each = each.__cause__ or (None if each.__suppress_context__ else each.__context__)
    lines: list[str] = []
    for each in reversed(chain):
        lines += ["Traceback (most recent call last):", *_frames(each), _text(each)]
    return lines


def _frames(exc: BaseException) -> list[str]:
    frames: list[str] = []
    left = 0
    step = exc.__traceback__
    while step is not None:
        code = step.tb_frame.f_code
        frames.append(f'  File "{code.co_filename}", line {step.tb_lineno}, in {code.co_name}')
        if len(frames) > MAX_FRAMES:
            del frames[0]
            left += 1
        step = step.tb_next
    return [f"  {left} outer frames are not listed", *frames] if left else frames


def _text(exc: BaseException) -> str:
    kind = type(exc)
    name = kind.__qualname__
    if kind.__module__ != "builtins":
        name = f"{kind.__module__}.{name}"
    try:
        text = str(exc)
    except Exception:  # noqa: BLE001  an exception's own __str__ may raise
        text = "its text is not available"
    if len(text) > MAX_TEXT:
        text = text[:MAX_TEXT] + "..."
    return f"{name}: {text}" if text else name
