import pathlib
import subprocess
import sys

def main():
    script = pathlib.Path(__file__).with_name("worker.py")
    done = subprocess.run([sys.executable, str(script), "a b"], capture_output=True, text=True)
    print(done.returncode, done.stdout.strip(), done.stderr.strip())
