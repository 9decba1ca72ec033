import gzip


def main():
    print(gzip.compress(b""))
