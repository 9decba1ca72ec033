import importlib
import pkgutil
from importlib.metadata import entry_points, version

import acme.plugins
from stevedore import ExtensionManager


def main():
    print(version("acme-tool"))
    print(sorted((e.name, e.load()().area(2)) for e in entry_points(group="acme.shapes")))
    manager = ExtensionManager(namespace="acme.shapes", invoke_on_load=True)
    print(sorted((e.name, e.obj.area(3)) for e in manager))
    found = [m.name for m in pkgutil.iter_modules(acme.plugins.__path__, "acme.plugins.")]
    print(sorted(found), [importlib.import_module(n).__name__ for n in sorted(found)])
