"""Names of files that no image should have: keys, credentials, and what development leaves."""

from collections.abc import Sequence
from typing import Final

_SECRETS: Final = frozenset(
    [
        ".aws",
        ".azure",
        ".docker",
        ".dockercfg",
        ".dockerconfigjson",
        ".env",
        ".bash_history",
        ".git",
        ".git-credentials",
        ".gcp",
        ".gnupg",
        ".htpasswd",
        ".kube",
        ".my.cnf",
        ".netrc",
        ".pgpass",
        ".npmrc",
        ".pypirc",
        ".ssh",
        ".vault-token",
        "id_dsa",
        "id_ecdsa",
        "id_ecdsa_sk",
        "id_ed25519",
        "id_ed25519_sk",
        "id_rsa",
    ]
)
_LEFT_OVERS: Final = frozenset([".cache", ".idea", ".svn", ".vscode", ".DS_Store", "__pycache__"])
_SAMPLES: Final = (".example", ".sample", ".template", ".dist")
_KEY_ENDINGS: Final = (".key", ".p12", ".pfx", ".jks", ".kdbx")


def is_left_over(name: str) -> bool:
    """Whether an entry called *name* is a cache or of a development tool."""
    return name in _LEFT_OVERS


def is_secret(name: str, *, is_file: bool) -> bool:
    """Whether an entry called *name* is a key or a credential, or a folder of them."""
    return name in _SECRETS or (is_file and _is_key(name))


def secret_of(parts: Sequence[str], *, is_file: bool) -> int:
    """Return how many of *parts* lead to a key or a credential; 0 if they lead to none."""
    if not _SECRETS.isdisjoint(parts):
        return next(count for count, part in enumerate(parts, start=1) if part in _SECRETS)
    return len(parts) if is_file and _is_key(parts[-1]) else 0


def _is_key(name: str) -> bool:
    # No pattern: ``.*key.*\.pem`` takes the square of a name's length, which may be 4,095.
    name = name.lower()
    if name.startswith(".env."):
        return not name.endswith(_SAMPLES)
    # The package of OpenSSH's server makes them when it is installed: all containers have one.
    if name.startswith("ssh_host_") and name.endswith("_key"):
        return True
    return name.endswith(_KEY_ENDINGS) or (name.endswith(".pem") and "key" in name[:-4])
