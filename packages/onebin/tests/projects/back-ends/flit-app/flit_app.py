"""A flit app."""
__version__ = "0.3"
def main():
    print("flit")
