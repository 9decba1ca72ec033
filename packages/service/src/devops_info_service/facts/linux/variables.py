"""Variables whose values may be shown unasked: each has a name that claims exactly one form."""

from typing import Final

from devops_info_service.facts.fact import Fact
from devops_info_service.facts.forms import (
    ADDRESS,
    ADDRESSES,
    CPU_COUNT,
    ENGINE,
    LABEL,
    LOCALE,
    NAME,
    PATH,
    PATHS,
    SWITCH,
    TERM,
    UUID,
    VERSION,
    ZONE,
    Form,
    is_number,
)

VARIABLES: Final[dict[str, Form]] = {
    "ACCESS_LOG": SWITCH,
    "CONTAINER": LABEL,
    "DEBUG": SWITCH,
    "HOME": PATH,
    "HOSTNAME": NAME,
    "HOST_IP": ADDRESS,
    "LANG": LOCALE,
    "LC_ALL": LOCALE,
    "MY_NODE_NAME": NAME,
    "MY_POD_IP": ADDRESS,
    "MY_POD_NAME": NAME,
    "MY_POD_NAMESPACE": LABEL,
    "MY_POD_SERVICE_ACCOUNT": NAME,
    "MY_POD_UID": UUID,
    "NAMESPACE": LABEL,
    "K8S_NODE_NAME": NAME,
    "NODE_IP": ADDRESS,
    "NODE_NAME": NAME,
    "PATH": PATHS,
    "POD_IP": ADDRESS,
    "POD_IPS": ADDRESSES,
    "POD_NAME": NAME,
    "POD_NAMESPACE": LABEL,
    "POD_SERVICE_ACCOUNT": NAME,
    "POD_UID": UUID,
    "PORT": Form("a port number", lambda text: is_number(text, 0, 65535)),
    "PWD": PATH,
    "PYTHONHASHSEED": Form(
        "random or a number", lambda text: text == "random" or is_number(text, 0, 2**32 - 1)
    ),
    "PYTHONUNBUFFERED": SWITCH,
    "PYTHON_CPU_COUNT": Form(
        "a number of CPUs", lambda text: text == "default" or CPU_COUNT.holds(text)
    ),
    "PYTHON_VERSION": VERSION,
    "SERVICE_ACCOUNT": NAME,
    "SHLVL": Form("a depth of shells", lambda text: is_number(text, 0, 99)),
    "TERM": TERM,
    "TZ": ZONE,
    "container": ENGINE,
}
"""Every variable whose value may be shown unasked, and the form its name claims. A list of names
to hide would miss the next one."""


def variable(environ: dict[str, str], name: str) -> Fact[str] | None:
    """Return the variable *name*, one of ``VARIABLES``; ``None`` if it is not set or empty."""
    value = environ.get(name)
    return VARIABLES[name].fact(value, "environment", name) if value else None
