import sys

from celery import group

from .app import app


def main():
    if sys.argv[1:2] != ["send"]:
        app.start(sys.argv[1:])  # worker, inspect, …
        return
    from .tasks import add, pid

    print(group(add.s(n, n) for n in range(10))().get(timeout=30))
    print(len(set(group(pid.s() for _ in range(20))().get(timeout=30))) >= 1)
