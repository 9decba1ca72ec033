import os
import sys

def main():
    module = sys.modules["__main__"]
    print(module.__name__, module.__spec__, module.__package__, os.path.basename(module.__file__))
    print(sys.argv[1:], os.path.exists(sys.executable), os.access(sys.executable, os.X_OK), getattr(sys, "frozen", None))
    print(os.path.isdir(sys.prefix), __package__, __name__)
