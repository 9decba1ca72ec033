import contextlib
import cProfile
import io
import os
import subprocess
import sys
import tempfile

def work():
    return sum(range(10))

def main():
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        profiler = cProfile.Profile()
        profiler.runcall(work)
        profiler.print_stats("name")
    print([line.split()[-1] for line in out.getvalue().splitlines() if "work" in line][0][-6:])
    script = os.path.join(tempfile.mkdtemp(), "script.py")
    with open(script, "w") as file:
        file.write("print('ran')\n")
    for name in ("cProfile", "profile"):
        done = subprocess.run([sys.executable, "-m", name, script], capture_output=True, text=True)
        print(name, done.returncode, done.stdout.split()[0], "function calls" in done.stdout)
