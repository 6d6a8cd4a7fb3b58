"""What the OS ring and the frozen copies cost: the same cells with and without them.

The plain shell and one policy, but for the key in question. Times inside of a cell are CPU times of its thread; cells per
second are the client's.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import measures
import peers
import sections
from client import Kernel, NoAnswer

REQUIREMENTS = (peers.IPYTHON, "ipykernel==7.4.0", "pandas==3.1.1", "matplotlib==3.11.2")  # templates.py's
COLUMNS = {
    "ring": ('os_ring = "auto"\n[limits]\ncopies = 0\n', "OS ring"),
    "none": ('os_ring = "off"\n[limits]\ncopies = 0\n', "no OS ring"),
    "copies": ('os_ring = "auto"\n', "OS ring and frozen copies"),
}
ROWS = (
    measures.Row("ready", "start → result of `1+1`", "ms"),
    measures.Row("open", "open a file for reading and close it", "µs"),
    measures.Row("write", "open a file for writing, write a line, close it", "µs"),
    measures.Row("stat", "`os.stat`", "µs"),
    measures.Row("fork", "fork and wait: what a frozen copy begins with", "ms"),
    measures.Row("pandas", "import pandas", "ms"),
    measures.Row("take_over", "a cell ends the interpreter → the next one's result, 100 MB in the namespace", "ms"),
    measures.Row("cells", "small cells sent at once", "cells/s", more_is_better=True),
)
CELLS = 1500
CAPTION = (
    "The preset open and the plain shell; CPU time inside of a cell, the best of five; `{cells}` cells of one assignment "
    "each for the last row, long enough for copies to be taken in between."
)
# The preset "open" leaves everything to the OS ring, programs and files alike.
TIMES = sections.BEST + """
import os
def write():
    with open("bench.txt", "w") as file:
        file.write("line")
print(best(lambda: open(os.__file__).close(), 5, 2000), best(write, 5, 500), best(lambda: os.stat(os.__file__), 5, 5000))
"""
FORK = """
def fork():
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)
print(best(fork, 5, 20) / 1000)
"""
PANDAS = "began = time.thread_time_ns()\nimport pandas\nprint((time.thread_time_ns() - began) / 1e6)"


def cells_per_second(kernel: Kernel) -> float:
    return measures.cells_at_once(kernel, CELLS, "x = 1")


def reply_to(kernel: Kernel, channel, request) -> dict:
    msg_id, frames = request
    channel.send_multipart(frames)
    return next(message.content for _, message in kernel.received([channel], 10) if message.parent_id == msg_id)


def copy_is_there(kernel: Kernel) -> bool:
    return reply_to(kernel, kernel.control, kernel.frames("safepyrun_status_request", {}))["copy_is_current"]


def take_over(kernel: Kernel) -> float:
    """Milliseconds; everything that the client's two round trips take is in it."""
    kernel.run(kernel.cell("big = b'x' * (100 << 20)"))
    deadline = time.monotonic() + 10
    while not copy_is_there(kernel):
        if time.monotonic() > deadline:
            raise NoAnswer("no copy of the namespace was taken")
        time.sleep(0.05)
    kernel.drain()
    began = time.perf_counter_ns()
    reply_to(kernel, kernel.shell, kernel.cell("import os; os._exit(1)"))
    kernel.result_of("len(big)")
    return sections.milliseconds_since(began)


def visit(samples: measures.Samples, column: str, start) -> None:
    with start() as kernel:
        kernel.wait_until_up()
        sections.attempt(
            samples, column, "ready", lambda: (kernel.result_of("1+1") - kernel.started_ns) / 1e6
        )
        for key, value in zip(("open", "write", "stat"), sections.stream_text(kernel, TIMES).split()):
            samples.values[column][key].append(float(value))
        sections.attempt(samples, column, "fork", lambda: float(sections.stream_text(kernel, FORK)))
        sections.attempt(samples, column, "pandas", lambda: float(sections.stream_text(kernel, PANDAS)))
    with start() as kernel:  # small, as a session is that has just begun
        kernel.wait_until_up()
        sections.attempt(samples, column, "cells", lambda: cells_per_second(kernel))
        if column == "copies":
            sections.attempt(samples, column, "take_over", lambda: take_over(kernel))
        else:
            samples.reasons[column]["take_over"] = "no copies"


def measure(quick: bool, safepyrun: Path, environments: Path, python: str) -> dict:
    found = peers.environment(environments, "template", REQUIREMENTS, python)
    samples = measures.Samples()
    with tempfile.TemporaryDirectory(prefix="bench-") as home:
        folder = Path(home)
        env = peers.clean_environment(folder)
        starters = {}
        for column, (policy, _) in COLUMNS.items():
            file = folder / f"{column}.toml"
            file.write_text('preset = "open"\n' + policy)
            argv = [str(safepyrun), "kernel", "-f", "{connection_file}", "--python", str(found)]
            argv += ["--shell", "plain", "--policy", str(file)]
            starters[column] = lambda argv=argv: Kernel(argv, env, folder)
        visit(measures.Samples(), "ring", starters["ring"])  # makes byte code
        for _, column in sections.in_turn(list(COLUMNS), 2 if quick else 7):
            try:
                visit(samples, column, starters[column])
            except sections.FAILURES as reason:
                samples.reasons[column]["visit"] = str(reason)
    titles = {column: title for column, (_, title) in COLUMNS.items()}
    return sections.section(titles, ROWS, samples, CAPTION.format(cells=CELLS))
