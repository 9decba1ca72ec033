from . import _c


def main():
    with open("/proc/self/cmdline") as file:
        kernel = file.read().split("\0")[:-1]
    print(_c.arguments() == kernel, kernel[-2:])
