def main():
    print("pdm")
