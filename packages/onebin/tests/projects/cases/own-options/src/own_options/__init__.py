import argparse

def main():
    parser = argparse.ArgumentParser()
    for name in ("-c", "-m", "-E", "-I"):
        parser.add_argument(name)
    print(parser.parse_args())
