import subprocess
import sys

VALUE = 5

def main():
    code = "import sys, run_itself_c; print(run_itself_c.VALUE, sys.argv); sys.exit(4)"
    done = subprocess.run([sys.executable, "-c", code, "-c", "x"], capture_output=True, text=True)
    print(done.returncode, done.stdout.strip(), done.stderr)
    done = subprocess.run([sys.executable, "-"], input="print(1 + 1)", capture_output=True, text=True)
    print(done.returncode, done.stdout.strip())
