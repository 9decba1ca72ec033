"""Answers, as JSON, what a test asks of the interpreter it is frozen into."""

import asyncio
import concurrent.futures
import hashlib
import json
import os
import random
import signal
import socket
import sys
import sysconfig
import threading
import time
import traceback
import uuid
import zoneinfo


def idna():
    return ["bücher.example".encode("idna").decode(), b"xn--bcher-kva.example".decode("idna")]


def resolve():
    return socket.getaddrinfo("localhost", 80, socket.AF_INET)[0][4][0]


def hashing():
    return {
        "algorithm": sys.hash_info.algorithm,
        "sha256": hashlib.sha256(b"abc").hexdigest(),
        "blake2b": hashlib.blake2b(b"abc").hexdigest()[:16],
        "sha3": hashlib.sha3_256(b"abc").hexdigest()[:16],
        "randomized": hash("some text"),
    }


def zone():
    os.environ["TZ"] = "XYZ-3"
    time.tzset()
    return [time.tzname[0], time.localtime(0).tm_hour, time.strptime("2026", "%Y").tm_year]


def lines():
    try:
        raise ValueError("here")
    except ValueError:
        return traceback.format_exc().splitlines()


def signals():
    seen = []
    signal.signal(signal.SIGTERM, lambda number, frame: seen.append(number))
    os.kill(os.getpid(), signal.SIGTERM)
    return seen


def executor():
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        return sorted(pool.map(abs, [-2, 1]))


def loop():
    async def main():
        return await asyncio.to_thread(lambda: 7)

    return asyncio.run(main())


def deep():
    """C recursion in a thread: musl's default stack of 128 KiB ends here with a SIGSEGV."""
    result = []

    def parse():
        try:
            result.append(json.loads("[" * 900 + "]" * 900) != [])
        except RecursionError:
            result.append("RecursionError")

    thread = threading.Thread(target=parse)
    thread.start()
    thread.join()
    return result


def isolated():
    return {
        "path": sys.path,
        "flags": [sys.flags.isolated, sys.flags.ignore_environment, sys.flags.no_site],
        "utf8": sys.flags.utf8_mode,
        "stdout": sys.stdout.encoding,
        "argv": sys.argv[1:],
    }


def chance():
    return [random.random() < 1, len(uuid.uuid4().hex)]


def paths():
    return [list(zoneinfo.TZPATH)[:1], sysconfig.get_config_var("Py_GIL_DISABLED")]


def libc():
    import platform

    return [*platform.libc_ver(), platform.platform().rpartition("-with-")[2]]


def crash():
    raise RuntimeError("on purpose")


def main():
    print(json.dumps(globals()[sys.argv[1]]()))
    return 0
