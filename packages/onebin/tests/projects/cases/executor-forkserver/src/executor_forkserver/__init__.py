import multiprocessing as mp
from concurrent.futures import ProcessPoolExecutor

def cube(x):
    return x ** 3

def main():
    print("main", flush=True)
    with ProcessPoolExecutor(2, mp_context=mp.get_context("forkserver")) as pool:
        print(list(pool.map(cube, range(4))))
