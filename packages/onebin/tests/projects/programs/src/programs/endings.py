"""How a process ends: its status, its last words, its handlers."""

import atexit
import os
import signal
import sys
import threading


class _Odd:
    def __str__(self):
        return "an object"


class _Broken:
    def __str__(self):
        raise ValueError("no text")


VALUES = {
    "none": None, "zero": 0, "three": 3, "text": "a text", "empty": "", "object": _Odd(),
    "large": 300, "negative": -1, "true": True, "float": 2.5, "tuple": (1, 2), "huge": 1 << 70,
    "broken": _Broken(),
}  # fmt: skip


def returned(name):
    return VALUES[name]


def exited(name):
    sys.exit(VALUES[name])


def raised_exit(name):
    raise SystemExit(VALUES[name])


def exited_in_thread():
    thread = threading.Thread(target=sys.exit, args=(3,))
    thread.start()
    thread.join()
    print("the thread ended alone")


def exited_with_several():
    raise SystemExit(1, 2)


def uncaught():
    raise LookupError("not caught")


def uncaught_chain():
    try:
        raise KeyError("first")
    except KeyError as exc:
        raise ValueError("second") from exc


def uncaught_group():
    raise ExceptionGroup("some", [ValueError("one"), TypeError("two")])


def uncaught_note():
    exc = RuntimeError("noted")
    exc.add_note("a note")
    raise exc


def uncaught_without_text():
    class Own(Exception):
        def __str__(self):
            raise RuntimeError("no text")

    raise Own


def uncaught_base():
    raise BaseException("of the base")


def uncaught_by_hook():
    sys.excepthook = lambda kind, value, _: print("hook", kind.__name__, value)
    raise ValueError("seen")


def broken_hook():
    def hook(*_):
        raise TypeError("of the hook")

    sys.excepthook = hook
    raise ValueError("first")


def interrupted():
    raise KeyboardInterrupt


def interrupted_by_signal():
    os.kill(os.getpid(), signal.SIGINT)
    print("not reached in time")
    import time

    time.sleep(5)


def interrupted_and_caught():
    try:
        os.kill(os.getpid(), signal.SIGINT)
        import time

        time.sleep(5)
    except KeyboardInterrupt:
        print("caught")
    return 4


def killed(number):
    os.kill(os.getpid(), int(number))
    import time

    time.sleep(5)


def handled():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))
    os.kill(os.getpid(), signal.SIGTERM)
    import time

    time.sleep(5)


def dispositions():
    for name in ("SIGPIPE", "SIGXFSZ", "SIGINT", "SIGTERM", "SIGHUP", "SIGCHLD"):
        print(name, signal.getsignal(getattr(signal, name)) is signal.SIG_DFL, end=" ")
    print(sorted(signal.pthread_sigmask(signal.SIG_BLOCK, [])))


def aborted():
    os.abort()


def at_once():
    print("not flushed", end="")
    os._exit(9)


def at_exit():
    atexit.register(print, "first registered")
    atexit.register(print, "last registered")
    print("body")
    return 5


def broken_at_exit():
    def fails():
        raise ValueError("in atexit")

    atexit.register(fails)
    return 0


def at_exit_of_failure():
    atexit.register(print, "atexit ran")
    raise ValueError("but failed")


def exit_in_at_exit():
    atexit.register(sys.exit, 8)


def waits_for_threads():
    def late():
        threading.main_thread().join()  # its error comes first, however slow the machine is
        print("thread done")

    threading.Thread(target=late).start()
    print("main done")


def leaves_daemons():
    def late():
        import time

        time.sleep(30)
        print("never")

    threading.Thread(target=late, daemon=True).start()
    print("main done")


def raised_in_thread():
    thread = threading.Thread(target=lambda: 1 / 0, name="worker")
    thread.start()
    thread.join()
    return 0


def deleted_badly():
    class Own:
        def __del__(self):
            raise ValueError("in del")

    Own()
    print("after")


def collected_at_end():
    class Own:
        def __del__(self):
            print("deleted")

    globals()["kept"] = Own()
