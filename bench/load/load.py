"""Put every contender under the same load, in turns: tables, JSON and a picture beside it.

usage, in the repository: python3 -m bench.load.load [--rounds 5] [--seconds 5] [--quick]
                                                     [--only NAME]... [--work NAME]... [--gate]

The server has one core to itself and the generator another; the works at the end open every core
to both. Each measurement begins with a fresh server, so that each is a cold start, too.
"""

import argparse
import contextlib
import json
import os
import shutil
import signal
import statistics
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Final, NoReturn

from bench.lib import proc
from bench.lib.harness import ROOT, MeasureError, log, machine, run, timed_step, write_results
from bench.lib.network_namespace import own_network
from bench.lib.server_process import Command, Server, serving
from bench.lib.wrk import WORK, Work, load

from .contender_list import CONTENDERS, WORKSHOP, Contender
from .medians import Idle, Round, floors, starts, summarize
from .report import Result, milliseconds, tables
from .response_shape import differences, shape

_RESULTS: Final = Path(__file__).with_name("results.json")
"""Medians alone; what ``make figures`` reads."""

_ROUNDS: Final = WORKSHOP / "load-rounds.json"
"""Every round, outside of git."""

_WARM_UP_SECONDS: Final = 1
"""wrk's shortest; connections are made and interpreters specialize within a tenth of it."""

_SETTLE_SECONDS: Final = 2
"""Between a server's last response and the measurement of its idle CPU time."""

_PATHS: Final = ("/", "/health")


