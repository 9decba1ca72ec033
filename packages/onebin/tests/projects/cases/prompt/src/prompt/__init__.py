import subprocess
import sys

def main():
    lines = "x = 6\nprint(x * 7)\n1 / 0\ndef f():\n    return 'f'\n\nprint(f())\nexit(3)\n"
    for words in (("-i",), ("-i", "-c", "x = 5; print(x)"), ("-q", "-i", "-u")):
        done = subprocess.run([sys.executable, *words], input=lines, capture_output=True, text=True)
        print(words, done.returncode, done.stdout.split(), "ZeroDivisionError" in done.stderr)
