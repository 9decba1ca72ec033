"""The text of the help."""
import argparse
import inspect

def command(value: int = 3) -> str:
    """Do one thing.

    And more.
    """

def main():
    print(argparse.ArgumentParser(prog="x", description=__doc__).format_help().splitlines()[2])
    print(inspect.getdoc(command).splitlines(), inspect.signature(command))
