"""Growth curves: what becomes dearer as something grows, each with the slope of its logarithms.

A slope of 1 is proportional, 0 is constant, and what is above 1 would be a mistake of ours. Every point is the best of
a few: the curve's form is asked for, not how busy the machine is. Ours alone; the plain shell unless it says otherwise.
"""

from __future__ import annotations

import json
import re
import sqlite3
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

import fit
import measures
import peers
import sections
from client import Kernel

REQUIREMENTS = (peers.IPYTHON,)
REPETITIONS = 3


class Bench:
    """Kernels in a folder of their own, with any policy and history."""

    def __init__(self, folder: Path, python: Path, safepyrun: Path):
        self.folder, self.python, self.safepyrun = folder, python, safepyrun
        self.env = peers.clean_environment(folder)

    def start(self, policy: str = "", arguments: tuple[str, ...] = ()) -> Kernel:
        file = self.folder / f"{abs(hash(policy))}.toml"
        file.write_text(policy)
        argv = [str(self.safepyrun), "kernel", "-f", "{connection_file}", "--python", str(self.python)]
        argv += ["--shell", "plain", "--policy", str(file), *arguments]
        return Kernel(argv, self.env, self.folder)


@dataclass(frozen=True)
class Curve:
    key: str
    title: str  # the axis below: what grows
    unit: str  # of the axis at the side
    sizes: tuple[int, ...]
    measure: Callable[[Bench, int], float]
    quick_sizes: tuple[int, ...]


def kernels_at_once(bench: Bench, count: int) -> float:
    """Seconds until all have answered `1+1`."""
    began = time.perf_counter_ns()
    kernels = [bench.start() for _ in range(count)]
    try:
        for kernel in kernels:
            kernel.wait_until_up()
            kernel.result_of("1+1")
        return sections.milliseconds_since(began) / 1000
    finally:
        for kernel in kernels:
            kernel.close()


def outputs(bench: Bench, count: int) -> float:
    """Seconds for one cell with so many displays."""
    code = f"for i in range({count}):\n    display(i)\ni = None"
    with bench.start() as kernel:
        kernel.wait_until_up()
        msg_id, frames = kernel.cell(code)
        arrived, began = 0, time.perf_counter_ns()
        kernel.shell.send_multipart(frames)
        for _, message in kernel.received([kernel.iopub], 300):  # counted and not kept: a million are gigabytes
            arrived += message.may_be("display_data")
            if message.is_idle() and message.parent_id == msg_id:
                break
        if arrived != count:
            raise AssertionError(f"{arrived} of {count} displays arrived")
        return sections.milliseconds_since(began) / 1000


def fill_history(path: Path, entries: int) -> None:
    """Into the database that a kernel has made: the tables are its own."""
    with sqlite3.connect(path) as database:
        session = database.execute("INSERT INTO sessions (start) VALUES (0)").lastrowid
        rows = ((session, line, f"x = {line}") for line in range(1, entries + 1))
        database.executemany("INSERT INTO entries (session, line, input) VALUES (?, ?, ?)", rows)
    database.close()


def history_search(bench: Bench, entries: int) -> float:
    """Milliseconds for the last ten entries that match, as a console's Ctrl-R asks."""
    path = bench.folder / f"history-{entries}.sqlite"
    arguments = ("--history-file", str(path))
    with bench.start(arguments=arguments) as kernel:
        kernel.wait_until_up()
        kernel.result_of("1+1")
        kernel.shut_down()
    fill_history(path, entries)
    content = {"hist_access_type": "search", "pattern": "x = 1*", "n": 10, "raw": True, "output": False, "unique": False}
    with bench.start(arguments=arguments) as kernel:
        kernel.wait_until_up()
        return min(
            kernel.ask(kernel.shell, kernel.frames("history_request", content)) / 1e6 for _ in range(REPETITIONS + 2)
        )


COPY = re.compile(r"copy \d+ of the guard waits, after (\d+) ms")


def copy_cost(bench: Bench, megabytes: int) -> float:
    """Milliseconds from asking for a frozen copy until it waits; the namespace holds so many MB of small strings."""
    log = bench.folder / f"copy-{megabytes}-{time.monotonic_ns()}.log"
    code = f"values = [str(i) * 10 for i in range({megabytes * 9000})]\nNone"
    with bench.start("[limits]\ncopy_limit_mb = 0\n", ("--log", str(log), "--log-level", "debug")) as kernel:
        kernel.wait_until_up()
        kernel.run(kernel.cell(code), 120)
        found: list[str] = []
        before = len(COPY.findall(log.read_text()))
        deadline = time.monotonic() + 20
        while len(found) <= before and time.monotonic() < deadline:
            time.sleep(0.1)
            found = COPY.findall(log.read_text())
        if len(found) <= before:
            raise AssertionError("no copy was taken")
        return max(float(found[-1]), 0.5)  # the log's milliseconds are whole


