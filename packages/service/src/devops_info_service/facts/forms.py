"""The one gate: a value of the environment or of a container's file is shown for its form alone.

A form is the syntax that a place claims for its value. A value of another form is withheld, with
the form as the reason and never with the value: not in a response, not in a message. A short
password may have the form of a name, so the place must claim exactly that form as well:
``variables`` has those of variables, ``downward`` those of files.

Sources: RFC 1123, section 2.1, and RFC 4122; Kubernetes, "Object Names and IDs" and "Labels and
Selectors"; apimachinery, resource.Quantity.
"""

import socket
import string
from collections.abc import Callable
from typing import Final

import msgspec

from .fact import WITHHELD, Evidence, Fact, Known, Unknown

MAX_LABEL: Final = 63
"""Characters of a label of a name (RFC 1035, section 2.3.4), and of a label's value."""
MAX_NAME: Final = 253
"""Characters of a name (RFC 1123 with the dots, as Kubernetes counts)."""
MAX_UNBROKEN: Final = 23
"""Letters and digits in a row, with at least one digit: the hashes in generated names have at
most 12, a key of 128 bits has 32 in hexadecimal digits, 26 in base 32 and 22 in base 64, where
letters are of both cases and make no name of Kubernetes anyway."""
MAX_PATH: Final = 256
"""Characters of a path that is shown."""
MAX_LIST: Final = 32
"""Parts of a list that is shown: a PATH has about ten."""
MAX_CPUS: Final = 8192
"""As ``parse.MAX_CPUS``."""

_LOWER: Final = frozenset(string.ascii_lowercase + string.digits)
_WORD: Final = frozenset(string.ascii_letters + string.digits)
_HEX: Final = frozenset("0123456789abcdef")
_UUID_STEPS: Final = [8, 4, 4, 4, 12]


class Form(msgspec.Struct, frozen=True):
    """The syntax of a value."""

    name: str
    """With its article: ``not`` goes before it in a reason."""
    holds: Callable[[str], bool]

    def parse(self, text: str) -> str:
        """Return *text*; ValueError if it has another form."""
        if not self.holds(text):
            raise ValueError(self.name)
        return text

    def fact(self, text: str, file: str, field: str = "") -> Fact[str]:
        """Return *text* as a fact seen in *field* of *file*, or that it is withheld."""
        if self.holds(text):
            return Known(text, (Evidence(file, field, text),))
        return Unknown(f"{field or 'the value'} in {file} {WITHHELD}: not {self.name}")


def is_key_like(text: str) -> bool:
    """Return whether a run of letters and digits is too long for anything but a key or a hash."""
    length, digits = 0, False
    for character in text:
        if character not in _WORD:
            length, digits = 0, False
            continue
        length += 1
        digits |= character.isdigit()
        if length > MAX_UNBROKEN and digits:
            return True
    return False


def _is_label(text: str) -> bool:
    return (
        0 < len(text) <= MAX_LABEL
        and not set(text) - _LOWER - {"-"}
        and text[0] != "-" != text[-1]
        and not is_key_like(text)
    )


def _is_name(text: str) -> bool:
    return len(text) <= MAX_NAME and all(map(_is_label, text.split(".")))


def _is_domain(text: str) -> bool:
    # With the underscores of service records, and without the root's dot.
    return len(text) <= MAX_NAME and all(
        0 < len(part) <= MAX_LABEL and not set(part) - _LOWER - set("-_") and not is_key_like(part)
        for part in text.split(".")
    )


def _is_uuid(text: str) -> bool:
    parts = text.split("-")
    return list(map(len, parts)) == _UUID_STEPS and not set("".join(parts)) - _HEX


def _is_uid(text: str) -> bool:
    # Of a static pod it is an MD5 sum without dashes. Only kubelet's own paths may claim that.
    return _is_uuid(text) or (len(text) == sum(_UUID_STEPS) and not set(text) - _HEX)


def is_address(text: str) -> bool:
    """Return whether *text* is an IP address and nothing else."""
    family = socket.AF_INET6 if ":" in text else socket.AF_INET
    try:
        socket.inet_pton(family, text)
    except (OSError, ValueError):
        return False
    return True


