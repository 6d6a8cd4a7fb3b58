"""One process of one guard: guard_worker.py GUARD PART, figures as JSON on the last line of stdout.

CPU time of this thread, the best of some repetitions: what the rest of the machine does falls out of
it. Runs in the guard's own environment.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
import time
from typing import Awaitable, Callable

import guard_rows

UNITS = {"ns": 1, "µs": 1e3, "ms": 1e6}
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


ADAPTERS = {
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
    for _ in range(repetitions):
        began = time.thread_time_ns()
        for _ in range(calls):
            await run(code, names)
        best = min(best, (time.thread_time_ns() - began) / calls)
    return best


async def measure_calls(adapter) -> dict:
    began = time.thread_time_ns()
    run = adapter()
    names: dict = {}
    await run("1+1", names)
    start = time.thread_time_ns() - began
    return {"start": start / UNITS["ms"], "call": await best_of(run, "1+1", names, 7, 100) / UNITS["µs"]}


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


async def measure_work(adapter) -> dict:
    run = adapter()
    figures: dict = {}
    with tempfile.NamedTemporaryFile() as file:
        names = names_of(file.name)
        for row in guard_rows.ROWS:
            if row.part != "work":
                continue
            try:
                figures[row.key] = await best_of(run, row.code, names, 5) / row.count / UNITS[row.unit]
            except Exception as reason:  # a guard that refuses the row has no figure in it
                figures[row.key] = f"{type(reason).__name__}: {reason}".splitlines()[0][:80]
    return figures


async def measure_pandas(adapter) -> dict:
    """Once a process; the guards under RestrictedPython need their own __import__, which is Python's."""
    run = adapter()
    names = {"__builtins__": __builtins__, "load": lambda: __import__("pandas")}
    began = time.thread_time_ns()
    await run("load()", names)
    return {"pandas": (time.thread_time_ns() - began) / UNITS["ms"]}


PARTS = {"calls": measure_calls, "work": measure_work, "pandas": measure_pandas}

if __name__ == "__main__":
    _, guard, part = sys.argv
    print(json.dumps(asyncio.run(PARTS[part](ADAPTERS[guard]))))
