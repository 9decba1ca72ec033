import dbm
import pathlib
import shelve
import tempfile

def main():
    with tempfile.TemporaryDirectory() as folder:
        for name in ("a", "b"):
            with shelve.open(str(pathlib.Path(folder, name))) as shelf:
                shelf["key"] = {"name": name}
        with shelve.open(str(pathlib.Path(folder, "b"))) as shelf:
            print(dict(shelf), dbm.whichdb(str(pathlib.Path(folder, "b"))))
