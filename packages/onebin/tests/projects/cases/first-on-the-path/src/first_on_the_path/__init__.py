import importlib
import importlib.machinery
import os
import sys
import tempfile

import first_on_the_path.parts

def put(folder, name, value):
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, name), "w") as file:
        file.write(f"WHERE = {value!r}\n")

def where(name):
    sys.modules.pop(name, None)
    return getattr(importlib.import_module(name), "WHERE", "not here")

class Loader(importlib.machinery.SourceFileLoader):
    def get_code(self, name):
        source = self.get_data(self.path).replace(b"inside", b"changed")
        return self.source_to_code(source, self.path)

def main():
    folder = tempfile.mkdtemp()
    put(folder, "colorsys.py", "outside")
    put(folder, "only_outside.py", "outside")
    put(os.path.join(folder, "parts"), "one.py", "outside")
    print([where(name) for name in ("colorsys", "first_on_the_path.parts.one")])
    sys.path.insert(0, folder)
    print([where(name) for name in ("colorsys", "only_outside")])
    sys.path.append(sys.path.pop(0))
    print([where(name) for name in ("colorsys", "only_outside")])
    parts = first_on_the_path.parts
    inside, outside = parts.__path__[0], os.path.join(folder, "parts")
    for path in ([outside, inside], [inside, outside], (outside,), [outside]):
        parts.__path__ = path
        print(where("first_on_the_path.parts.one"))
    parts.__path__ = [inside]
    sys.path_hooks.insert(0, importlib.machinery.FileFinder.path_hook((Loader, [".py"])))
    sys.path_importer_cache.clear()
    print(where("first_on_the_path.parts.one"))
    del sys.path_hooks[0]
    sys.path_importer_cache.clear()
    sys.path[:] = [entry for entry in sys.path if "site-packages" not in entry]
    try:
        print(where("first_on_the_path"))
    except ModuleNotFoundError as error:
        print(error)
