import rich
def main():
    print("poetry")
