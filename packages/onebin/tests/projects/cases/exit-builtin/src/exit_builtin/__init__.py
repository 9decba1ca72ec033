def main():
    print(callable(quit), bool(copyright))
    exit(3)
