"""What of the environment may be shown: names always, values only of names known as harmless.

A list of names to hide would miss the next one; this is a list of names to show. There are
no fingerprints of variables: a short password can be guessed from its hash.
"""

import socket
from typing import Final

import msgspec

ALLOWED: Final = frozenset(
    "ACCESS_LOG CONTAINER DEBUG HOME HOSTNAME HOST_IP LANG LC_ALL MY_NODE_NAME"  # noqa: SIM905
    " MY_POD_NAME MY_POD_NAMESPACE NAMESPACE NODE_IP NODE_NAME PATH POD_IP POD_IPS POD_NAME"
    " POD_NAMESPACE POD_SERVICE_ACCOUNT POD_UID PORT PWD PYTHONHASHSEED PYTHONUNBUFFERED"
    " PYTHON_CPU_COUNT PYTHON_VERSION SERVICE_ACCOUNT SHLVL TERM TZ container".split()
)
SERVICE_ENDS: Final = ("_SERVICE_HOST", "_SERVICE_PORT", "_PORT")
"""Of the variables that kubelet and Docker make for services; what they hold is checked too."""
_PROTOCOLS: Final = frozenset({"tcp", "udp", "sctp"})


class Variable(msgspec.Struct, frozen=True):
    """One variable of the environment."""

    name: str
    value: str | None
    """``None``: not shown."""
    redacted: bool


def environment(
    environ: dict[str, str], allowed: frozenset[str] = frozenset()
) -> tuple[Variable, ...]:
    """List all variables by name; values of those in ``ALLOWED`` or *allowed*."""
    return tuple(_variable(name, environ[name], allowed) for name in sorted(environ))


def _variable(name: str, value: str, allowed: frozenset[str]) -> Variable:
    shown = name in allowed or (name in ALLOWED and not _has_credentials(value))
    if shown or is_service(name, value):
        return Variable(name, value, redacted=False)
    return Variable(name, None, redacted=True)


def _has_credentials(value: str) -> bool:
    return "@" in value


def is_service(name: str, value: str) -> bool:
    """Say whether a variable is a service's address, by its name and by what it holds."""
    if not (name.endswith(SERVICE_ENDS) or "_PORT_" in name or "_SERVICE_PORT_" in name):
        return False
    if value in _PROTOCOLS:
        return True
    scheme, found, rest = value.rpartition("://")
    if found and scheme not in _PROTOCOLS:
        return False
    if is_address(rest) or _is_port(rest):
        return True
    host, _, port = rest.rpartition(":")
    return is_address(host.strip("[]")) and _is_port(port)


def is_address(text: str) -> bool:
    """Say whether *text* is an IP address and nothing else."""
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            socket.inet_pton(family, text)
        except (OSError, ValueError):
            continue
        return True
    return False


def _is_port(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= len("65535")


def fingerprint(secret: bytes) -> str:
    """Return the SHA-256 of a secret too long to be guessed: a token, a key, a certificate."""
    import hashlib  # noqa: PLC0415 (a fifth of our start-up, and most reports need none)

    return hashlib.sha256(secret).hexdigest()
