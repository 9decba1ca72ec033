import helper


def main():
    return helper.run()
