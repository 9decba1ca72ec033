import os
import pathlib
import shutil
import stat
import tempfile

def main():
    with tempfile.TemporaryDirectory() as folder:
        copy = pathlib.Path(folder, "copy")
        shutil.copytree(pathlib.Path(__file__).parent / "template", copy)
        (copy / "more.txt").write_text("more")
        (copy / "a.txt").write_text("changed")
        (copy / "sub" / "b.txt").unlink()
        print(sorted(str(path.relative_to(copy)) for path in copy.rglob("*")))
        modes = (os.stat(path).st_mode for path in (copy, copy / "a.txt"))
        print([bool(mode & stat.S_IWUSR) for mode in modes])
