"""Whether each module can be imported: never, perhaps, or as far as its source shows."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from functools import cache
from itertools import chain
from typing import Final

import msgspec

from onebin.model import Import, ModuleImports, ModuleOrigin

from .control_flow import SUCCEEDS, UNKNOWN, Error, Failure, Run, fails, imports, in_order, run

TESTS: Final = frozenset({"test", "tests", "testing", "conftest"})

WhyIgnored = Callable[[str, Import, str], str]
"""(importer, import, target) -> why the target is not taken; empty if it is."""


class ImportFailure(msgspec.Struct, frozen=True):
    """Why a module cannot be imported."""

    chain: tuple[str, ...]
    """From that module, each importing the next, to the module that fails by itself."""
    missing: str = ""
    """The import of the last module that nothing provides; empty if it fails otherwise."""
    error: str = ""
    """How the last module fails, if no import does."""
    is_import_error: bool = True
    """Whether its import raises ``ImportError``, as that of a module that is not there does."""

    def __str__(self) -> str:
        return self.error or f"{self.chain[-1]} needs {self.missing}"


class Importability:
    """What becomes of each import among *origins* and the *imports* of those with source."""

    def __init__(
        self,
        origins: Mapping[str, ModuleOrigin],
        imports: Mapping[str, ModuleImports],
        why_ignored: WhyIgnored,
    ) -> None:
        self._origins, self._imports, self._why_ignored = origins, imports, why_ignored
        self.failures: dict[str, ImportFailure] = {}
        """Modules whose import must fail."""
        self._made = {
            name for maker, facts in imports.items() if not is_test(maker) for name in facts.makes
        }
        self._found = {
            (top_of(maker), name) for maker, facts in imports.items() for name in facts.finds
        }
        """Of a package: modules that its own finder may find."""
        self._doubtful = set[str]()
        """Modules whose import may raise ImportError, by their source."""
        self._decide()

    def outcomes(self, importer: str) -> Callable[[Import], Run]:
        """Return what becomes of each import in the module *importer*."""

        def outcome_of(statement: Import) -> Run:
            module, *names = targets(statement)
            return in_order(
                chain(
                    (self._of_module(statement, part, importer) for part in with_parents(module)),
                    (self._of_name(statement, name, importer) for name in names),
                )
            )

        return outcome_of

    def _of_module(self, statement: Import, target: str, importer: str) -> Run:
        """Return what becomes of *target*, the module of *statement* or a parent."""
        if target == importer or importer.startswith(f"{target}."):
            return SUCCEEDS  # imported already, at least in part
        if target in self.failures:
            return fails(Failure(statement, target), self._error(target))
        if statement.kind == "late" and self._why_ignored(importer, statement, target):
            return UNKNOWN  # the code after it may have a use without
        if target not in self._origins:
            top = top_of(target)
            may_appear = top in self._made or (top_of(importer), top) in self._found
            is_certain = not (may_appear or self._may_appear(target))
            return fails(Failure(statement, target), "import") if is_certain else UNKNOWN
        if self._why_ignored(importer, statement, target):
            return UNKNOWN
        return UNKNOWN if target in self._doubtful else SUCCEEDS

    def _of_name(self, statement: Import, submodule: str, importer: str) -> Run:
        """Return what becomes of a name in ``from module import name``."""
        module, _, name = submodule.rpartition(".")
        origin = self._origins.get(module)
        if origin is None or origin.kind not in {"source", "namespace"}:
            return SUCCEEDS  # attributes of C modules are not known, and trusted
        binds: tuple[str, ...] = ()
        if origin.kind == "source":
            binds = self._imports.get(module, ModuleImports()).binds
        is_module = submodule in self._origins
        if name in binds and (importer != module or not is_module):
            return SUCCEEDS
        if (name.startswith("__") and name.endswith("__")) or importer == submodule:
            return SUCCEEDS
        if is_module and submodule not in self.failures:
            return UNKNOWN if submodule in self._doubtful else SUCCEEDS
        may_appear = not is_module and origin.is_package and self._may_appear(submodule)
        if "*" in binds or may_appear:
            return UNKNOWN
        return fails(Failure(statement, submodule), self._error(submodule))

    def _may_appear(self, target: str) -> bool:
        """Whether a module may make its submodule *target* itself, as six does: no package."""
        parent = target.rpartition(".")[0]
        origin = self._origins.get(parent)
        if origin is None:
            return bool(parent) and self._may_appear(parent)
        if origin.origin == "project" and origin.kind == "source":
            return "*" in self._imports.get(parent, ModuleImports()).binds
        return origin.origin != "stdlib"

    def _error(self, name: str) -> Error:
        """Return what the import of a failing module raises."""
        failure = self.failures.get(name)
        return "import" if failure is None or failure.is_import_error else "other"

    def _decide(self) -> None:
        """Find the modules that fail, or may fail, to a fixed point.

        A module is decided again when a module it imports changes. That may change a module back:
        the ``else`` of a ``try`` does not run after all. Rounds are bounded, should two modules
        change each other for ever.
        """
        dependents: dict[str, set[str]] = defaultdict(set)
        for name in self._origins:
            dependents[name.rpartition(".")[0]].add(name)  # no submodule without its parent
            for statement in imports(self._imports.get(name, ModuleImports()).imports):
                for target in targets(statement):
                    for part in with_parents(target):
                        dependents[part].add(name)
        dirty = set(self._origins)
        for _ in range(len(self._origins) + 1):
            dirty = {
                other
                for name in sorted(dirty)
                if self._decide_one(name)
                for other in dependents[name]
            }

    def _decide_one(self, name: str) -> bool:
        """Decide *name* again, and return whether it has changed."""
        before = self.failures.pop(name, None), name in self._doubtful
        self._doubtful.discard(name)
        failure, is_doubtful = self._result_of(name)
        if is_doubtful:
            self._doubtful.add(name)
        if failure is None:
            return before != (None, is_doubtful)
        first = before[0]
        if first and first.is_import_error == failure.is_import_error:
            self.failures[name] = first  # in a circle each chain would go through the others
            return False
        self.failures[name] = failure
        return True

    def _result_of(self, name: str) -> tuple[ImportFailure | None, bool]:
        """Return why the import of *name* fails, and whether it may fail."""
        facts = self._imports.get(name, ModuleImports())
        parent = name.rpartition(".")[0]
        if facts.error:
            return ImportFailure((name,), error=facts.error), False
        if parent in self.failures:
            return self._through(name, parent), False
        result = run(facts.imports, self.outcomes(name), lambda _: None)
        failure = result.failure
        if failure is None:
            return None, "import" in result.errors
        if not isinstance(failure.cause, Import):
            found = ImportFailure((name,), error=f"runs: {failure.cause.text}")
        elif failure.target in self.failures:
            found = self._through(name, failure.target)
        else:
            found = ImportFailure((name,), failure.target)
        is_import_error = "import" in result.errors
        return msgspec.structs.replace(found, is_import_error=is_import_error), False

    def _through(self, name: str, next_one: str) -> ImportFailure:
        failure = self.failures[next_one]
        return msgspec.structs.replace(failure, chain=(name, *failure.chain))


def top_of(name: str) -> str:
    """Return the top-level package of the module *name*."""
    return name.partition(".")[0]


def is_test(module: str) -> bool:
    """Whether *module* is a test by its name, which may imitate modules that are not there."""
    parts = module.split(".")
    return any(part in TESTS or part.startswith("test_") for part in parts)


def targets(statement: Import) -> list[str]:
    """Return the module and the submodules that *statement* may import."""
    below = [f"{statement.module}.{name}" for name in statement.names if name != "*"]
    return [statement.module, *below]


@cache
def with_parents(name: str) -> tuple[str, ...]:
    """Return ``a``, ``a.b`` and ``a.b.c`` of ``a.b.c``."""
    parts = name.split(".")
    return tuple(".".join(parts[: n + 1]) for n in range(len(parts)))
