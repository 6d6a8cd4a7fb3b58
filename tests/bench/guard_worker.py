"""One process of one guard: guard_worker.py GUARD PART SLOWER, figures as JSON on the last line of stdout.

CPU time of this thread, the best of some repetitions: what the rest of the machine does falls out of
it. Guards that run code in another thread or process are measured by the clock on the wall. Runs in the guard's own environment.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
import time
from typing import Awaitable, Callable

import guard_rows

UNITS = {"ns": 1, "µs": 1e3, "ms": 1e6}
ENOUGH_S = 3  # after this no further repetition
Run = Callable[[str, dict], Awaitable[object]]


def plain() -> Run:
    async def run(code: str, names: dict) -> object:
        exec(compile(code, "<cell>", "exec"), names)

    return run


def audit_scope() -> Run:
    """fastaudit and ours: the same name and arguments."""
    try:
        from fastaudit import mk_audit
    except ImportError:
        from safepyrun import mk_audit

    audited = mk_audit((tempfile.gettempdir(),))

    async def run(code: str, names: dict) -> object:
        program = compile(code, "<cell>", "exec")
        with audited():
            exec(program, names)

    return run


def run_python() -> Run:
    """safepyrun and ours: the same name and arguments. Writing is not what is measured."""
    from safepyrun import RunPython

    runners: dict[int, object] = {}

    def run(code: str, names: dict) -> Awaitable[object]:
        if id(names) not in runners:
            runners[id(names)] = RunPython(g=names)
        return runners[id(names)](code)

    return run


def restricted() -> Run:
    from RestrictedPython import compile_restricted, safe_globals
    from RestrictedPython.Eval import default_guarded_getitem, default_guarded_getiter
    from RestrictedPython.Guards import safer_getattr

    rules = safe_globals | {
        "_getattr_": safer_getattr,
        "_getitem_": default_guarded_getitem,
        "_getiter_": default_guarded_getiter,
    }

    async def run(code: str, names: dict) -> object:
        exec(compile_restricted(code, "<cell>", "exec"), rules | names)

    return run


def smolagents() -> Run:
    """Its interpreter walks the tree; what is in the namespace may be called."""
    from smolagents.local_python_executor import LocalPythonExecutor

    executors: dict[int, LocalPythonExecutor] = {}

    async def run(code: str, names: dict) -> object:
        if id(names) not in executors:
            executors[id(names)] = made = LocalPythonExecutor(additional_authorized_imports=[])
            made.send_tools({})
            made.send_variables({name: value for name, value in names.items() if name != "__builtins__"})
        return executors[id(names)](code)

    return run


def monty() -> Run:
    """An interpreter of its own in a process of its own: functions of ours are callbacks there."""
    from pydantic_monty import Monty

    pool = Monty().__enter__()
    session = pool.checkout().__enter__()

    async def run(code: str, names: dict) -> object:
        given = {name: value for name, value in names.items() if isinstance(value, (str, list))}
        called = {name: value for name, value in names.items() if callable(value)}
        return session.feed_run(code, inputs=given, external_lookup=called)

    return run


def runner() -> Run:
    """A Python process for each run."""
    from safe_py_runner import LocalEngine, run_code

    engine = None

    async def run(code: str, names: dict) -> object:
        nonlocal engine
        if names:
            raise ValueError("no functions can be handed over")
        if engine is None:  # makes a virtual environment when there is none in this home
            engine = LocalEngine(venv_dir=os.path.expanduser("~/safe-py-runner"), venv_manager="python")
        done = run_code(code, engine=engine)
        if not done.ok:
            raise RuntimeError(str(done.error))
        return done.result

    return run


ELSEWHERE = ("smolagents", "monty", "runner")  # this thread only waits
clock = time.thread_time_ns

ADAPTERS = {
    "smolagents": smolagents,
    "monty": monty,
    "runner": runner,
    "plain": plain,
    "ours": run_python,
    "ours-audit": audit_scope,
    "safepyrun": run_python,
    "fastaudit": audit_scope,
    "restricted": restricted,
}


async def best_of(run: Run, code: str, names: dict, repetitions: int, calls: int = 1) -> float:
    """CPU nanoseconds of one call."""
    best = float("inf")
    began_all = time.monotonic()
    for _ in range(repetitions):
        began = clock()
        for _ in range(calls):
            await run(code, names)
        best = min(best, (clock() - began) / calls)
        if time.monotonic() - began_all > ENOUGH_S:
            break
    return best


async def measure_calls(adapter, slower: int) -> dict:
    began = clock()
    run = adapter()
    names: dict = {}
    await run("1+1", names)
    start = clock() - began
    calls = max(1, 100 // slower)
    return {"start": start / UNITS["ms"], "call": await best_of(run, "1+1", names, 7, calls) / UNITS["µs"]}


def names_of(path: str) -> dict:
    """What the cells use: library code behind names, as a cell would have it after its imports."""
    import difflib
    import math
    import re

    def ratio_of(words: list[str]) -> float:
        return sum(difflib.SequenceMatcher(None, a, b).ratio() for a in words for b in words)

    return {
        "sqrt": math.sqrt,
        "word": "word",
        "path": path,
        "open": open,
        "loads": json.loads,
        "dumps": json.dumps,
        "data": [{"name": str(i), "values": list(range(20))} for i in range(400)],
        "ratio_of": ratio_of,
        "words": [f"safepyrun-{i * 7919}-kernel" for i in range(24)],
        "pattern": re.compile(r"(\w+)@(\w+)\.com"),
        "text": "one two three four@five.com six " * 4000,
        "id": id,
    }


def fewer(row: guard_rows.Row, slower: int) -> tuple[str, int]:
    """The code of a row with that many times fewer rounds, and how many those are."""
    count = max(1, row.count // slower)
    return row.code.replace(f"range({row.count})", f"range({count})"), count


async def measure_work(adapter, slower: int) -> dict:
    run = adapter()
    figures: dict = {}
    with tempfile.NamedTemporaryFile() as file:
        names = names_of(file.name)
        for row in guard_rows.ROWS:
            if row.part != "work":
                continue
            try:
                code, count = fewer(row, slower)
                figures[row.key] = await best_of(run, code, names, 5) / count / UNITS[row.unit]
            except Exception as reason:  # a guard that refuses the row has no figure in it
                figures[row.key] = f"{type(reason).__name__}: {reason}".splitlines()[0][:80]
    return figures


async def measure_pandas(adapter, slower: int) -> dict:
    """Once a process; the guards under RestrictedPython need their own __import__, which is Python's."""
    run = adapter()
    names = {"__builtins__": __builtins__, "load": lambda: __import__("pandas")}
    began = clock()
    await run("load()", names)
    return {"pandas": (clock() - began) / UNITS["ms"]}


PARTS = {"calls": measure_calls, "work": measure_work, "pandas": measure_pandas}

if __name__ == "__main__":
    _, guard, part, slower = sys.argv
    if guard in ELSEWHERE:
        clock = time.perf_counter_ns
    print(json.dumps(asyncio.run(PARTS[part](ADAPTERS[guard], int(slower)))))
