import click
def main():
    print("st", click.__name__)