def _is_server(text: str) -> bool:
    # A link-local address is followed by its interface.
    address, percent, interface = text.partition("%")
    return is_address(address) and (not percent or _is_term(interface))


def _are_addresses(text: str) -> bool:
    parts = text.split(",")
    return len(parts) <= MAX_LIST and all(map(is_address, parts))


def is_number(text: str, low: int, high: int) -> bool:
    """Return whether *text* is a number without decoration: no sign, no zero before a digit."""
    if not (text.isascii() and text.isdigit()) or len(text) > len(str(high)):
        return False
    return low <= int(text) <= high and (text[0] != "0" or text == "0")


def is_port(text: str) -> bool:
    """Return whether *text* is a port that something can listen on."""
    return is_number(text, 1, 65535)


def _is_quantity(text: str) -> bool:
    number = text.rstrip("EPTGMKikmun")
    whole, _, fraction = number.partition(".")
    suffixes = {"", "n", "u", "m", "k", *"MGTPE", *(f"{unit}i" for unit in "KMGTPE")}
    return (
        text[len(number) :] in suffixes
        and is_number(whole, 0, 2**63 - 1)
        and (not fraction or is_number(fraction.lstrip("0") or "0", 0, 10**9))
    )


def _is_switch(text: str) -> bool:
    return text.lower() in {"0", "1", "true", "false", "yes", "no", "on", "off"}


def _is_term(text: str) -> bool:
    return (
        0 < len(text) <= 32  # noqa: PLR2004 (the longest names of terminfo have some 30)
        and not set(text) - _LOWER - set("-+._")
        and not is_key_like(text)
    )


def _is_option(text: str) -> bool:
    name, colon, number = text.partition(":")
    return (
        0 < len(name) <= len("single-request-reopen")
        and not set(name) - _LOWER - set("-_")
        and (not colon or is_number(number, 0, 9999))
    )


def _is_path(text: str) -> bool:
    return (
        text.startswith("/")
        and len(text) <= MAX_PATH
        and not set(text) - _WORD - set("/-+._~ ")
        and not is_key_like(text)
    )


def _are_paths(text: str) -> bool:
    parts = text.split(":")
    return (
        bool(text) and len(parts) <= MAX_LIST and all(not part or _is_path(part) for part in parts)
    )


_AREAS: Final = (
    " Africa America Antarctica Arctic Asia Atlantic Australia Brazil Canada Chile Etc Europe"
    " Indian Mexico Pacific US "
)
_ZONES: Final = (
    " CET CST6CDT EET EST EST5EDT GB GMT HST MET MST MST7MDT NZ PRC PST8PDT ROC ROK UCT UTC WET"
    " Greenwich Universal Zulu Cuba Egypt Eire Hongkong Iceland Iran Israel Jamaica Japan Libya"
    " Poland Portugal Singapore Turkey "
)
"""Of the time zone database; a zone of one word that is not here is any word."""


def _is_zone(text: str) -> bool:
    # Area/City, not POSIX's rules of a summer time: those could be any text.
    parts = text.split("/")
    if f" {parts[0]} " not in (_AREAS if len(parts) > 1 else _ZONES):
        return False
    return (
        len(parts) <= 3  # noqa: PLR2004 (America/Argentina/Ushuaia)
        and all(
            part[:1].isalpha() and len(part) <= len("ComodRivadavia") and _is_term(part.lower())
            for part in parts
        )
    )


def _is_locale(text: str) -> bool:
    # language[_TERRITORY][.charset][@modifier], each short.
    rest, _, modifier = text.partition("@")
    rest, _, charset = rest.partition(".")
    language, _, territory = rest.partition("_")
    return (
        0 < len(language) <= len("POSIX")
        and language.isalpha()
        and len(territory) <= len("419")
        and len(charset) <= len("ISO-8859-15")
        and len(modifier) <= len("valencia")
        and not set(text) - _WORD - set("@._-")
    )


