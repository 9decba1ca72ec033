import subprocess
import sys

def main():
    done = subprocess.run([sys.executable, "-m", "run_m_with_pool.job"], capture_output=True, text=True)
    print(done.returncode, done.stdout, done.stderr[-300:])
