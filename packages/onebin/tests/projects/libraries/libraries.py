"""Answers of modules over C libraries in an executable; one fact per command, as JSON."""

import json
import sys


def tls():
    """Return what a handshake with a private authority agrees on; the refusal of a wrong name."""
    import socket
    import ssl
    import threading

    folder, authority = sys.argv[2], ssl.create_default_context(cafile=f"{sys.argv[2]}/ca.pem")
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(f"{folder}/server.pem")
    server.set_alpn_protocols(["h2", "http/1.1"])
    authority.set_alpn_protocols(["h2"])

    def once(context, name):
        near, far = socket.socketpair()

        def serve():
            try:
                with server.wrap_socket(far, server_side=True) as secure:
                    secure.sendall(b"hello")
            except OSError:
                pass

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            with context.wrap_socket(near, server_hostname=name) as secure:
                said = secure.recv(5).decode()
                return [secure.version(), secure.selected_alpn_protocol(), said]
        except ssl.SSLError as exc:
            return type(exc).__name__
        finally:
            near.close()
            thread.join()

    stranger = ssl.create_default_context()
    return [once(authority, "localhost"), once(authority, "other"), once(stranger, "localhost")]


def trust():
    """Return where roots of trust are taken from."""
    import ssl

    paths = ssl.get_default_verify_paths()
    return [paths.openssl_cafile, paths.cafile, len(ssl.create_default_context().get_ca_certs())]


def hashes():
    """Return OpenSSL's own functions, and both halves' word for the same hash."""
    import hashlib

    return [
        hashlib.pbkdf2_hmac("sha256", b"p", b"s", 1).hex()[:16],
        hashlib.scrypt(b"p", salt=b"s", n=2, r=8, p=1, dklen=8).hex(),
        hashlib.new("sha512_256", b"abc").hexdigest()[:16],
        hashlib.sha256(b"abc").hexdigest()[:16],
    ]


def sqlite():
    """Return what full-text search, JSON, R*Tree and a file answer."""
    import os
    import sqlite3
    import tempfile

    with tempfile.TemporaryDirectory() as folder, sqlite3.connect(f"{folder}/a.db") as data:
        data.execute("create virtual table docs using fts5(text)")
        data.executemany("insert into docs values (?)", [("static binary",), ("dynamic",)])
        found = data.execute("select text from docs where docs match 'bin*'").fetchall()
        json_ = data.execute("""select json_extract('{"a": [1, 2]}', '$.a[1]')""").fetchone()
        data.execute("create virtual table box using rtree(id, low, high)")
        data.create_function("twice", 1, lambda x: 2 * x)
        twice = data.execute("select twice(21), sqrt(16.0)").fetchone()
        data.commit()
        dump = len(list(data.iterdump())) > 0
        return [found[0][0], json_[0], list(twice), dump, os.path.exists(f"{folder}/a.db")]


def foreign():
    """Return what C functions answer, a callback of ours among them."""
    import ctypes
    import ctypes.util

    libc = ctypes.CDLL(None)

    class Pair(ctypes.Structure):
        _fields_ = [("low", ctypes.c_uint16, 4), ("rest", ctypes.c_uint16, 12), ("d", ctypes.c_double)]

    compare = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_int), ctypes.POINTER(ctypes.c_int))
    numbers = (ctypes.c_int * 5)(5, 1, 4, 2, 3)
    libc.qsort(numbers, 5, 4, compare(lambda a, b: a[0] - b[0]))
    text = ctypes.create_string_buffer(32)
    libc.snprintf(text, 32, b"%d %.2f", 7, ctypes.c_double(2.5))
    version = ctypes.pythonapi.Py_GetVersion
    version.restype = ctypes.c_char_p
    error = ctypes.py_object.in_dll(ctypes.pythonapi, "PyExc_KeyError").value
    again = ctypes.CDLL(ctypes.util.find_library("c"))
    again.strtod.restype = ctypes.c_double
    try:
        ctypes.CDLL("libssl.so.3")
    except OSError as exc:
        refused = str(exc)
    try:
        libc.no_such_function
    except AttributeError as exc:
        unknown = str(exc)
    return [
        list(numbers), text.value.decode(), version().decode().split()[0] == sys.version.split()[0],
        error.__name__, again.strtod(b"1.5", None), Pair(3, 9, 1.0).rest, refused, unknown,
    ]


def packed():
    """Return whether each compressor gives back what it was given."""
    import bz2
    import lzma
    import zlib

    data = b"onebin " * 1000
    small = [
        len(codec.compress(data)) < 200 and codec.decompress(codec.compress(data)) == data
        for codec in (bz2, lzma, zlib)
    ]
    return small


def terminal():
    """Return a terminal's facts without a terminfo database, and which line editor is there."""
    import curses
    import curses.panel
    import os
    import readline

    curses.setupterm("xterm-256color", os.open("/dev/null", os.O_WRONLY))
    readline.add_history("line")
    return [
        curses.tigetnum("colors"), curses.tparm(curses.tigetstr("cup"), 1, 2).decode("latin-1"),
        curses.panel.version, readline.backend, readline.get_history_item(1),
    ]


def text():
    """Return what needs large tables, or another module of C."""
    import decimal
    import unicodedata
    import xml.etree.ElementTree as tree
    import locale

    return [
        str(decimal.Decimal(1) / 7), decimal.__name__ and decimal.HAVE_THREADS,
        unicodedata.name("ß"), tree.fromstring("<a><b>c</b></a>").find("b").text,
        "日本".encode("shift_jis").hex(), "ab".encode("utf-16-be").hex(), locale.getpreferredencoding(),
    ]


def wait():
    """Use a callback of C, and wait for the end of input."""
    foreign()
    print("ready", flush=True)
    sys.stdin.read()


def main():
    """Print the answer to the fact named first."""
    print(json.dumps(globals()[sys.argv[1]]()))
