import subprocess
import sys

CRASH = "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)"
FLAGS = "import sys; print(sys.flags.dev_mode, sys.flags.optimize, sys.flags.bytes_warning)"

def main():
    for options in ((), ("-X", "dev"), ("-O", "-b"), ("-I",)):
        print(options, flush=True)
        subprocess.run([sys.executable, *options, "-c", FLAGS], check=True)
    for options in ((), ("-X", "faulthandler")):
        done = subprocess.run(
            [sys.executable, *options, "-c", CRASH], capture_output=True, text=True, check=False
        )
        print(done.returncode, "Segmentation fault" in done.stderr, flush=True)
    traced = "import tracemalloc; print(tracemalloc.is_tracing())"
    subprocess.run([sys.executable, "-X", "tracemalloc", "-c", traced], check=True)
    encoding = "import sys; print(sys.flags.warn_default_encoding)"
    subprocess.run([sys.executable, "-X", "warn_default_encoding", "-c", encoding], check=True)
