import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor

from joblib import Parallel, delayed


def square(n):
    return n * n, os.getpid() != PARENT


PARENT = os.getpid()


def cube(n):
    return n**3


def main():
    for method in multiprocessing.get_all_start_methods():
        context = multiprocessing.get_context(method)
        with ProcessPoolExecutor(2, mp_context=context) as pool:
            print(method, "executor", list(pool.map(cube, range(5))))
        with context.Pool(2) as pool:
            print(method, "pool", pool.map(cube, range(5)))
    print("loky", Parallel(n_jobs=2)(delayed(cube)(n) for n in range(5)))


if __name__ == "__main__":
    main()
