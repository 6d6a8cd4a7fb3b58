"""Runs without Jupyter: `run_code` of ours, which keeps the next guard ready, beside safe-py-runner, and the command.

Both libraries in one Python, each in a process of its own with a virtual environment that its engine makes; the clock on
the wall. The command starts a whole interpreter each time, as safe-py-runner does.
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import time
from pathlib import Path

import guards
import measures
import peers
import sections

COLUMNS = {
    "warm": "safepyrun-kernel, `run_code`",
    "command": "safepyrun-kernel, `safepyrun run`",
    "runner": "safe-py-runner 0.1.7",
}
ROWS = (
    measures.Row("first", "the first run of `x + 1`", "ms"),
    measures.Row("paused", "one more, half a second later", "ms"),
    measures.Row("at_once", "one of sixty, one after the other", "ms"),
)
CAPTION = "The engine's virtual environment was there before; a policy that allows what the run does; wall time."
RUNNERS = {"warm": "safepyrun", "runner": "safe_py_runner"}
WORKER = """
import importlib, json, os, sys, time
sys.path.insert(0, sys.argv[2])  # not PYTHONPATH: what lies there could shadow packages, and so there would be no template
package = importlib.import_module(sys.argv[1])
engine = package.LocalEngine(venv_dir=os.path.expanduser("~/" + sys.argv[1]), venv_manager="python")
def run():
    began = time.perf_counter_ns()
    done = package.run_code("result = x + 1", engine=engine, input_data={"x": 1})
    taken = (time.perf_counter_ns() - began) / 1e6
    assert done.ok and done.result == 2, done
    return taken
first = run()
time.sleep(2)
paused = []
for _ in range(5):
    time.sleep(0.5)
    paused.append(run())
began = time.perf_counter_ns()
for _ in range(60):
    run()
print(json.dumps({"first": [first], "paused": paused, "at_once": [(time.perf_counter_ns() - began) / 60e6]}))
"""


def told_by_worker(python: Path, column: str, package: Path, env: dict) -> dict[str, list[float]]:
    argv = [str(python), "-c", WORKER, RUNNERS[column], str(package)]
    done = subprocess.run(argv, env=env, capture_output=True, text=True, timeout=300)
    if done.returncode != 0:
        raise AssertionError((done.stderr.splitlines() or ["no answer"])[-1])
    return json.loads(done.stdout.splitlines()[-1])


def told_by_command(safepyrun: Path, python: Path, env: dict) -> dict[str, list[float]]:
    argv = [str(safepyrun), "run", "--python", str(python), "--json", "--input", '{"x": 1}', "-"]

    def run() -> float:
        began = time.perf_counter_ns()
        done = subprocess.run(argv, env=env, input="result = x + 1", capture_output=True, text=True)
        taken = sections.milliseconds_since(began)
        if done.returncode != 0 or json.loads(done.stdout)["result"] != 2:
            raise AssertionError(done.stdout + done.stderr)
        return taken

    found: dict[str, list[float]] = {"first": [run()], "paused": []}
    for _ in range(5):
        time.sleep(0.5)
        found["paused"].append(run())
    found["at_once"] = [sum(run() for _ in range(60)) / 60]
    return found


def measure(quick: bool, safepyrun: Path, environments: Path, python: str | None) -> dict:
    samples = measures.Samples()
    if python is None:
        for column in COLUMNS:
            samples.reasons[column]["first"] = "no Python 3.12 or newer"
        return sections.section(COLUMNS, ROWS, samples, CAPTION)
    found = {each.name: each for each in guards.GUARDS}
    pythons = {
        column: peers.environment(environments, found[name].environment, found[name].requirements + (guards.PANDAS,), python)
        for column, name in (("warm", "plain"), ("command", "plain"), ("runner", "runner"))
    }
    with tempfile.TemporaryDirectory(prefix="bench-") as home:
        env = peers.clean_environment(Path(home))
        package = safepyrun.parents[1] / "lib/safepyrun"
        env["PATH"] = f"{safepyrun.parent}:{env.get('PATH', os.defpath)}"
        for number, column in sections.in_turn(list(COLUMNS), 1 + (2 if quick else 7)):
            try:
                if column == "command":
                    told = told_by_command(safepyrun, pythons[column], env)
                else:
                    told = told_by_worker(pythons[column], column, package, env)
            except (AssertionError, subprocess.TimeoutExpired) as reason:
                samples.reasons[column] |= {row.key: str(reason)[:120] for row in ROWS}
                continue
            for key, values in told.items() if number > 0 else ():  # the first round makes byte code and environments
                samples.values[column][key] += values
    return sections.section(COLUMNS, ROWS, samples, CAPTION)
