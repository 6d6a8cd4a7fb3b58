"""The guards that are compared: what to install for each, and which way of running code it is.

All run in the same Python (3.12 or newer: fastaudit and safepyrun 0.2 need sys.monitoring), each in a
virtual environment and in processes of its own. Ours is the Python package of the build tree, in
its module host. What is not here: how a guard runs code (guard_worker.py).
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import guard_rows
import peers

OLDEST = (3, 12)
PANDAS = "pandas==3.0.1"
WORKER = Path(__file__).with_name("guard_worker.py")


@dataclass(frozen=True)
class Guard:
    name: str  # also the adapter in guard_worker.py
    title: str
    environment: str
    requirements: tuple[str, ...] = ()
    ours: bool = False
    slower: int = 1  # it gets so many times fewer rounds of a loop, or the run would not come to an end


GUARDS = (
    Guard("plain", "no guard", "guard-none"),
    Guard("ours", "safepyrun-kernel, RunPython", "guard-none", ours=True),
    Guard("ours-audit", "safepyrun-kernel, mk_audit", "guard-none", ours=True),
    Guard("safepyrun", "safepyrun 0.2.10", "guard-safepyrun", ("safepyrun==0.2.10", "fastaudit==0.2.10")),
    Guard("fastaudit", "fastaudit 0.2.10", "guard-safepyrun", ("safepyrun==0.2.10", "fastaudit==0.2.10")),
    Guard("restricted", "RestrictedPython 8.3", "guard-restricted", ("RestrictedPython==8.3",)),
    Guard("smolagents", "smolagents 1.26 *", "guard-smolagents", ("smolagents==1.26.0",), slower=100),
    Guard("monty", "Monty 1.4 *", "guard-monty", ("pydantic-monty==1.4.0",), slower=10),
    Guard("runner", "safe-py-runner 0.1.7 *", "guard-runner", ("safe-py-runner==0.1.7",), slower=10),
)


def _is_new_enough(python: str) -> bool:
    ask = "import sys; print(*sys.version_info[:2])"
    told = subprocess.run([python, "-c", ask], capture_output=True, text=True)
    return told.returncode == 0 and tuple(map(int, told.stdout.split())) >= OLDEST


def default_python() -> str | None:
    """The newest of the Pythons on PATH that all guards can run in."""
    for name in ("python3.13", "python3.12", "python3"):
        found = shutil.which(name)
        if found and _is_new_enough(found):
            return found
    return sys.executable if sys.version_info[:2] >= OLDEST else None


def _error_line(text: str) -> str:
    """`SomeError: …`; some guards add lines of their own below it."""
    lines = [line for line in text.splitlines() if re.match(r"[\w.]+(Error|Exception)\b", line)]
    return (lines or text.splitlines() or ["no answer"])[-1]


def _ask(python: Path, arguments: list[str], env: dict[str, str]) -> dict:
    done = subprocess.run(
        [str(python), str(WORKER), *arguments], env=env, capture_output=True, text=True, timeout=300
    )
    if done.returncode != 0:
        raise AssertionError(_error_line(done.stderr))
    return json.loads(done.stdout.splitlines()[-1])


def take_samples(chosen, pythons, rounds: int, env: dict, our_env: dict):
    """Each guard in processes of its own, in turn."""
    import measures  # not at the top: it needs the client's packages

    samples = measures.Samples()
    for number in range(-1, rounds):  # the first makes byte code and is not counted
        turn = max(number, 0) % len(chosen)
        for guard in chosen[turn:] + chosen[:turn]:
            print(f"guards {number + 1}/{rounds} {guard.name}", file=sys.stderr)
            for part in guard_rows.PARTS:
                try:
                    words = [guard.name, part, str(guard.slower)]
                    told = _ask(pythons[guard.name], words, our_env if guard.ours else env)
                except (AssertionError, subprocess.TimeoutExpired) as reason:
                    told = {row.key: str(reason) for row in guard_rows.ROWS if row.part == part}
                if number < 0:
                    continue
                for key, value in told.items():
                    if isinstance(value, str):
                        samples.reasons[guard.name][key] = value
                    else:
                        samples.values[guard.name][key].append(value)
    return samples


def measure(rounds: int, package: Path | None, python: str, environments: Path) -> dict:
    """All guards in turn, `rounds` times; the section "guards" of the results."""
    import measures  # not at the top: it needs the client's packages

    chosen = [guard for guard in GUARDS if package is not None or not guard.ours]
    pythons = {
        guard.name: peers.environment(
            environments, guard.environment, (*guard.requirements, PANDAS), python
        )
        for guard in chosen
    }
    with tempfile.TemporaryDirectory(prefix="bench-") as home:
        env = peers.clean_environment(Path(home))
        samples = take_samples(chosen, pythons, rounds, env, env | {"PYTHONPATH": str(package)})
    return {
        "python": subprocess.run([python, "-V"], capture_output=True, text=True).stdout.split()[-1],
        "rounds": rounds,
        "guards": {guard.name: {"title": guard.title} for guard in chosen},
        "rows": [
            {
                "key": row.key,
                "title": row.title,
                "unit": row.unit,
                "compared": row.compared,
                "cells": {
                    guard.name: samples.summary(
                        measures.Row(row.key, row.title, row.unit), guard.name
                    )
                    for guard in chosen
                },
            }
            for row in guard_rows.ROWS
        ],
    }

