"""Import the modules inside the executable as if installed in a Python's folders.

Frozen as ``_onebin_importer`` and run before anything else. CPython's own importer of frozen
modules gives them no file: here each has ``__file__``, ``__path__`` and a loader with source,
data and resources, and its code comes from the table that the linker made (``_onebin``).
What has no code there (a folder without ``__init__``, a file that does not compile) is found
by CPython's own search of ``sys.path``, which is inside.
"""

import _frozen_importlib as bootstrap
import _frozen_importlib_external as external
import _imp
import _sitebuiltins
import builtins
import sys

import _onebin

TYPE_CHECKING = False
if TYPE_CHECKING:  # typing would cost a start 8 ms
    import types
    from typing import Any


NEVER_INSIDE = {"tkinter", "turtle", "turtledemo", "idlelib", "venv", "ensurepip"}
LEFT_OUT = "onebin: no executable has it: it needs Tk, or installs packages"
NOT_SEEN = (
    "onebin: this executable has the part of the standard library that its code was seen to "
    'import; [tool.onebin] include = ["{}"] adds this module'
)


FOLDERS = {path for path in sys.path if path.startswith(f"{sys.prefix}/")}
"""Of the standard library and of the distributions inside: which is first decided the build."""

HOOKS = [*sys.path_hooks]

PATH_FILES = "_onebin_path_files"
"""The module with the lines of .pth files, if a distribution has one."""


class SourceLoader(external.SourceFileLoader):
    """Loader of a module whose source is there."""

    def get_code(self, fullname: str) -> "types.CodeType | None":
        """Return the code of *fullname*, compiled when the executable was built."""
        if _onebin.find(fullname) is None:  # runpy gives __main__'s loader other names
            return super().get_code(fullname)
        code: types.CodeType = _onebin.code(fullname)
        return code

    def __eq__(self, other: object) -> bool:
        """Whether *other* loads the same: the spec that a search of the path finds is equal."""
        return isinstance(other, external.SourceFileLoader) and self.__dict__ == other.__dict__

    __hash__ = external.SourceFileLoader.__hash__


class CodeLoader(external.SourcelessFileLoader):
    """Loader of a module whose source was left out."""

    def get_code(self, fullname: str) -> "types.CodeType | None":
        """Return the code of *fullname*."""
        code: types.CodeType = _onebin.code(fullname)
        return code


class ExtensionLoader(external.ExtensionFileLoader):
    """Loader of a C module of a distribution, which is linked in under its own name."""

    create_module: "Any" = staticmethod(bootstrap.BuiltinImporter.create_module)
    exec_module: "Any" = staticmethod(bootstrap.BuiltinImporter.exec_module)


class Extensions:
    """Finder of the C modules of distributions, which have files as installed.

    Compiled Python (mypyc, Cython) reads ``__file__`` while a module is made, and libraries find
    data beside it.
    """

    @staticmethod
    def find_spec(fullname: str, _path: "Any" = None, _target: "Any" = None) -> "Any":
        """Return the spec of *fullname*; None if it is not such a module."""
        found = _onebin.find(fullname) if _imp.is_builtin(fullname) else None
        if found is None:
            return None
        file, _ = found
        spec = bootstrap.ModuleSpec(fullname, ExtensionLoader(fullname, file), origin=file)
        spec.has_location = True
        return spec

    @staticmethod
    def invalidate_caches() -> None:
        """Do nothing: the C modules do not change."""


class Finder:
    """Finder (PEP 451) of all modules inside."""

    @staticmethod
    def find_spec(fullname: str, path: "Any" = None, _target: "Any" = None) -> "Any":
        """Return the spec of *fullname*: of the first place on *path*, or ``sys.path``.

        None if the place of the module inside is not searched.
        """
        found = _onebin.find(fullname)
        # A hook before CPython's own is there to load these modules otherwise.
        if found is None or sys.path_hooks[: len(HOOKS)] != HOOKS:
            return None
        file, is_package = found
        folder = file.rpartition("/")[0]
        place = folder.rpartition("/")[0] if is_package else folder
        before = []
        for entry in sys.path if path is None else path:
            if entry == place:
                break
            if entry not in FOLDERS:
                before.append(entry)
        else:
            return None
        if before:
            other = external.PathFinder.find_spec(fullname, before)
            if other is not None and other.loader is not None:
                return other
        loader = (SourceLoader if file.endswith(".py") else CodeLoader)(fullname, file)
        spec = bootstrap.ModuleSpec(fullname, loader, origin=file, is_package=is_package)
        spec.has_location = True
        if is_package:
            spec.submodule_search_locations = [folder]
        return spec

    @staticmethod
    def invalidate_caches() -> None:
        """Do nothing: the files inside do not change."""


