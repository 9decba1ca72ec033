import os
import pkgutil

__path__ = pkgutil.extend_path(__path__, __name__)
__path__.append(os.path.join(os.path.dirname(__file__), "impl"))

def main():
    from extended_path import fast
    print(fast.WHERE, fast.__name__, os.path.basename(os.path.dirname(fast.__file__)))
