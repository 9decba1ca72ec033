from . import _c, _many

def main():
    print(_c.__name__, _c.__package__, _c.__spec__.name, _c.value())
    print(_c.value.__module__, _many.__name__)
