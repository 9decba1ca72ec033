"""Each function needs something that no visible import reaches, and returns a text."""

import sys


def computed():
    from importlib import import_module

    return import_module("traced.parts." + "red").color()


def stdlib_by_name():
    from importlib import import_module

    return import_module({"hsv": "colorsys"}["hsv"]).rgb_to_hsv(1, 0, 0)


def c_module_by_name():
    return __import__({"c": "_statistics"}["c"])._normal_dist_inv_cdf(0.5, 1.0, 1.0)


def file_beside():
    import os

    with open(os.path.join(os.path.dirname(__file__), "data", "hello.txt")) as file:
        return file.read().strip()


def described():
    import os

    return os.path.getsize(os.path.join(os.path.dirname(__file__), "data", "deep", "size.bin"))


def listed():
    import os

    return sorted(os.listdir(os.path.join(os.path.dirname(__file__), "data", "deep")))


def resource():
    from importlib.resources import files

    return (files("traced") / "data" / "resource.txt").read_text().strip()


def version():
    from importlib.metadata import version

    return version("traced")


def plugins():
    from importlib.metadata import entry_points

    return [point.load()() for point in entry_points(group="traced.parts")]


def modules():
    from importlib import import_module
    from pkgutil import iter_modules

    parts = import_module("traced.parts")
    return sorted(
        import_module("traced.parts." + part.name).color() for part in iter_modules(parts.__path__)
    )


def source():
    import inspect

    return inspect.getsource(described).splitlines()[0]


def child():
    import subprocess

    done = subprocess.run(
        [sys.executable, "-c", "import textwrap; print(textwrap.indent('x', '- '))"],
        capture_output=True, text=True, check=True,
    )
    return done.stdout.strip()


def module_as_child():
    import subprocess

    done = subprocess.run(
        [sys.executable, "-m", "traced.parts.green"], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def square(number):
    return number * number


def pool():
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as workers:
        return list(workers.map(square, [1, 2, 3]))


def main():
    for name in sys.argv[1:]:
        print(name, globals()[name]())
