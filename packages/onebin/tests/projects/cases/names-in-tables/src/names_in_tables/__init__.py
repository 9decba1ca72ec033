import importlib
import json
import pathlib
import pkgutil
import subprocess
import sys

PARSERS = {"csv": "csv:reader", "html": "html.parser:HTMLParser"}
CODE = "import fractions; print(fractions.Fraction(1, 3))"

def load(name):
    module, _, attribute = name.partition(":")
    found = importlib.import_module(module)
    return getattr(found, attribute) if attribute else found

def main():
    for key, name in PARSERS.items():
        print(key, load(name).__name__)
    settings = json.loads(pathlib.Path(__file__).with_name("settings.json").read_text())
    print(load(settings["queue"]).__name__, pkgutil.resolve_name(settings["mean"])([1, 3]))
    print(__import__("%s.%s" % ("xml", "sax")).sax.__name__)
    sys.stdout.flush()
    for words in (("-c", CODE), ("-m", "json.tool", "-h"), ("-m", "timeit", "-h")):
        done = subprocess.run([sys.executable, *words], capture_output=True, text=True, check=True)
        print(words[0], done.stdout.split()[0])
