"""Children: multiprocessing by each start method, and this program's own interpreter."""

import os
import pickle
import subprocess
import sys


class _Point:
    def __init__(self, x):
        self.x = x

    def __eq__(self, other):
        return self.x == other.x


def _square(number):
    return number * number


def _fail(number):
    raise ValueError(f"failed {number}")


def _exit(status):
    sys.exit(status)


def _count(counter, lock):
    for _ in range(100):
        with lock:
            counter.value += 1


def _echo(connection):
    connection.send(connection.recv() + ["echoed"])
    connection.close()


def _put(queue, event):
    event.wait(30)
    queue.put(os.getpid() != os.getppid())


def _fill(name, size):
    from multiprocessing.shared_memory import SharedMemory

    memory = SharedMemory(name)
    memory.buf[:size] = bytes(range(size))
    memory.close()


def _context(method):
    import multiprocessing

    return multiprocessing.get_context(method)


def process(method):
    context = _context(method)
    child = context.Process(target=print, args=("in a child",), name="worker")
    child.start()
    child.join(60)
    print(child.name, child.exitcode)


def process_that_fails(method):
    context = _context(method)
    for target, argument in ((_fail, 1), (_exit, 4), (_exit, None), (_exit, "a text")):
        child = context.Process(target=target, args=(argument,))
        child.start()
        child.join(60)
        print(child.exitcode)


def process_that_is_killed(method):
    import time

    child = _context(method).Process(target=time.sleep, args=(60,))
    child.start()
    child.terminate()
    child.join(60)
    print(child.exitcode)


def pool(method):
    with _context(method).Pool(2) as workers:
        print(workers.map(_square, range(5)), workers.apply(pow, (2, 5)))
        print(list(workers.imap(_square, [3])), workers.starmap(max, [(1, 2)]))


def pool_that_fails(method):
    with _context(method).Pool(1) as workers:
        try:
            workers.map(_fail, [7])
        except ValueError as exc:
            print(exc)


def executor(method):
    from concurrent.futures import ProcessPoolExecutor

    with ProcessPoolExecutor(2, mp_context=_context(method)) as workers:
        print(list(workers.map(_square, range(5))))
        print(workers.submit(_fail, 3).exception())


def executor_with_initializer(method):
    from concurrent.futures import ProcessPoolExecutor

    with ProcessPoolExecutor(
        1, mp_context=_context(method), initializer=os.putenv, initargs=("A", "b")
    ) as workers:
        print(workers.submit(subprocess.check_output, ["printenv", "A"]).result())


def broken_executor(method):
    from concurrent.futures import ProcessPoolExecutor
    from concurrent.futures.process import BrokenProcessPool

    with ProcessPoolExecutor(1, mp_context=_context(method)) as workers:
        try:
            workers.submit(os._exit, 3).result()
        except BrokenProcessPool:
            print("broken")


def manager(method):
    with _context(method).Manager() as made:
        items, names = made.list([1]), made.dict(a=1)
        child = _context(method).Process(target=items.append, args=(2,))
        child.start()
        child.join(60)
        names["b"] = 2
        print(list(items), sorted(names.items()))


def value_and_lock(method):
    context = _context(method)
    counter, lock = context.Value("i", 0, lock=False), context.Lock()
    children = [context.Process(target=_count, args=(counter, lock)) for _ in range(2)]
    for child in children:
        child.start()
    for child in children:
        child.join(60)
    print(counter.value)


def array(method):
    context = _context(method)
    values = context.Array("d", [0.5, 1.5])
    child = context.Process(target=values.__setitem__, args=(0, 2.5))
    child.start()
    child.join(60)
    print(list(values))


def pipe(method):
    context = _context(method)
    mine, other = context.Pipe()
    child = context.Process(target=_echo, args=(other,))
    child.start()
    mine.send(["sent"])
    print(mine.recv())
    child.join(60)


def queue_and_event(method):
    context = _context(method)
    queue, event = context.Queue(), context.Event()
    child = context.Process(target=_put, args=(queue, event))
    child.start()
    event.set()
    print(queue.get(timeout=60))
    child.join(60)


def shared_memory(method):
    from multiprocessing.shared_memory import SharedMemory

    memory = SharedMemory(create=True, size=16)
    child = _context(method).Process(target=_fill, args=(memory.name, 16))
    child.start()
    child.join(60)
    print(bytes(memory.buf[:16]))
    memory.close()
    memory.unlink()


def objects(method):
    with _context(method).Pool(1) as workers:
        print(workers.apply(_Point, (3,)) == _Point(3))


def start_methods():
    import multiprocessing

    print(sorted(multiprocessing.get_all_start_methods()), multiprocessing.current_process().name)


