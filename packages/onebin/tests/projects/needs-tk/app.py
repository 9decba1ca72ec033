import window


def main():
    print(window.title())
