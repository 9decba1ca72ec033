import multiprocessing as mp
import sys

def child(queue, event, value):
    event.wait(20)
    with value.get_lock():
        value.value += 1
    queue.put([__name__, mp.current_process().name, mp.parent_process() is not None])
    sys.exit(7)

def main():
    mp.set_start_method("spawn")
    queue, event, value = mp.Queue(), mp.Event(), mp.Value("i", 41)
    process = mp.Process(target=child, args=(queue, event, value), name="worker")
    process.start()
    event.set()
    print(queue.get(timeout=20))
    process.join()
    print(process.exitcode, value.value)