RIGHTS = """
import asyncio, os, sys, time
sys.path.insert(0, sys.argv[1])
from safepyrun import RunPython, allow
size = int(sys.argv[2])
{tool}
async def best():
    run = RunPython(g={{"tool": tool}})
    await run("tool()")  # the guard closes
    times = []
    for _ in range(50):
        began = time.perf_counter_ns()
        await run("tool()")
        times.append(time.perf_counter_ns() - began)
    return min(times) / 1000
print(asyncio.run(best()))
"""

MANY_ALLOWED = """
exec("\\n".join(f"def tool_{i}(): os.kill(os.getpid(), 0)" for i in range(size)))
allow(*(globals()[f"tool_{i}"] for i in range(size)))
tool = globals()[f"tool_{size - 1}"]
"""

FAR_INSIDE = """
def descend(depth):
    return descend(depth - 1) if depth > 0 else os.kill(os.getpid(), 0)
@allow
def tool():
    descend(size)
"""


def right_cost(bench: Bench, tool: str, size: int) -> float:
    package = bench.safepyrun.parents[1] / "lib/safepyrun"
    argv = [str(bench.python), "-c", RIGHTS.format(tool=tool), str(package), str(size)]
    done = subprocess.run(argv, env=bench.env, cwd=bench.folder, capture_output=True, text=True, timeout=120)
    if done.returncode != 0:
        raise AssertionError((done.stderr.splitlines() or ["no answer"])[-1])
    return float(done.stdout)


def allowlist(bench: Bench, entries: int) -> float:
    """Microseconds for a RunPython call of the function that was allowed last, which does what cells may not."""
    return right_cost(bench, MANY_ALLOWED, entries)


def depth(bench: Bench, calls: int) -> float:
    """Microseconds for a RunPython call of a tool that does what cells may not so many calls further inside."""
    return right_cost(bench, FAR_INSIDE, calls)


def denials(bench: Bench, count: int) -> float:
    """Milliseconds for a cell that is refused so often and goes on."""
    code = f"for i in range({count}):\n    try:\n        open('/etc/x', 'w')\n    except PermissionError:\n        pass\ni = None"
    with bench.start() as kernel:
        kernel.wait_until_up()
        kernel.result_of("1+1")
        return kernel.run(kernel.cell(code), 120)[0] / 1e6


def policy_size(bench: Bench, roots: int) -> float:
    """Milliseconds from the start to `1+1` with so many write roots, which exist."""
    base = bench.folder / "roots"
    for number in range(roots):
        (base / str(number)).mkdir(parents=True, exist_ok=True)
    dests = json.dumps([str(base / str(number)) for number in range(roots)])
    with bench.start(f"ok_dests = {dests}\n") as kernel:
        kernel.wait_until_up()
        return (kernel.result_of("1+1") - kernel.started_ns) / 1e6


def powers(first: int, last: int) -> tuple[int, ...]:
    return tuple(10**exponent for exponent in range(first, last + 1))


CURVES = (
    Curve("kernels", "kernels started at once", "s", (1, 2, 5, 10, 20, 50), kernels_at_once, (1, 3, 10)),
    Curve("outputs", "displays in a cell", "s", powers(3, 6), outputs, powers(3, 4)),
    Curve("history", "entries in the history", "ms", powers(2, 6), history_search, powers(2, 4)),
    Curve("copies", "MB in the namespace", "ms", (1, 10, 100, 500), copy_cost, (1, 30)),
    Curve("allowlist", "functions in the allowlist", "µs", powers(1, 5), allowlist, powers(1, 3)),
    Curve("depth", "calls from a tool to what it does", "µs", (1, 10, 100, 500, 900), depth, (1, 10, 100)),
    Curve("denials", "denials in a cell", "ms", powers(1, 5), denials, powers(1, 3)),
    Curve("policy", "write roots in the policy", "ms", powers(0, 3), policy_size, powers(0, 2)),
)


def take(curve: Curve, bench: Bench, sizes: tuple[int, ...], repetitions: int) -> dict:
    points, reason = [], None
    for size in sizes:
        try:
            points.append((size, min(curve.measure(bench, size) for _ in range(repetitions))))
        except sections.FAILURES as problem:
            reason = f"{size}: {type(problem).__name__}: {problem}"
            print(f"growth {curve.key} {reason}", file=sys.stderr)
            break
        print(f"growth {curve.key} {size}: {points[-1][1]:.3g} {curve.unit}", file=sys.stderr)
    found = {"title": curve.title, "unit": curve.unit, "what": (curve.measure.__doc__ or "").split(";")[0].strip(" .")}
    found |= {"points": [[size, round(value, 4)] for size, value in points], "slope": fit.slope(points)}
    return found | ({"reason": reason} if reason else {})


def measure(quick: bool, safepyrun: Path, environments: Path, python: str, only: list[str] | None = None) -> dict:
    found = peers.environment(environments, "ipython", REQUIREMENTS, python)
    with tempfile.TemporaryDirectory(prefix="bench-") as home:
        bench = Bench(Path(home), found, safepyrun)
        measures.visit(measures.Samples(), "warm", bench.start, None)
        return {
            "quick": quick,
            "curves": {
                curve.key: take(
                    curve, bench, curve.quick_sizes if quick else curve.sizes, 1 if quick else REPETITIONS
                )
                for curve in CURVES
                if only is None or curve.key in only
            },
        }
