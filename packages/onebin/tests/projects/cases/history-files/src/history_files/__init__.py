import os
import readline
import tempfile


def items():
    return [readline.get_history_item(number) for number in range(1, 5)]


def again(file):
    readline.clear_history()
    readline.read_history_file(file)
    return items()


def main():
    """Keep a history in a file, as programs with a prompt do: limited, continued, limited."""
    file = os.path.join(tempfile.mkdtemp(), "history")
    for line in ("first line", "a second\ttab", "third", "x" * 5000):
        readline.add_history(line)
    readline.set_history_length(2)
    readline.write_history_file(file)
    print([item and item[:10] for item in again(file)])
    readline.clear_history()
    for line in ("fourth", "fifth"):
        readline.add_history(line)
    readline.set_history_length(-1)
    readline.append_history_file(1, file)
    print([item and item[:10] for item in again(file)])
    readline.set_history_length(3)
    readline.append_history_file(1, file)
    print([item and item[:10] for item in again(file)])
    readline.set_history_length(0)
    readline.write_history_file(file)
    print(again(file))
