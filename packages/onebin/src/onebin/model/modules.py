"""Python modules for an executable: origin, imports, code."""

from pathlib import Path
from typing import Literal

import msgspec

ImportKind = Literal["hard", "soft", "late"]
"""Runs when its module is imported, and fails it; runs then, or may fail; runs in a function."""


class Import(msgspec.Struct, frozen=True, array_like=True, tag="import"):
    """One import statement."""

    module: str
    names: tuple[str, ...] = ()
    """Names that ``from module import …`` lists; each may be a submodule."""
    kind: ImportKind = "hard"


class Raise(msgspec.Struct, frozen=True, array_like=True, tag="raise"):
    """A ``raise`` that runs when its module is imported; nothing after it does."""

    text: str
    is_import_error: bool


class Branch(msgspec.Struct, frozen=True, array_like=True, tag="branch"):
    """Blocks of which one runs, which is known only when the program runs."""

    blocks: "tuple[Block, ...]"


class Deferred(msgspec.Struct, frozen=True, array_like=True, tag="function"):
    """The body of a function: it runs later, if at all."""

    block: "Block"


class Try(msgspec.Struct, frozen=True, array_like=True, tag="try"):
    """A ``try``, or a ``with suppress(…)``."""

    body: "Block"
    caught: "Block | None"
    """The handler of a failed import; None if that is not caught."""
    rest: "Block" = ()
    """Handlers of other exceptions, each a branch."""
    orelse: "Block" = ()
    final: "Block" = ()
    may_raise: bool = False
    """Whether ``caught`` may run although every import of the body succeeds."""


Node = Import | Raise | Branch | Deferred | Try
Block = tuple[Node, ...]
"""Statements in the order of the source, as far as they decide which imports run."""


class ComputedImport(msgspec.Struct, frozen=True, array_like=True):
    """An import whose name is made when it runs."""

    line: int
    text: str
    """The call."""


UseKind = Literal["files", "metadata", "modules", "sources", "docstrings", "interpreter"]
"""What a line uses beside imported code: see ``target/uses.py``."""


class Use(msgspec.Struct, frozen=True, array_like=True):
    """A line that needs more than code which visible imports reach."""

    line: int
    kind: UseKind
    text: str


class ModuleImports(msgspec.Struct, frozen=True):
    """The imports of one module, read from its source by ``target/imports.py``."""

    imports: Block = ()
    binds: tuple[str, ...] = ("*",)
    """Names of the module; ``*`` among them: it may have others."""
    makes: tuple[str, ...] = ()
    """Modules that it puts into ``sys.modules`` as it runs."""
    finds: tuple[str, ...] = ()
    """Modules that a finder it adds to ``sys.meta_path`` may find for its package's imports."""
    codecs: tuple[str, ...] = ()
    """Modules of ``encodings`` it names."""
    mentions: tuple[str, ...] = ()
    """Names of interest it contains; each may bring further imports."""
    names: dict[str, int] = {}
    """Texts that may name modules of the standard library, each with its first line; see
    ``target/computed.py``."""
    computed: tuple[ComputedImport, ...] = ()
    uses: tuple[Use, ...] = ()
    error: str = ""
    """Why it does not compile; empty if it does."""


class ModuleOrigin(msgspec.Struct, frozen=True):
    """Where a module comes from."""

    kind: Literal["source", "namespace", "builtin", "extension", "alias"]
    path: Path = Path()
    """Its source file, unless ``text`` is given."""
    label: str = ""
    """Its file name in tracebacks."""
    is_package: bool = False
    origin: Literal["project", "dependency", "stdlib"] = "stdlib"
    text: str | None = None
    """Its source, where no file holds it."""


class FrozenModule(msgspec.Struct, frozen=True):
    """One module's compiled code in the cache."""

    name: str
    is_package: bool
    code: Path
    """A file of marshaled code, packed as ``embed.code_packing`` describes."""
    size: int
    """Bytes of that file."""
    key: str
    """Cache key: names the code by its inputs."""
    imports: ModuleImports


class InsideFile(msgspec.Struct, frozen=True):
    """One file inside an executable."""

    path: str
    """Below the prefix: ``lib/python3.13/json/__init__.py``."""
    kind: Literal["data", "code", "extension", "interpreter"]
    """``code`` shows frozen code as a ``.pyc``; an ``extension`` is linked in, and its file empty;
    ``interpreter`` is ``sys.executable``."""
    source: Path = Path()
    """Of data: the file, unless ``text`` is given."""
    text: str | None = None
    module: str = ""
    """The module whose file it is: of code and of an extension, always."""
    sha256: str = ""
    """Lower-case hex of the contents, if they were read before."""


class OmittedModule(msgspec.Struct, frozen=True):
    """A module that is imported somewhere and is not in the executable, with the reason."""

    module: str
    importer: str
    reason: str
    chain: tuple[str, ...] = ()
    """From the module, each importing the next, to the cause: it cannot be imported by itself."""
    is_project: bool = False
    """Whether it is a module of the project, which is there and cannot be imported."""
