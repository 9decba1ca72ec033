import contextlib
import glob
import os
import pathlib

def main():
    before = os.getcwd()
    with contextlib.chdir(pathlib.Path(__file__).parent / "data"):
        print(os.path.basename(os.getcwd()), sorted(os.listdir()), sorted(glob.glob("*.txt")))
        print(open("a.txt").read().strip(), pathlib.Path("b.txt").resolve().name)
        print(open(os.path.join("..", "data", "b.txt")).read().strip())
    print(os.getcwd() == before)
