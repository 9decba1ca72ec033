import multiprocessing as mp

class Point:
    def __init__(self, x):
        self.x = x

def moved(point):
    return point.x + 1

if __name__ == "__main__":
    print("job", flush=True)
    with mp.get_context("spawn").Pool(1) as pool:
        print(pool.map(moved, [Point(1), Point(2)]), Point.__module__)
