def color():
    return "blue"


if __name__ == "__main__":
    print(color())