def _is_version(text: str) -> bool:
    parts = text.split(".")
    return len(parts) <= 4 and all(is_number(part, 0, 999) for part in parts)  # noqa: PLR2004


def _is_variable(text: str) -> bool:
    # Of POSIX, and Kubernetes' dots and dashes. A line of a key that got into an env file with no
    # "=" before it, or only its padding, is a name to the engine.
    return (
        0 < len(text) <= MAX_NAME
        and not set(text) - _WORD - set("_.-")
        and not text[0].isdigit()
        and not is_key_like(text)
    )


def _is_label_part(text: str) -> bool:
    return (
        0 < len(text) <= MAX_LABEL
        and not set(text) - _WORD - set("-_.")
        and {text[0], text[-1]} <= _WORD
    )


def _is_label_key(text: str) -> bool:
    prefix, slash, name = text.rpartition("/")
    return _is_label_part(name) and not is_key_like(name) and (not slash or _is_name(prefix))


def _is_issuer(text: str) -> bool:
    # Tokens out of Secrets have this word, all others a URL: no user, no query.
    scheme, found, rest = text.partition("://")
    authority, _, path = rest.partition("/")
    host, _, port = authority.partition(":")
    return text == "kubernetes/serviceaccount" or (
        bool(found)
        and scheme in {"http", "https"}
        and _is_domain(host)
        and (not port or is_port(port))
        and (not path or set(path) <= _WORD | set("/-._~"))
        and len(path) <= MAX_PATH
    )


def _is_audience(text: str) -> bool:
    # Names of APIs and of clusters, most of them URLs; SPIFFE and others have their own schemes.
    # Google Cloud writes //iam.googleapis.com/...
    scheme, found, rest = text.partition("//")
    if not found:
        return _is_name(text)
    host, _, path = rest.partition("/")
    return (
        (not scheme or (scheme.isascii() and scheme[:-1].isalpha() and scheme[-1] == ":"))
        and _is_issuer(f"https://{host}/{path}")
        and not is_key_like(text)
    )


def _is_subject(text: str) -> bool:
    words = text.split(":")
    return (
        len(words) == 4  # noqa: PLR2004 (system:serviceaccount:NAMESPACE:NAME)
        and words[:2] == ["system", "serviceaccount"]
        and _is_label(words[2])
        and _is_name(words[3])
    )


LABEL: Final = Form("an RFC 1123 label", _is_label)
NAME: Final = Form("an RFC 1123 name", _is_name)
DOMAIN: Final = Form("a domain name", _is_domain)
UUID: Final = Form("a UUID", _is_uuid)
UID: Final = Form("a pod's uid", _is_uid)
ADDRESS: Final = Form("an IP address", is_address)
SERVER: Final = Form("an IP address", _is_server)
QUANTITY: Final = Form("a Kubernetes quantity", _is_quantity)
LABEL_KEY: Final = Form("a label's key", _is_label_key)
LABEL_VALUE: Final = Form("a label's value", lambda text: not text or _is_label_part(text))
VARIABLE: Final = Form("the name of a variable", _is_variable)
ISSUER: Final = Form("an issuer's URL", _is_issuer)
AUDIENCE: Final = Form("a name or URL of an audience", _is_audience)
SUBJECT: Final = Form("the subject of a service account", _is_subject)
CPU_COUNT: Final = Form("a number of CPUs", lambda text: is_number(text, 1, MAX_CPUS))
OPTION: Final = Form("an option of the resolver", _is_option)
ADDRESSES: Final = Form("a list of IP addresses", _are_addresses)
LOCALE: Final = Form("a locale", _is_locale)
PATH: Final = Form("an absolute path", _is_path)
SWITCH: Final = Form("a switch such as true or 0", _is_switch)
PATHS: Final = Form("a list of absolute paths", _are_paths)
TERM: Final = Form("the name of a terminal", _is_term)
ENGINE: Final = Form("the name of an engine", _is_term)
VERSION: Final = Form("a version", _is_version)
ZONE: Final = Form("a time zone such as Europe/Berlin", _is_zone)
