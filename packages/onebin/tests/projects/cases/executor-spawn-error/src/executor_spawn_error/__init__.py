import multiprocessing as mp
from concurrent.futures import ProcessPoolExecutor

STATE = {}

def start(value):
    STATE["value"] = value

def work(x):
    return STATE["value"] / x

def main():
    with ProcessPoolExecutor(1, mp_context=mp.get_context("spawn"), initializer=start, initargs=(6,)) as pool:
        print(pool.submit(work, 2).result())
        try:
            pool.submit(work, 0).result()
        except ZeroDivisionError as exc:
            print(exc, "STATE" in str(exc.__cause__), "in work" in str(exc.__cause__))