def replace_specs() -> None:
    """Give the modules that started the interpreter their files."""
    for name, module in list(sys.modules.items()):
        old = getattr(module, "__spec__", None)
        if old is None or old.loader is not bootstrap.FrozenImporter:
            continue
        spec = Finder.find_spec(name)
        if spec is None:
            continue
        module.__spec__, module.__loader__, module.__file__ = spec, spec.loader, spec.origin
        if spec.submodule_search_locations is not None:
            module.__path__ = spec.submodule_search_locations


def describe_itself() -> None:
    """Give this module a spec as well: tools read that of each imported module."""
    own = sys.modules[__name__]
    loader: Any = bootstrap.FrozenImporter
    own.__spec__ = bootstrap.ModuleSpec(__name__, loader, origin="frozen")
    own.__loader__ = loader


def add_builtins() -> None:
    """Define the names that ``site`` adds to every program (Doc/library/constants.rst)."""
    for name in ("exit", "quit"):
        setattr(builtins, name, _sitebuiltins.Quitter(name, "Ctrl-D (i.e. EOF)"))
    if _onebin.find("pydoc"):
        builtins.help = _sitebuiltins._Helper()
    builtins.copyright = _sitebuiltins._Printer("copyright", sys.copyright)
    builtins.credits = _sitebuiltins._Printer("credits", "See https://www.python.org for more.")
    builtins.license = _sitebuiltins._Printer("license", "See https://www.python.org/psf/license/")


def explain_missing() -> None:
    """Add the setting that helps to the error of an import that fails only in this executable."""
    system: Any = bootstrap
    search = system._find_and_load_unlocked

    def _find_and_load_unlocked(name: str, import_: "Any") -> "Any":
        try:
            return search(name, import_)
        except ModuleNotFoundError as error:
            top = name.partition(".")[0]
            if error.name == name and top in sys.stdlib_module_names:
                error.add_note(LEFT_OUT if top in NEVER_INSIDE else NOT_SEEN.format(name))
            raise

    # A traceback leaves the import system out by its file's name.
    own = _find_and_load_unlocked.__code__
    _find_and_load_unlocked.__code__ = own.replace(co_filename=search.__code__.co_filename)
    system._find_and_load_unlocked = _find_and_load_unlocked


def read_path_files(sitedir: str) -> None:
    """Do what ``site`` does with the .pth files of distributions (Doc/library/site.rst).

    Args:
        sitedir: Their folder; code of such files finds it by this name.
    """
    names: dict[str, Any] = {}
    paths: Any = external
    exec(_imp.get_frozen_object(PATH_FILES), names)  # noqa: S102  (as the import system does)
    failed = set()
    for file, number, line in names["LINES"]:
        if file in failed:
            continue
        try:
            if line.startswith(("import ", "import\t")):
                exec(line)  # noqa: S102  (as site does; the build has chosen the distributions)
            else:
                folder = paths._path_join(sitedir, line)
                if folder not in sys.path and paths._path_isdir(folder):
                    sys.path.append(folder)
        except Exception as error:  # noqa: BLE001  (a distribution's code must not end the program)
            failed.add(file)
            report(f"line {number} of {sitedir}/{file}", error)


def report(place: str, error: Exception) -> None:
    """Print *error* in the words of ``site``."""
    import traceback  # noqa: PLC0415  (an ordinary start does not need it)

    text = "".join(traceback.format_exception(error))
    if sys.stderr is not None:
        sys.stderr.write(f"Error processing {place}:\n\n{text}\nRemainder of file ignored\n")


sys.meta_path.insert(sys.meta_path.index(bootstrap.BuiltinImporter), Extensions)
sys.meta_path[sys.meta_path.index(bootstrap.FrozenImporter)] = Finder
replace_specs()
describe_itself()
add_builtins()
explain_missing()
if _imp.is_frozen(PATH_FILES):
    read_path_files(next(path for path in sys.path if path.endswith("/site-packages")))
