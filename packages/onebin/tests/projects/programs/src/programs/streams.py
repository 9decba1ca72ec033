"""Standard streams, the environment, the account."""

import os
import sys


def encodings():
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        print(stream.encoding, stream.errors, stream.name)
    print(sys.getfilesystemencoding(), sys.getfilesystemencodeerrors())


def closed_streams():
    found = [stream is None for stream in (sys.stdin, sys.stdout, sys.stderr)]
    with open("found", "w") as file:
        file.write(repr(found))
    print("to nowhere")
    sys.stdout and sys.stdout.flush()


def found_closed():
    import subprocess

    done = subprocess.run(
        [sys.executable, "-c", "import sys; sys.exit(sys.stdout is None)"], check=False
    )
    return done.returncode


def text():
    print("ä € 漢 \U0001f600")


def surrogates():
    print("\udc80")


def bytes_as_arguments(*values):
    for value in values:
        print(os.fsencode(value))


def reads():
    print(repr(sys.stdin.read()))


def reads_lines():
    for line in sys.stdin:
        print(repr(line))


def full():
    print("lost")
    sys.stdout.flush()


def full_at_end():
    sys.stdout.write("lost")


def broken_pipe():
    for _ in range(100_000):
        print("a line")


def errors_are_unbuffered():
    sys.stderr.write("part")
    os._exit(0)


def arguments(*_):
    print(os.path.basename(sys.argv[0]), sys.argv[1:])
    print(sys.flags.dev_mode, sys.flags.optimize, sys.flags.inspect, sys.dont_write_bytecode in {True, False})


def environment():
    print(sorted({*os.environ} - {"PYTHONPATH", "PYTHONCOERCECLOCALE"}))


def change_environment():
    import subprocess

    os.environ["ADDED"] = "1"
    del os.environ["REMOVED"]
    seen = subprocess.run(["env"], capture_output=True, check=True).stdout.decode().split("\n")
    print([line for line in seen if line.partition("=")[0] in {"ADDED", "REMOVED", "KEPT"}])


def home():
    for call in (lambda: os.path.expanduser("~"), lambda: __import__("pathlib").Path.home()):
        try:
            print(call())
        except Exception as exc:
            print(type(exc).__name__)


def account():
    import getpass
    import grp
    import pwd

    for call in (lambda: pwd.getpwuid(4711), lambda: grp.getgrgid(4711), getpass.getuser):
        try:
            print(call())
        except Exception as exc:
            print(type(exc).__name__)


def temporary():
    import tempfile

    def named():
        with tempfile.NamedTemporaryFile() as file:
            return os.path.dirname(file.name) == tempfile.gettempdir()

    def nameless():
        with tempfile.TemporaryFile() as file:
            return file.write(b"text")

    def in_memory():
        with tempfile.SpooledTemporaryFile(10) as file:
            return file.write(b"text")

    for call in (named, nameless, in_memory, tempfile.gettempdir):
        try:
            print(call())
        except OSError as exc:
            print(type(exc).__name__, exc)


def no_variables():
    print(sys.flags.utf8_mode in {0, 1}, os.environ.get("PYTHONSTARTUP"), os.getcwd())


def prompts():
    print(input("name? "))
