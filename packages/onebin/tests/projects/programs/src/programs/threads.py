"""Stacks, recursion, faults."""

import sys
import threading


def deep_recursion():
    def down(depth):
        return 1 + down(depth + 1)

    try:
        down(0)
    except RecursionError as exc:
        print(type(exc).__name__)


def deep_recursion_in_thread():
    thread = threading.Thread(target=deep_recursion)
    thread.start()
    thread.join()


def raised_limit():
    sys.setrecursionlimit(20_000)

    def down(depth):
        return depth and 1 + down(depth - 1)

    print(down(15_000))


def raised_limit_in_thread():
    thread = threading.Thread(target=raised_limit)
    thread.start()
    thread.join()


def deep_repr():
    nested = []
    for _ in range(100_000):
        nested = [nested]
    try:
        repr(nested)
    except RecursionError as exc:
        print(type(exc).__name__)
    while nested:
        nested = nested.pop()


def deep_pickle():
    import pickle

    nested = []
    for _ in range(200_000):
        nested = [nested]
    try:
        pickle.dumps(nested)
    except RecursionError as exc:
        print(type(exc).__name__)


def deep_json():
    import json

    try:
        json.loads("[" * 200_000)
    except RecursionError as exc:
        print(type(exc).__name__)


def deep_compile():
    for text in ("(" * 100_000 + ")" * 100_000, "-" * 100_000 + "1", "a" + ".b" * 100_000):
        try:
            compile(text, "text", "eval")
            print("compiled")
        except (RecursionError, MemoryError, SyntaxError) as exc:
            print(isinstance(exc, Exception))


def deep_class():
    kind = object
    for n in range(2_000):
        kind = type(f"C{n}", (kind,), {})
    print(len(kind.__mro__))


def deep_regex():
    import re

    try:
        re.compile("(" * 5_000 + ")" * 5_000)
        print("compiled")
    except RecursionError as exc:
        print(type(exc).__name__)


def many_threads():
    started = threading.Barrier(65)
    threads = [threading.Thread(target=started.wait) for _ in range(64)]
    for thread in threads:
        thread.start()
    started.wait()
    for thread in threads:
        thread.join()
    print(threading.active_count())


def stack_size():
    print(threading.stack_size(1 << 20))
    thread = threading.Thread(target=print, args=("ran",))
    thread.start()
    thread.join()


def sort_in_thread():
    thread = threading.Thread(
        target=lambda: print(sorted(range(100_000), key=lambda n: -n)[0])
    )
    thread.start()
    thread.join()


def fault():
    import faulthandler

    faulthandler.enable()
    faulthandler._sigsegv()


def fault_later():
    import faulthandler
    import time

    faulthandler.dump_traceback_later(0.2, exit=True)
    time.sleep(20)


def dump_on_signal():
    import faulthandler
    import os
    import signal

    faulthandler.register(signal.SIGUSR1)
    os.kill(os.getpid(), signal.SIGUSR1)
    print("goes on")


def locals_of_threads():
    own = threading.local()
    own.value = 1
    thread = threading.Thread(target=lambda: print(hasattr(own, "value")))
    thread.start()
    thread.join()


def context_of_asyncio():
    import asyncio

    async def run():
        return await asyncio.to_thread(lambda: threading.current_thread() is not None)

    print(asyncio.run(run()))


def subinterpreters():
    import _thread

    print(_thread.get_ident() == threading.get_ident(), threading.main_thread().name)
