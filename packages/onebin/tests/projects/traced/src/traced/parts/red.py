def color():
    return "red"


if __name__ == "__main__":
    print(color())
