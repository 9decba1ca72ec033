def main():
    print("old")
