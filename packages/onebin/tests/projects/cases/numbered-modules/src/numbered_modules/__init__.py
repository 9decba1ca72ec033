import importlib
import pkgutil

import numbered_modules.steps

def main():
    for info in sorted(pkgutil.iter_modules(numbered_modules.steps.__path__)):
        print(info.name, importlib.import_module(f"numbered_modules.steps.{info.name}").STEP)
