def color():
    return "green"


if __name__ == "__main__":
    print(color())
