from importlib import metadata

def main():
    found = metadata.distribution("distribution-facts")
    print(found.version, found.metadata["Name"], found.metadata["Requires-Python"])
    print(found.requires, sorted(str(path) for path in found.files if path.suffix == ".py"))
    print(sorted((point.group, point.name, point.value) for point in found.entry_points))
    print(metadata.packages_distributions().get("distribution_facts"))
    try:
        metadata.version("not-there")
    except metadata.PackageNotFoundError as exc:
        print(exc)
    print([path.read_text().strip() for path in found.files if path.name == "note.txt"])
