import nowhere_to_be_found


def run():
    return nowhere_to_be_found