def run_code():
    print(subprocess.run(
        [sys.executable, "-c", "import sys; print(sys.argv, __name__); sys.exit(3)", "a", "b"],
        capture_output=True, text=True, check=False,
    ).stdout)  # fmt: skip


def run_code_status():
    for code in ("1/0", "raise SystemExit", "raise SystemExit('text')", "import os; os.abort()"):
        print(subprocess.run(
            [sys.executable, "-c", code], stderr=subprocess.DEVNULL, check=False
        ).returncode)


def run_module():
    print(subprocess.run(
        [sys.executable, "-m", "json.tool"], input='{"a": 1}', capture_output=True, text=True,
        check=False,
    ).stdout)  # fmt: skip


def run_own_module():
    print(subprocess.run(
        [sys.executable, "-m", "programs.child", "x"], capture_output=True, text=True, check=False
    ).stdout)


def run_missing_module():
    done = subprocess.run(
        [sys.executable, "-m", "no.such.module"], capture_output=True, text=True, check=False
    )
    print(done.returncode, done.stderr.rpartition(": ")[2])


def run_stdin():
    print(subprocess.run(
        [sys.executable, "-"], input="print('from stdin', __name__)", capture_output=True,
        text=True, check=False,
    ).stdout)  # fmt: skip


def run_script():
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        for name, text in (("one.py", "import two; print(two.x, __file__[-6:])"), ("two.py", "x=1")):
            with open(os.path.join(folder, name), "w") as file:
                file.write(text)
        print(subprocess.run(
            [sys.executable, os.path.join(folder, "one.py")], capture_output=True, text=True,
            check=False,
        ).stdout)  # fmt: skip


def run_with_options():
    for words in (["-O"], ["-OO"], ["-I"], ["-S"], ["-B"], ["-u"], ["-W", "error"], ["-X", "dev"]):
        print(words, subprocess.run(
            [sys.executable, *words, "-c",
             "import sys; f = sys.flags; print(f.optimize, f.isolated, f.dev_mode, sys.warnoptions)"],
            capture_output=True, text=True, check=False,
        ).stdout)  # fmt: skip


def run_version():
    done = subprocess.run([sys.executable, "-V"], capture_output=True, text=True, check=False)
    print(done.stdout.split()[:1], done.stdout.split()[1] == sys.version.split()[0])


def run_with_its_flags():
    arguments = subprocess._args_from_interpreter_flags()
    print(subprocess.run([sys.executable, *arguments, "-c", "print(1)"], check=False).returncode)


def spawned_by_asyncio():
    import asyncio

    async def run():
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-c", "print(input())", stdin=-1, stdout=-1
        )
        out, _ = await child.communicate(b"through pipes\n")
        return out, child.returncode

    print(asyncio.run(run()))


def run_with_original_arguments():
    """What reloaders do: the command line anew, by the interpreter of this process."""
    if "AGAIN" in os.environ:
        print("again", sys.argv[1:])
    else:
        print(subprocess.run(
            [sys.executable, *sys.orig_argv[1:]], env={**os.environ, "AGAIN": "1"}, check=False,
            stdin=subprocess.DEVNULL,
        ).returncode)  # fmt: skip


def executed_with_arguments():
    """What servers restart themselves with, in any order of the words."""
    ways = [[sys.executable, *sys.argv], ["python", *sys.argv], sys.orig_argv]
    turn = int(os.environ.get("TURN", "0"))
    print("turn", turn, sys.argv[1:], flush=True)
    if turn < len(ways):
        os.environ["TURN"] = str(turn + 1)
        os.execv(sys.executable, ways[turn])


def executed():
    os.execv(sys.executable, [sys.executable, "-c", "print('replaced')"])


def forked():
    pid = os.fork()
    if pid == 0:
        print("child", flush=True)
        os._exit(5)
    print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))


def spawned():
    pid = os.posix_spawn(sys.executable, [sys.executable, "-c", "print('spawned')"], os.environ)
    print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))


def pickled():
    print(pickle.loads(pickle.dumps(_Point(2))) == _Point(2), _Point.__module__)
    done = subprocess.run(
        [sys.executable, "-c", "import pickle, sys; print(pickle.load(sys.stdin.buffer).x)"],
        input=pickle.dumps(_Point(2)), capture_output=True, check=False,
    )
    print(done.stdout)


def main_module():
    import __main__

    print(__main__.__name__, sorted(
        name for name in ("__file__", "__spec__", "__doc__") if hasattr(__main__, name)
    ), __main__.__spec__)


def webbrowser_and_venv():
    import shutil

    print(shutil.which("sh") is not None, os.path.isabs(sys.executable))
