import sys

if __name__ == "__main__":
    print(__name__, sys.argv[1:], __spec__.name)
