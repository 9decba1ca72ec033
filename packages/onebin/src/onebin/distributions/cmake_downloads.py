"""Sources that a CMake project fetches while it is built: none of them is in a lock.

A plan refuses them by the project's own file, since a build would fail, or take any file.
Conditions count as CMake has them with its defaults. A branch counts only if the file alone
decides for it. Source: cmake-language(7), if(), option(), set(), FetchContent.
"""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from onebin.effects import files

NAME: Final = "CMakeLists.txt"

TOKEN: Final = re.compile(
    r"(?P<comment>#\[\[.*?\]\]|#[^\n]*)|\"(?P<quoted>(?:\\.|[^\"\\])*)\"|(?P<bracket>[()])"
    r"|(?P<word>[^\s()#\"]+)",
    re.DOTALL,
)

TRUE: Final = frozenset({"1", "ON", "YES", "TRUE", "Y"})
FALSE: Final = frozenset({"0", "OFF", "NO", "FALSE", "N", "IGNORE", "NOTFOUND", ""})

HERE: Final = {"WIN32": "", "APPLE": "", "MSVC": "", "MINGW": "", "ANDROID": "", "IOS": "",
               "EMSCRIPTEN": "", "CYGWIN": "", "UNIX": "1", "LINUX": "1"}  # fmt: skip
"""Variables of the platform, for Linux."""

ADDRESS: Final = re.compile(r"(?:https?|git|ssh)://\S+|git@\S+")

DECLARES: Final = frozenset({"fetchcontent_declare", "externalproject_add"})

USES: Final = frozenset({"fetchcontent_makeavailable", "externalproject_add"})

LEFT_OUT: Final = frozenset({"FIND_PACKAGE_ARGS", "EXCLUDE_FROM_ALL"})
"""With these a project may be found elsewhere, or is built on request alone."""

BODIES: Final = {"function": "endfunction", "macro": "endmacro"}
"""Bodies that run only where they are called."""

SCRIPTS: Final = frozenset({".py", ".sh", ".toml", ".cfg"})
"""Kinds of files in the top folder that run CMake, and give values of variables."""

MAX_BYTES: Final = 1 << 20
"""Of a file that is read: people write shorter ones."""


class Download(NamedTuple):
    """A download of every build."""

    file: Path
    line: int
    name: str
    address: str


class Command(NamedTuple):
    """One command of a file, its name in lower case."""

    line: int
    name: str
    words: tuple[str, ...]


def first(tree: Path) -> Download | None:
    """Return the first download of the CMake project that the build of *tree* runs."""
    scripts = [file for file in sorted(tree.iterdir()) if file.suffix in SCRIPTS]
    texts = "\n".join(map(_text, scripts))
    if "cmake" not in texts.lower() and "scikit_build_core" not in texts:
        return None
    file = tree / NAME
    if not file.is_file():
        below = [path for path in sorted(tree.glob(f"*/{NAME}")) if _names(texts, path.parent.name)]
        if len(below) != 1:
            return None
        file = below[0]
    if "FETCHCONTENT_" in texts:  # sources from elsewhere, or none
        return None
    return next(downloads(file, _text(file), texts), None)


def _names(text: str, folder: str) -> bool:
    return re.search(rf"(?<![\w.-]){re.escape(folder)}(?![\w.-])", text) is not None


def downloads(file: Path, text: str, scripts: str) -> Iterator[Download]:
    """Yield the downloads that *file* with *text* makes in all cases.

    What runs CMake, *scripts*, may give its variables other values.
    """
    branches, variables = _Branches(), _Variables(scripts)
    declared: dict[str, Download] = {}
    for line, name, words in _outside_functions(text):
        branches.follow(name, words, variables)
        if name in {"set", "option"} and words:
            variables.assign(name, words, is_certain=branches.are_taken)
        elif not branches.are_taken:
            continue
        elif name in DECLARES and words:
            address = ADDRESS.search(" ".join(words))
            if address and not LEFT_OUT.intersection(words):
                declared[words[0].lower()] = Download(file, line, words[0], address[0])
        if name in USES:
            known = (declared.get(word.lower()) for word in words)
            yield from (item for item in known if item)


