import ast
import copy
import json
import pickle
import threading

def nested(n):
    found = []
    for _ in range(n):
        found = [found]
    return found

TRIES = {
    "json": lambda: json.loads("[" * 100_000),
    "dumps": lambda: json.dumps(nested(100_000)),
    "pickle": lambda: pickle.dumps(nested(100_000)),
    "copy": lambda: copy.deepcopy(nested(100_000)),
    "repr": lambda: repr(nested(100_000)),
    "equal": lambda: nested(100_000) == nested(100_000),
}

def attempt(out):
    for name, what in TRIES.items():
        try:
            what()
            out.append(name)
        except RecursionError:
            out.append(f"{name} caught")

def main():
    first, second = [], []
    attempt(first)
    thread = threading.Thread(target=attempt, args=(second,))
    thread.start()
    thread.join()
    print(first == second, first)
