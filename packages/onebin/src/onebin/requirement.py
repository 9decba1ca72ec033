"""Requirements, names and versions of an index: untrusted text, parsed before any program runs.

Names and versions of a project, a lock, an index or a wheel become lines of a file that pip
reads, so each is parsed here first and written from the parsed value.

Sources: PEP 508 (requirements, names), PEP 440 (versions).
"""

import re
from collections.abc import Collection, Iterable, Mapping
from email.parser import HeaderParser
from typing import Final

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from onebin.errors import ProjectError

MAX_LENGTH: Final = 1000
"""Characters of a requirement: ten times the longest one of the thousand most used projects."""

MAX_NAME: Final = 128
"""Characters of a name: it becomes a file's, whose limit is 255 bytes, with a suffix."""

NAME: Final = re.compile(r"[A-Z0-9]|[A-Z0-9][A-Z0-9._-]*[A-Z0-9]", re.IGNORECASE | re.ASCII)

EXTRA: Final = re.compile(
    r"""\bextra\s*(==|!=)\s*(["'])([^"']*)\2|(["'])([^"']*)\4\s*(==|!=)\s*extra\b"""
)
"""A comparison with ``extra``, which tools evaluate for a set of extras, not for one."""

REASON: Final = 120
"""Characters of why a requirement is none: a line of a terminal."""

FORM: Final = "expected a name with versions, as in: requests>=2,<3"


def wanted(
    texts: Iterable[object],
    environment: Mapping[str, str],
    *,
    where: str,
    extras: Collection[str] = (),
    addresses: bool = False,
) -> list[Requirement]:
    """Read requirements of the index (PEP 508) and return those whose markers hold.

    Args:
        texts: The requirements.
        environment: The variables of markers, without ``extra``.
        where: Their place, for messages: ``project.dependencies``.
        extras: The extras whose requirements these are.
        addresses: Whether one may name an address, which a lock pins.

    Raises:
        ProjectError: one of them is malformed, or one whose marker holds names a file, an
            address or an option.
    """
    found = [parse(text, where=where) for text in texts]
    return [
        _of_an_index(item, where=where, addresses=addresses)
        for item in found
        if _is_wanted(item, environment, where=where, extras=extras)
    ]


def stated(metadata: str) -> tuple[str, ...]:
    """Return the requirements in the text *metadata* of a distribution (``Requires-Dist``)."""
    head = HeaderParser().parsestr(metadata)
    return tuple(map(str, head.get_all("Requires-Dist", [])))


def names_wanted(
    texts: Iterable[str], environment: Mapping[str, str], *, of_extras: bool = True
) -> frozenset[str]:
    """Return the normalized names of a distribution's requirements whose markers hold.

    Those of any extra are among them *of_extras*, where the wanted ones are not known; malformed
    ones are not.
    """
    found = set[str]()
    for text in texts:
        try:
            item = parse(text, where="Requires-Dist")
            found_extras = EXTRA.findall(text) if of_extras else ()
            extras = [third or fifth for _, _, third, _, fifth, _ in found_extras]
            if _is_wanted(item, environment, where="Requires-Dist", extras=("", *extras)):
                found.add(canonicalize_name(item.name))
        except ProjectError:
            continue
    return frozenset(found)


def parse(text: object, *, where: str) -> Requirement:
    """Read one requirement (PEP 508), of whatever kind.

    Raises:
        ProjectError: it is none, but an option, a path, several lines.
    """
    if not isinstance(text, str) or not text.isprintable() or len(text) > MAX_LENGTH:
        raise ProjectError(f"{where}: {shown(text)} is not a requirement; {FORM}")
    try:
        return Requirement(text)
    # Brackets nested a thousand times end in the last two.
    except (ValueError, RecursionError, MemoryError) as exc:
        is_other = text.lstrip().startswith(("-", ".", "/")) or "://" in text.partition("@")[0]
        why = str(exc).partition("\n")[0][:REASON].rstrip(".")
        reason = f": {why}" if why.isprintable() and why and not is_other else ""
        hint = "only distributions of an index are allowed: no paths, options or files"
        raise ProjectError(
            f"{where}: {shown(text)} is not a requirement{reason}; {FORM}",
            hint=hint if is_other else "correct it where it is stated (PEP 508)",
        ) from exc


