"""Text into HTML: the one place where anything becomes markup.

Text that is not ``Markup`` is escaped: a missing call shows as a stray ``&lt;`` on the page and
never as an element. Host names, mounts, header fields and labels come from outside.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from devops_info_service.escape import printable

_ESCAPES: Final = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;"}
)
_VOID: Final = frozenset({"link", "meta", "rect", "path", "use"})
"""Elements without content: HTML's own, and those of SVG, which need the slash."""


class Markup(str):
    """HTML made by this module."""

    __slots__ = ()


def escape(text: str) -> Markup:
    r"""Escape *text* for content and for a quoted attribute.

    Unprintable characters are escaped as on a terminal (``\x00``, ``\u202e``): a mark that turns
    the direction of a line would change how evidence reads.
    """
    return text if isinstance(text, Markup) else Markup(printable(text).translate(_ESCAPES))


def join(parts: Iterable[str]) -> Markup:
    """Join *parts*, each escaped unless it is markup."""
    return Markup("".join(map(escape, parts)))


def tag(name: str, *children: str, **attributes: str | bool) -> Markup:
    """Return an element; ``class_`` is ``class``, ``aria_label`` is ``aria-label``.

    A true attribute has no value, a false one is left out.
    """
    if name in _VOID:
        return Markup(f"<{name}{''.join(_attributes(attributes))}/>")
    return Markup(f"{opening(name, **attributes)}{join(children)}</{name}>")


def opening(name: str, **attributes: str | bool) -> Markup:
    """Return the start tag of an element whose content comes in several pieces."""
    return Markup(f"<{name}{''.join(_attributes(attributes))}>")


def _attributes(attributes: dict[str, str | bool]) -> Iterator[str]:
    for name, value in attributes.items():
        if value is False:
            continue
        spelled = name.rstrip("_").replace("_", "-")
        yield f" {spelled}" if value is True else f' {spelled}="{escape(str(value))}"'
