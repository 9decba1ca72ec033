import importlib
import pkgutil

import namespace_plugins.plugs

def main():
    found = sorted(info.name for info in pkgutil.iter_modules(namespace_plugins.plugs.__path__))
    print(found, [importlib.import_module(f"namespace_plugins.plugs.{name}").ID for name in found])
    print(sorted(info.name for info in pkgutil.walk_packages(namespace_plugins.__path__, "namespace_plugins.")))
    print(namespace_plugins.plugs.__file__, namespace_plugins.plugs.__spec__.origin)
