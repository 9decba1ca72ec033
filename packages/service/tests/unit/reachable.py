"""The texts that an object holds, whatever the names of its fields."""

import gc
import types
from collections.abc import Iterator

_NOT_HELD = (type, types.ModuleType, types.FunctionType, types.MethodType, types.BuiltinMethodType)
"""Code and its globals: shared by all objects."""


def texts_in(root: object) -> list[bytes]:
    """Return every text reachable from *root*, as bytes, once each."""
    return [bytes(text, "utf-8") if isinstance(text, str) else bytes(text) for text in _walk(root)]


def _walk(root: object) -> Iterator[str | bytes | bytearray]:
    seen = {id(root)}
    waiting = [root]
    while waiting:
        here = waiting.pop()
        if isinstance(here, str | bytes | bytearray):
            yield here
        for held in gc.get_referents(here):
            if id(held) not in seen and not isinstance(held, _NOT_HELD):
                seen.add(id(held))
                waiting.append(held)
