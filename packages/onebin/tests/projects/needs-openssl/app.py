import connection


def main():
    print(connection.context())