class Bench:
    """The contenders that could be had, and the cores they and the generator run on."""

    def __init__(self, *, seconds: int) -> None:
        self._seconds = seconds
        self._cpus = sorted(os.sched_getaffinity(0))
        if len(self._cpus) < 2:  # noqa: PLR2004  one each
            raise MeasureError("server and generator need a core each, and here is one")
        self._made: dict[Contender, Command] = {}
        self.titles: dict[str, str] = {}
        self.commands: dict[str, Command] = {}
        self.body_bytes: dict[str, dict[str, int]] = {}
        self.left_out: dict[str, str] = {}
        self._shapes: dict[str, object] = {}
        self._generator_on(self._cpus[:1])

    def make(self, contenders: Iterable[Contender]) -> None:
        """Prepare each; log those that are left out, and why."""
        for contender in contenders:
            try:
                self._made[contender] = contender.make()
            except MeasureError as error:
                self._leave_out(contender.name, str(error))

    def admit(self) -> None:
        """Compare the bodies of all; log those that are left out, and why."""
        published = ""
        for contender, made in self._made.items():
            env = {**made.env, "ENDPOINTS": published} if published else made.env
            command = replace(made, env=env)
            try:
                with serving(command, self._cpus[-1:]) as server:
                    bodies = {path: _ask(server, path) for path in _PATHS}
                self._compare(bodies)
            except MeasureError as error:
                self._leave_out(contender.name, str(error))
                continue
            # All list the first one's routes, so that all send the same bytes.
            published = published or json.dumps(
                json.loads(bodies["/"])["endpoints"], separators=(",", ":")
            )
            self.titles[contender.name] = contender.title
            self.commands[contender.name] = command
            self.body_bytes[contender.name] = {path: len(body) for path, body in bodies.items()}

    def measure(self, works: Sequence[Work], rounds: int) -> list[Round]:
        """Measure all in rounds; a contender that fails at a work is logged and left out of it."""
        done = []
        names = list(self.commands)
        for number in range(1, rounds + 1):
            for work in works:
                # Another one begins each time, so that none always follows the same neighbor.
                for name in names[number % len(names) :] + names[: number % len(names)]:
                    what = f"{name} under {work.name}"
                    if what in self.left_out:
                        continue
                    try:
                        one = self._once(work, name, number)
                    except MeasureError as error:
                        self._leave_out(what, str(error))
                        continue
                    done.append(one)
                    log(
                        f"round {number} of {rounds}, {work.name}, {name}: "
                        f"{one.per_second:,.0f} requests/s, p99 {milliseconds(one.p99_us)}"
                    )
        # A contender that failed at a work in a later round has no figures there at all.
        return [one for one in done if f"{one.contender} under {one.work}" not in self.left_out]

    def idle(self, seconds: float) -> list[Idle]:
        """Run all at once without requests, and measure the CPU time of each."""
        with contextlib.ExitStack() as stack, timed_step(f"idle for {seconds:g} s"):
            running = {
                name: stack.enter_context(serving(command, self._cpus[-1:]))
                for name, command in self.commands.items()
            }
            time.sleep(_SETTLE_SECONDS)
            pids = {name: proc.session(server.pid) for name, server in running.items()}
            before = {name: proc.scheduled_seconds(own) for name, own in pids.items()}
            began = time.monotonic()
            time.sleep(seconds)
            took = time.monotonic() - began
            return [
                Idle(
                    contender=name,
                    cpu_ms_per_second=(proc.scheduled_seconds(own) - before[name]) / took * 1000,
                    seconds=round(took, 3),
                )
                for name, own in pids.items()
            ]

    def _once(self, work: Work, name: str, number: int) -> Round:
        server_cpus = self._cpus if work.every_core else self._cpus[-1:]
        load_cpus = self._cpus if work.every_core else self._cpus[:1]
        self._generator_on(load_cpus)
        with serving(self.commands[name], server_cpus) as server:
            load(work, server.url, seconds=_WARM_UP_SECONDS, threads=len(load_cpus))
            pids = proc.session(server.pid)
            before, busy = proc.cpu_seconds(pids), proc.busy_seconds()
            result = load(work, server.url, seconds=self._seconds, threads=len(load_cpus))
            used, busy = proc.cpu_seconds(pids) - before, proc.busy_seconds() - busy
            memory = proc.memory(proc.session(server.pid))
        seen = result.seen
        seconds = seen.duration_us / 1e6
        if not seen.requests:
            raise MeasureError(f"no response, with {seen.errors} errors")
        return Round(
            work=work.name,
            contender=name,
            number=number,
            per_second=seen.per_second,
            p50_us=seen.p50_us,
            p99_us=seen.p99_us,
            errors=seen.errors,
            cpu_us=used / seen.requests * 1e6,
            generator_busy=result.cpu_seconds / seconds / len(load_cpus),
            others_busy=max(0.0, busy - used - result.cpu_seconds) / seconds / len(self._cpus),
            rss_bytes=memory.rss_bytes,
            pss_bytes=memory.pss_bytes,
            cold_start_seconds=server.cold_start_seconds,
        )

    def _compare(self, bodies: Mapping[str, bytes]) -> None:
        for path, body in bodies.items():
            found = shape(json.loads(body))
            first = self._shapes.setdefault(path, found)
            if different := differences(first, found):
                places = ", ".join(different)
                raise MeasureError(f"its {path} is not like the others': {places}")

    def _leave_out(self, what: str, why: str) -> None:
        self.left_out[what] = why.splitlines()[0]
        log(f"{what} is left out: {why}")

    def _generator_on(self, cpus: Sequence[int]) -> None:
        """Run this process on *cpus*, and wrk, which inherits that."""
        os.sched_setaffinity(0, cpus)


def _ask(server: Server, path: str) -> bytes:
    status, fields, body = server.get(path)
    kind = fields.get("Content-Type", "")
    if (status, kind.partition(";")[0]) != (200, "application/json"):
        raise MeasureError(f"its {path} is {status} {kind}, not 200 application/json")
    if fields.get("Cache-Control") != "no-store":
        # Some 25 bytes of each response, and one more field to write.
        raise MeasureError(f"its {path} has no Cache-Control: no-store, as the service's has")
    return body


