"""Settings of uv as those of pip, which fetches: a team sets its index once, for the tool it uses.

Sources: environment variables of uv; of pip, ``PIP_`` and the name of an option.
"""

import re
import urllib.parse
from collections.abc import Mapping, Sequence
from typing import Final

FALSE: Final = frozenset({"", "0", "false", "no", "off", "n", "f"})

SAME: Final[Mapping[str, Sequence[str]]] = {
    "PIP_INDEX_URL": ("UV_DEFAULT_INDEX", "UV_INDEX_URL"),
    "PIP_EXTRA_INDEX_URL": ("UV_INDEX", "UV_EXTRA_INDEX_URL"),
    "PIP_FIND_LINKS": ("UV_FIND_LINKS",),
    "PIP_TRUSTED_HOST": ("UV_INSECURE_HOST",),
    "PIP_NO_INDEX": ("UV_NO_INDEX", "UV_OFFLINE"),
}
"""A variable of pip, and those of uv that mean the same; the first that is set counts."""


def of_uv(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of pip that *environ* lacks and uv's variables there give."""
    found: dict[str, str] = {}
    for name, names in SAME.items():
        value = next((environ[other] for other in names if environ.get(other)), "")
        if not value or name in environ:
            continue
        if name == "PIP_NO_INDEX":
            if value.lower() not in FALSE:
                found[name] = "1"
        elif name == "PIP_FIND_LINKS":
            found[name] = " ".join(part.strip() for part in value.split(","))
        else:
            found[name] = " ".join(_address(word, environ) for word in value.split())
    return found


def _address(word: str, environ: Mapping[str, str]) -> str:
    """Return the address of an index, ``name=https://…`` or without a name, with its password."""
    name, mark, address = word.partition("=")
    if not mark or not re.fullmatch(r"[\w.-]+", name):
        return word
    variable = "UV_INDEX_" + re.sub(r"[^A-Z0-9]", "_", name.upper())
    user, password = (environ.get(f"{variable}_{part}", "") for part in ("USERNAME", "PASSWORD"))
    try:
        parts = urllib.parse.urlsplit(address)
    except ValueError:
        return address  # pip has the words for it
    if not (user or password) or "@" in parts.netloc:
        return address
    quoted = ":".join(urllib.parse.quote(part, safe="") for part in (user, password))
    return urllib.parse.urlunsplit(parts._replace(netloc=f"{quoted}@{parts.netloc}"))
