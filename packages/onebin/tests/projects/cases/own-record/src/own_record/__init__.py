import importlib.metadata

def main():
    own = importlib.metadata.distribution("own-record")
    files = {str(file): file for file in own.files}
    note = files["own_record/note.txt"]
    print(note.hash, note.size, note.read_text().strip())
    print(own.read_text("top_level.txt").split(), "Wheel-Version" in own.read_text("WHEEL"))
    print(own.read_text("nothing"), files["../../../bin/own-record"].locate().exists())
    print(sorted(name for name in files if name.endswith(".txt")))
    print(importlib.metadata.packages_distributions()["own_record"])
