import multiprocessing as mp

def add(shared, key):
    shared[key] = key * 2

def main():
    context = mp.get_context("spawn")
    with context.Manager() as manager:
        shared = manager.dict()
        processes = [context.Process(target=add, args=(shared, n)) for n in range(2)]
        for process in processes:
            process.start()
        for process in processes:
            process.join()
        print(sorted(shared.items()))
