import os
import subprocess
import sys
import tempfile

def run(*words, **more):
    done = subprocess.run([sys.executable, *words], capture_output=True, text=True, check=False, **more)
    print(*words, done.returncode, done.stdout, (done.stderr.splitlines() or [""])[-1].split(": ")[-1])

def main():
    os.chdir(tempfile.mkdtemp())
    os.mkdir("package")
    for path, text in {
        "beside.py": "print(__name__, __spec__.name)",
        "package/__init__.py": "",
        "package/__main__.py": "from . import part; print(__package__, part.__name__)",
        "package/part.py": "",
    }.items():
        with open(path, "w") as file:
            file.write(text + "\n")
    for options in ((), ("-P",), ("-I",), ("-E", "-s")):
        run(*options, "-c", "import beside")
        run(*options, "-m", "beside")
        run(*options, "-m", "package")
    run("-", input="import beside")
    run("-m", "current_directory_of_children.tool", "x")
