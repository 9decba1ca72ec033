import importlib
import importlib.util
import inspect
import linecache
import os
import sys

class Shape:
    # a comment
    sides = 3

def main():
    spec = importlib.util.find_spec("own_sources.part")
    print(os.path.basename(spec.origin), spec.has_location, spec.loader.get_source("own_sources.part").strip())
    print(inspect.getsource(Shape), end="")
    print(os.path.basename(inspect.getfile(Shape)), inspect.getmodule(sys._getframe()).__name__)
    print(linecache.getline(__file__, 1 + Shape.__firstlineno__ if hasattr(Shape, "__firstlineno__") else 9).strip())
    import own_sources.part
    print(importlib.reload(own_sources.part) is own_sources.part, own_sources.part.__cached__.endswith(".pyc"))
    print(os.path.isfile(os.__file__), os.path.isdir(own_sources.__path__[0]), sys.modules["__main__"].__spec__)
