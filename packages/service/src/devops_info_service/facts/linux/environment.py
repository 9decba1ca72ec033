"""Variables that may be shown: their names, and the values of those known as harmless.

There are no fingerprints of variables: a short password can be guessed from its hash.
"""

from typing import Final

import msgspec

from devops_info_service.facts.forms import VARIABLE

from .service_links import Links, read_links
from .variables import VARIABLES

NAMELESS: Final = "(withheld)"
"""Replaces the name of a variable whose name is not shown either."""


class Variable(msgspec.Struct, frozen=True):
    """One variable of the environment."""

    name: str
    value: str | None
    """``None``: not shown."""
    redacted: bool
    withheld: str | None = None
    """Why it is not shown though its name is known; ``None``: nothing is known of the name."""


def environment(
    environ: dict[str, str], allowed: frozenset[str] = frozenset(), links: Links | None = None
) -> tuple[Variable, ...]:
    """List all variables by name; values of those with the form their name claims.

    And of service links, and of *allowed*, which are the operator's choice and not checked.
    """
    shown = allowed | (links or read_links(environ)).variables
    return tuple([_variable(name, environ[name], shown) for name in sorted(environ)])


def _variable(name: str, value: str, shown: frozenset[str]) -> Variable:
    form = VARIABLES.get(name)
    if name in shown or (form and form.holds(value)):
        return Variable(name, value, redacted=False)
    if not VARIABLE.holds(name):
        return Variable(NAMELESS, None, redacted=True, withheld=f"its name is not {VARIABLE.name}")
    return Variable(name, None, redacted=True, withheld=f"not {form.name}" if form else None)