def _generator() -> str:
    """Return wrk's name and version, installed where it is missing."""
    if not shutil.which("wrk"):
        with timed_step("no wrk on this machine, preparing it"), contextlib.suppress(MeasureError):
            run([ROOT / ".ci/prepare-engine"])  # may fail at the engine, which is not needed
    try:
        messages = run(["sh", "-c", "wrk --version || true"])
    except MeasureError:
        messages = ""
    if not messages.startswith("wrk"):
        raise MeasureError("wrk is not on this machine: apt-get install wrk")
    return " ".join(messages.split()[:2])


def _write(result: Result) -> None:
    write_results(_RESULTS, asdict(result))


def _end(number: int, _: object) -> NoReturn:
    """Leave as an exception does, so that every server is killed on the way out."""
    sys.exit(128 + number)


def _options(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="load", description=__doc__.split("\n", 1)[0])
    parser.add_argument("--rounds", type=int, default=5, help="default: %(default)s")
    parser.add_argument("--seconds", type=int, default=5, help="of each round, %(default)s")
    parser.add_argument(
        "--quick",
        action="store_true",
        help="one round of one second: does it all still run? Writes no results",
    )
    parser.add_argument(
        "--only",
        action="append",
        choices=[one.name for one in CONTENDERS],
        help="measure this contender; may be given again. Writes no results",
    )
    parser.add_argument(
        "--work",
        action="append",
        choices=[one.name for one in WORK],
        help="measure this work; may be given again. Writes no results",
    )
    parser.add_argument(
        "--gate",
        action="store_true",
        help="exit 1 unless every required ratio was measured and holds",
    )
    options = parser.parse_args(argv)
    if options.quick:
        options.rounds = options.seconds = 1
    return options


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print, and with ``--gate`` judge."""
    options = _options(argv)
    signal.signal(signal.SIGTERM, _end)
    try:
        result = _run(options)
    except MeasureError as error:
        log(f"load: {error}")
        return 2
    print(tables(result))
    if not (options.quick or options.only or options.work):
        _write(result)
    if options.gate:
        failed = [one for one in result.floors if not one.holds]
        for one in failed:
            measured = "not measured" if one.ratio is None else f"{one.ratio:.3g}"
            log(f"gate: {one.title}: {measured}, required is {one.bound}")
        return 1 if failed else 0
    return 0


def _run(options: argparse.Namespace) -> Result:
    contenders = [one for one in CONTENDERS if not options.only or one.name in options.only]
    works = [one for one in WORK if not options.work or one.name in options.work]
    on, generator = machine(), _generator()
    WORKSHOP.mkdir(parents=True, exist_ok=True)
    bench = Bench(seconds=options.seconds)
    bench.make(contenders)
    # No network is needed from here on.
    network = own_network()
    bench.admit()
    if not bench.commands:
        raise MeasureError("no contender is left")
    each = options.seconds + _WARM_UP_SECONDS + 1
    minutes = options.rounds * len(works) * len(bench.commands) * each / 60
    log(f"{len(bench.commands)} contenders, {len(works)} works: about {minutes:.0f} minutes")
    idle = bench.idle(2 * options.seconds)
    measured = bench.measure(works, options.rounds)
    if not measured:
        raise MeasureError("no contender could be measured")
    _ROUNDS.write_text(json.dumps([asdict(one) for one in measured]) + "\n")
    summaries = summarize(measured)
    started = starts(measured, [one.name for one in works if not one.every_core])
    return Result(
        machine=on,
        network=network,
        generator=generator,
        rounds=options.rounds,
        seconds=options.seconds,
        titles=bench.titles,
        versions={name: command.version for name, command in bench.commands.items()},
        body_bytes=bench.body_bytes,
        left_out=bench.left_out,
        works=works,
        others_busy=statistics.median(one.others_busy for one in measured),
        summaries=summaries,
        starts=started,
        idle=idle,
        floors=floors(summaries, started),
    )


if __name__ == "__main__":
    sys.exit(main())
