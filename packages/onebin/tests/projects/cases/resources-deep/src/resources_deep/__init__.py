from importlib import resources

def main():
    root = resources.files(__name__)
    print(sorted(item.name for item in (root / "a" / "b").iterdir()))
    print((root / "a").joinpath("b", "deep.txt").read_text(encoding="utf-8").strip())
    print(root.joinpath("none.txt").is_file(), (root / "a").is_dir())
    print(resources.read_text("resources_deep.inner", "in.txt").strip(), resources.is_resource("resources_deep.inner", "in.txt"))
    with resources.as_file(root / "a") as folder:
        print(sorted(str(path.relative_to(folder)) for path in folder.rglob("*")))
    with resources.open_binary("resources_deep.inner", "in.txt") as file:
        print(file.read(2))
