import multiprocessing
import os
import tempfile

if "STARTS" not in os.environ:
    os.environ["STARTS"] = os.path.join(tempfile.mkdtemp(), "starts")
with open(os.environ["STARTS"], "a") as file:
    file.write("imported\n")

child = multiprocessing.get_context("spawn").Process(target=int)
child.start()
child.join()


def main():
    """A process started by an import, which its child repeats: once, and not without end."""
    with open(os.environ["STARTS"]) as file:
        print(file.read(), child.exitcode)