class _Branches:
    """The branches of the conditions that are open."""

    def __init__(self) -> None:
        self._open: list[bool | None] = []  # whether each is taken; None where unknown
        self._earlier: list[bool | None] = []  # whether one before it was

    @property
    def are_taken(self) -> bool:
        """Whether what follows runs in all cases."""
        return all(self._open)

    def follow(self, name: str, words: Sequence[str], variables: "_Variables") -> None:
        """Go into a condition's branch, or to the next one, or out of it."""
        if name == "if":
            found = variables.value(words)
            self._open.append(found)
            self._earlier.append(found)
        elif self._open and name == "endif":
            self._open.pop()
            self._earlier.pop()
        elif self._open and name in {"elseif", "else"}:
            found, before = name == "else" or variables.value(words), self._earlier[-1]
            self._open[-1] = _both(found, None if before is None else not before)
            self._earlier[-1] = _either(before, found)


class _Variables:
    """Variables by their defaults; None where unknown."""

    def __init__(self, texts: str) -> None:
        self._texts = texts
        self._values: dict[str, str | None] = dict(HERE)

    def assign(self, command: str, words: Sequence[str], *, is_certain: bool) -> None:
        """Note what ``set`` or ``option`` gives a variable, unless a script may give another."""
        variable, *rest = words
        if command == "option":
            value = rest[1] if len(rest) > 1 else "OFF"
        else:
            value = ";".join(rest[: rest.index("CACHE")] if "CACHE" in rest else rest)
        is_given = variable in self._texts or "$" in value
        self._values[variable] = value if is_certain and not is_given else None

    def value(self, words: Sequence[str]) -> bool | None:
        """Return whether the condition *words* holds; None where unknown."""
        for operator, join in (("OR", _either), ("AND", _both)):
            if operator in words and "(" not in words:
                at = words.index(operator)
                return join(self.value(words[:at]), self.value(words[at + 1 :]))
        match words:
            case ("NOT", *rest):
                found = self.value(rest)
                return None if found is None else not found
            case (word,):
                return _constant(word if _is_constant(word) else self._values.get(word))
            case (left, "STREQUAL", right) if (known := self._values.get(left, left)) is not None:
                return known == self._values.get(right, right)
        return None


def _both(first: bool | None, second: bool | None) -> bool | None:  # noqa: FBT001  (values)
    if first is False or second is False:
        return False
    return None if first is None or second is None else True


def _either(first: bool | None, second: bool | None) -> bool | None:  # noqa: FBT001  (values)
    if first or second:
        return True
    return None if first is None or second is None else False


def _outside_functions(text: str) -> Iterator[Command]:
    end = ""
    for command in commands(text):
        if not end:
            end = BODIES.get(command.name, "")
            if not end:
                yield command
        elif command.name == end:
            end = ""


def _is_constant(word: str) -> bool:
    return word.upper() in TRUE | FALSE or word.isdigit() or word.upper().endswith("-NOTFOUND")


def _constant(value: str | None) -> bool | None:
    """Return what *value* means; a variable that the file does not set may be set elsewhere."""
    if value is None or (value and not _is_constant(value)):
        return None
    return value.upper() not in FALSE and not value.upper().endswith("-NOTFOUND") and value != "0"


def commands(text: str) -> Iterator[Command]:
    """Yield the commands of *text* in order."""
    name, line, words, depth = "", 0, list[str](), 0
    for token in TOKEN.finditer(text):
        if token["comment"] is not None:
            continue
        word = token["word"] if token["quoted"] is None else token["quoted"]
        if token["bracket"] == "(":
            depth += 1
            if depth > 1:
                words.append("(")
        elif token["bracket"] == ")":
            depth -= 1
            if depth == 0:
                yield Command(line, name.lower(), tuple(words))
                words = []
            elif depth > 0:
                words.append(")")
            depth = max(depth, 0)
        elif depth:
            words.append(word)
        else:
            name, line = word, text.count("\n", 0, token.start()) + 1


def _text(file: Path) -> str:
    try:
        if not file.is_file() or file.stat().st_size > MAX_BYTES:
            return ""
        return files.read_text(file)
    except (OSError, ValueError):
        return ""
