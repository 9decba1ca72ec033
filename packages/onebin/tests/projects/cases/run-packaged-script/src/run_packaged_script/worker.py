import sys

import helper_beside

if __name__ == "__main__":
    print("worker", sys.argv[1:], helper_beside.NAME, __file__.rpartition("/")[2])