def decide_extras(marker: str, extras: Collection[str]) -> str:
    """Return *marker* with each comparison with ``extra`` decided for the set *extras*.

    ``extra == 'a'`` is true if a is among them. True and false are comparisons with the
    operating system, as every target is POSIX.
    """

    def decided(found: re.Match[str]) -> str:
        _, _, right, _, left, _ = found.groups()
        named = canonicalize_name(right if left is None else left)
        is_equal = "==" in (found[1], found[6])
        return f"os_name {'==' if (named in extras) == is_equal else '!='} 'posix'"

    return EXTRA.sub(decided, marker)


def with_extras(text: str, extras: Collection[str], *, where: str) -> str:
    """Return the requirement *text* of a distribution's metadata, for a set of its extras.

    Raises:
        ProjectError: it is malformed.
    """
    item = parse(text, where=where)
    if item.marker is None:
        return text
    marker = decide_extras(str(item.marker), extras)
    item.marker = None
    # An address ends at a space.
    return f"{item} ; {marker}"


def name(text: object, *, where: str) -> str:
    """Return *text*, which is the name of a distribution.

    Raises:
        ProjectError: it is not: it could be a path or an option.
    """
    if not isinstance(text, str) or not NAME.fullmatch(text) or len(text) > MAX_NAME:
        raise ProjectError(
            f"{where}: {shown(text)} is not a name; expected up to {MAX_NAME} ASCII letters, "
            "digits and - _ . between them",
        )
    return text


def version(text: object, *, where: str) -> str:
    """Return *text*, which is one version (PEP 440).

    Raises:
        ProjectError: it is not.
    """
    try:
        # Version() accepts spaces around it, and letters that resemble ASCII.
        if isinstance(text, str) and len(text) <= MAX_NAME and re.fullmatch(r"[!-~]+", text):
            Version(text)
            return text
    except InvalidVersion:
        pass
    raise ProjectError(f"{where}: {shown(text)} is not a version; expected one of PEP 440: 1.0")


def line(requirement: Requirement) -> str:
    """Write *requirement* for pip: letters, digits and signs of versions alone, no marker.

    pip reads options and variables in such lines; a name, its extras and its versions can
    hold neither. Its marker was evaluated before.
    """
    extras = f"[{','.join(sorted(requirement.extras))}]" if requirement.extras else ""
    return f"{canonicalize_name(requirement.name)}{extras}{requirement.specifier}"


def shown(value: object) -> str:
    """Quote untrusted text so that it fits a line and moves no cursor."""
    text = ascii(value)
    limit = 80
    return text if len(text) <= limit else f"{text[:limit]}…"


def _is_wanted(
    item: Requirement, environment: Mapping[str, str], *, where: str, extras: Collection[str]
) -> bool:
    if item.marker is None:
        return True
    try:
        return any(item.marker.evaluate({**environment, "extra": one}) for one in extras or ("",))
    except (ValueError, LookupError, TypeError, ArithmeticError, RecursionError) as exc:
        raise ProjectError(
            f"{where}: the marker of {shown(item.name)} cannot be evaluated: {shown(str(exc))}"
        ) from exc


def _of_an_index(item: Requirement, *, where: str, addresses: bool) -> Requirement:
    name(item.name, where=where)
    if item.url is not None and not addresses:
        raise ProjectError(
            f"{where}: {item.name} is requested by an address; expected a version",
            hint="a lock of uv or poetry, or a pylock.toml, pins it by its commit or hash; or "
            f"write {item.name}, and put its file into a folder of PIP_FIND_LINKS",
        )
    if any(one.operator == "===" for one in item.specifier):
        raise ProjectError(
            f"{where}: {item.name} is compared as text (===); expected a version of PEP 440",
            hint=f"write {item.name}==VERSION",
        )
    return item
