__version__="2"
def main():
    print("hatch")
