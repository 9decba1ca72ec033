import importlib

NAMES = """
colorsys sched,
    xml.sax.saxutils
""".replace(",", " ").split()

def main():
    for name in NAMES + ["wsgiref.%s" % "headers", "email.mime.{}".format("audio")]:
        print(importlib.import_module(name).__name__)
