"""Print as JSON what a program can learn of the C module that the argument names.

A program of test_builds, which runs it with an ordinary interpreter and in an executable.
"""

import importlib.machinery
import importlib.util
import inspect
import json
import pickle
import pkgutil
import sys
from pathlib import Path
from typing import Any

name = sys.argv[1]
package = name.rpartition(".")[0]
module = importlib.import_module(name)
spec = module.__spec__
assert spec is not None
assert spec.origin is not None
loader: Any = spec.loader
assert isinstance(loader, importlib.machinery.ExtensionFileLoader)
suffix = next(end for end in importlib.machinery.EXTENSION_SUFFIXES if spec.origin.endswith(end))
readers: list[Any] = [loader.get_source, loader.get_code]


def shown(path: str) -> str:
    """Return *path* from the folder of distributions on, without the interpreter's suffix."""
    return path.rpartition("site-packages/")[2].removesuffix(suffix)


json.dump(
    {
        "file": shown(str(module.__file__)),
        "exists": Path(str(module.__file__)).is_file(),
        "names": [module.__name__, module.__package__, spec.name, spec.parent],
        "origin": shown(spec.origin),
        "has location": spec.has_location,
        "cached": spec.cached,
        "loader": [module.__loader__ is loader, loader.is_package(name)],
        "its file": shown(loader.get_filename(name)),
        "source": [read(name) for read in readers],
        "pickled": pickle.loads(pickle.dumps(loader)) == loader,
        "found again": importlib.util.find_spec(name) == spec,
        "reloaded": importlib.reload(module) is module,
        "inspect": [shown(inspect.getfile(module)), inspect.getsourcefile(module)],
        "name of the file": inspect.getmodulename(str(module.__file__)) == name.rpartition(".")[2],
        "listed": sorted(item.name for item in pkgutil.iter_modules(sys.modules[package].__path__)),
    },
    sys.stdout,
)
