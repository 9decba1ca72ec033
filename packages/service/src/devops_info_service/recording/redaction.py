"""The part of each file and variable that a recording keeps: a report may show it, by one gate.

Files of the kernel are kept. Every other file was written by a user: of those, only text of the
form that its reader shows (``facts.forms``). The rest becomes ``(withheld)``, which has no form.
"""

import re
from collections.abc import Callable, Mapping
from typing import Final

from devops_info_service.facts.container.node_processes import is_of_node
from devops_info_service.facts.container.volumes import HOSTS_MARK
from devops_info_service.facts.fact import AROUND
from devops_info_service.facts.forms import (
    DOMAIN,
    ENGINE,
    LABEL,
    OPTION,
    PATH,
    SERVER,
    Form,
    is_address,
)
from devops_info_service.facts.kubernetes.claims import DIRECTORY, without_secrets
from devops_info_service.facts.kubernetes.downward import without_values
from devops_info_service.facts.lines import lines
from devops_info_service.facts.linux.environment import environment
from devops_info_service.facts.linux.resolver import C_SPACES, RESOLV_CONF
from devops_info_service.facts.linux.sandbox import marks_of

WITHHELD: Final = "(withheld)"
_KERNELS: Final = ("/proc/", "/sys/")
_RESOLVER: Final = frozenset({"nameserver", "search", "domain", "options"})
_BLANKS: Final = re.compile(r"([ \t]+)")
_NUMBERED: Final = re.compile(r"(?:ndots|timeout|attempts):[\n\v\f\r]*[-+]?[0-9]{0,12}")
"""Options that count although a number ends in other text, as atoi(3) reads it."""
_OPEN: Final = re.compile(r"(?:ndots|timeout|attempts):[\n\v\f\r]*")
_NUMBER: Final = re.compile(r"[\n\v\f\r]*[-+]?[0-9]{1,12}")
"""Such an option whose number is the next word, since atoi(3) skips blanks; and that number."""
_USER: Final = re.compile(r"(//|[ ,=])[^/@ ,=]+@")
"""Before the name of a server, in the source or the options of a mount: a user and a password."""


def redact_environment(
    environ: Mapping[str, str], shown: frozenset[str]
) -> tuple[dict[str, str], list[str]]:
    """Return the variables with the values a report shows, and those it does not, as ``$NAME``."""
    kept: dict[str, str] = {}
    redacted: list[str] = []
    names = sorted(environ)
    for name, variable in zip(names, environment(dict(environ), shown), strict=True):
        value = environ[name]
        if name in {"LOCALDOMAIN", "RES_OPTIONS"}:
            kept[name] = _words(value)
        elif variable.value is not None or not value:
            kept[name] = value
        elif variable.name == name:
            kept[name] = WITHHELD
        else:
            kept[f"{WITHHELD} {len(redacted)}"] = WITHHELD
        if kept.get(name) != value:
            redacted.append(f"${variable.name}")
    return kept, redacted


def redact_file(path: str, data: bytes, *, is_harmless: bool) -> bytes:
    """Return what may be kept of *data*; *is_harmless*: the report shows it."""
    redact = _of(path)
    if redact is None and path.startswith(_KERNELS):
        return data
    text = data.decode("utf-8", "backslashreplace")
    if redact is None:
        redact = without_values if path.endswith("/annotations") else str
        if not is_harmless:
            return WITHHELD.encode()
    found = redact(text)
    return data if found == text else found.encode()


def redact_name(directory: str, name: str) -> str:
    """Return the *name* of an entry, unless it may be a secret itself."""
    is_kernels = f"{directory}/".startswith((*_KERNELS, "/dev/"))
    return name if is_kernels or PATH.holds(f"/{name}") else WITHHELD


def _of(path: str) -> Callable[[str], str] | None:
    if path.startswith("/proc/") and path.endswith("/comm"):
        return lambda text: text if is_of_node(text.removesuffix("\n")) else ""
    return _FILES.get(path)


def _hosts(text: str) -> str:
    # Its first line alone is read: kubelet's mark.
    first = text.partition("\n")[0]
    return f"{first}\n" if first.startswith(HOSTS_MARK) else f"# {WITHHELD}\n"


def _resolver(text: str) -> str:
    return "".join([f"{_resolver_line(line)}\n" for line in lines(text)])


def _resolver_line(line: str) -> str:
    line = line.partition("\0")[0]
    keyword = line.replace("\t", " ").partition(" ")[0]
    return keyword + _words(line[len(keyword) :]) if keyword in _RESOLVER else ""


def _words(text: str) -> str:
    kept: list[str] = []
    is_number = False
    for part in _BLANKS.split(text):
        if part.strip(C_SPACES):
            word = _word(part)
            if is_number and word != part and (number := _NUMBER.match(part)):
                word = f"{number[0]}{WITHHELD}"
            is_number = _OPEN.fullmatch(part) is not None
            kept.append(word)
        else:
            kept.append(part)
    return "".join(kept)


def _word(word: str) -> str:
    bare = word.removeprefix(".").removesuffix(".")
    if not bare or DOMAIN.holds(bare) or SERVER.holds(word) or OPTION.holds(word):
        return word
    if number := _NUMBERED.match(word):
        return word if number.end() == len(word) else f"{number[0]}{WITHHELD}"
    address = word.partition("%")[0]
    return address if is_address(address) else WITHHELD


def _certificate(text: str) -> str:
    begin, end = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
    _, begun, rest = text.partition(begin)
    body, ended, _ = rest.partition(end)
    return f"{begin}{body}{end}\n" if begun and ended else WITHHELD


def _whole(text: str, form: Form) -> str:
    """Return *text* if all of it is of *form*, as ``File.parse`` sees it."""
    return text if form.holds(text.strip(AROUND)) else WITHHELD


def _mounts(text: str) -> str:
    return _USER.sub(rf"\1{WITHHELD}@", text) if "@" in text else text


_FILES: Final[Mapping[str, Callable[[str], str]]] = {
    "/etc/hosts": _hosts,
    RESOLV_CONF: _resolver,
    "/proc/cmdline": marks_of,
    "/proc/self/mountinfo": _mounts,
    "/run/systemd/container": lambda text: _whole(text, ENGINE),
    f"{DIRECTORY}/token": without_secrets,
    f"{DIRECTORY}/namespace": lambda text: _whole(text, LABEL),
    f"{DIRECTORY}/ca.crt": _certificate,
}
"""Files that a report reads in part -> that part."""
