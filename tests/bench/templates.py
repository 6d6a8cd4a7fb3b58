"""Warm templates: starts with and without one, and what a further kernel costs beside the first.

Ours twice, in one environment with IPython, pandas and matplotlib, and ipykernel in the same one. Each column has a
home and a runtime folder of its own for the whole run, so that its template is its own. The time to a restart has no
manager in it: shutdown_request, then a new process until its `1+1` (jupyter_client's manager adds 125 ms to each).
"""

from __future__ import annotations

import re
import subprocess
import tempfile
import time
from pathlib import Path

import measures
import peers
import sections
import zmq
from client import Kernel, NoAnswer, descendants

REQUIREMENTS = (peers.IPYTHON, "ipykernel==7.4.0", "pandas==3.1.1", "matplotlib==3.11.2")
COLUMNS = {"template": "safepyrun, a template", "cold": "safepyrun, none", "ipykernel": "ipykernel 7.4"}
ROWS = (
    measures.Row("first_result", "start → result of `1+1`, IPython", "ms"),
    measures.Row("first_plot", "start → pandas and the first inline plot", "ms"),
    measures.Row("restart", "shutdown → gone → start → `1+1`", "ms"),
    measures.Row("at_once", "kernels started at once, all have answered `1+1`", "s"),
    measures.Row("pss_further", "each further kernel with pandas loaded (PSS)", "MB"),
)
PLOT = (
    "import pandas as pd\nimport matplotlib.pyplot as plt\n"
    "pd.DataFrame({'a': [1, 3, 2]}).plot()\nplt.show()"
)
PANDAS = "import pandas as pd"
CAPTION = (
    "Plain processes of one environment with pandas and matplotlib, in turn; {at_once} kernels at once; memory: the "
    "slope over {further} kernels, the template's share in it. The template was there before."
)


class Place:
    """One column's home: who starts kernels there finds the same template."""

    def __init__(self, column: str, folder: Path, python: Path, safepyrun: Path):
        self.folder, self.safepyrun, self.column = folder, safepyrun, column
        (folder / "run").mkdir(mode=0o700)
        self.env = peers.clean_environment(folder) | {"XDG_RUNTIME_DIR": str(folder / "run")}
        policy = folder / "policy.toml"
        policy.write_text(f"[warm]\ntemplates = {str(column == 'template').lower()}\n")
        ours = [str(safepyrun), "kernel", "-f", "{connection_file}", "--python", str(python), "--policy", str(policy)]
        theirs = [str(python), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        self.argv = theirs if column == "ipykernel" else ours

    def start(self) -> Kernel:
        return Kernel(self.argv, self.env, self.folder)

    def template(self, word: str) -> str:
        done = subprocess.run([str(self.safepyrun), "template", word], env=self.env, capture_output=True, text=True)
        return done.stdout

    def template_pids(self) -> list[int]:
        return [int(pid) for pid in re.findall(r"^pid (\d+)", self.template("status"), re.MULTILINE)]

    def prepare(self) -> None:
        """Byte code, font caches, and a template that has learned pandas and pyplot."""
        with self.start() as kernel:
            kernel.wait_until_up()
            plot_ms(kernel)
            kernel.run(kernel.cell("None"))  # what was imported is told with a reply
            deadline = time.monotonic() + 60
            while self.column == "template" and "matplotlib.pyplot" not in self.template("status"):
                if time.monotonic() > deadline:
                    raise NoAnswer("no template has learned what was imported")
                time.sleep(0.2)


def plot_ms(kernel: Kernel) -> float:
    """From the start of the process to the figure."""
    msg_id, frames = kernel.cell(PLOT)
    kernel.shell.send_multipart(frames)
    for _, message in kernel.received([kernel.iopub], 60):
        if message.parent_id != msg_id:
            continue
        if message.may_be("display_data"):
            return sections.milliseconds_since(kernel.started_ns)
        if message.is_idle():
            break
    raise AssertionError("no figure")


def first_result(place: Place) -> float:
    with place.start() as kernel:
        kernel.wait_until_up()
        return (kernel.result_of("1+1") - kernel.started_ns) / 1e6


def first_plot(place: Place) -> float:
    with place.start() as kernel:
        kernel.wait_until_up()
        return plot_ms(kernel)


def restart(place: Place) -> float:
    with place.start() as kernel:
        kernel.wait_until_up()
        kernel.result_of("1+1")
        gone_ms = kernel.shut_down() / 1e6
    return gone_ms + first_result(place)


def at_once(place: Place, count: int) -> float:
    began = time.perf_counter_ns()
    kernels = [place.start() for _ in range(count)]
    try:
        poller, waiting = zmq.Poller(), {}
        for kernel in kernels:
            _, frames = kernel.cell("1+1")
            kernel.shell.send_multipart(frames)
            poller.register(kernel.shell, zmq.POLLIN)
            waiting[kernel.shell] = kernel
        deadline = time.monotonic() + 120
        while waiting:
            for ready, _ in poller.poll(1000):
                ready.recv_multipart()
                waiting.pop(ready, None)
            if time.monotonic() > deadline:
                raise NoAnswer(f"{len(waiting)} of {count} have not answered in 120 s")
        return sections.milliseconds_since(began) / 1000
    finally:
        for kernel in kernels:
            kernel.close()


def family(place: Place, kernels: list[Kernel]) -> set[int]:
    roots = [kernel.process.pid for kernel in kernels]
    roots += place.template_pids() if place.column == "template" else []
    return {pid for root in roots for pid in descendants(root)}


def pss_further(place: Place, count: int, settle_s: float) -> float:
    """The first is not counted: it may be the one that maps the libraries."""
    kernels: list[Kernel] = []
    totals = []
    try:
        for _ in range(count + 1):
            kernels.append(place.start())
            kernels[-1].wait_until_up()
            kernels[-1].run(kernels[-1].cell(PANDAS))
            time.sleep(settle_s)
            totals.append(sections.family_pss_mb(family(place, kernels)))
        return (totals[-1] - totals[0]) / count
    finally:
        for kernel in kernels:
            kernel.close()


def measure(quick: bool, safepyrun: Path, environments: Path, python: str) -> dict:
    found = peers.environment(environments, "template", REQUIREMENTS, python)
    samples = measures.Samples()
    rounds, many, further, settle_s = (3, 20, 2, 0.8) if quick else (9, 50, 4, 1.5)
    parts = {"first_result": first_result, "first_plot": first_plot, "restart": restart}
    with tempfile.TemporaryDirectory(prefix="bench-") as home:
        places = {}
        for column in COLUMNS:
            (Path(home) / column).mkdir()
            places[column] = Place(column, Path(home) / column, found, safepyrun)
        try:
            for place in places.values():
                place.prepare()
            for key, part in parts.items():
                for _, column in sections.in_turn(list(COLUMNS), rounds):
                    sections.attempt(samples, column, key, lambda: part(places[column]))
            for _, column in sections.in_turn(list(COLUMNS), 1 if quick else 3):
                sections.attempt(samples, column, "at_once", lambda: at_once(places[column], many))
            for column, place in places.items():
                sections.attempt(samples, column, "pss_further", lambda: pss_further(place, further, settle_s))
        finally:
            places["template"].template("stop")
    return sections.section(COLUMNS, ROWS, samples, CAPTION.format(at_once=many, further=further))
