"""A table of the results beside the kernels' and the guards': columns, rows, and a sentence on how it was measured.

What is measured stands in templates.py, rings.py and floors.py; here is only what their tables have in common.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Callable

import measures
from client import Died, Kernel, NoAnswer

# For code that measures itself: CPU microseconds of one call, the best of some rounds.
BEST = """
import time
def best(work, rounds, calls=1):
    found = []
    for _ in range(rounds):
        began = time.thread_time_ns()
        for _ in range(calls):
            work()
        found.append((time.thread_time_ns() - began) / calls)
    return min(found) / 1000
"""
FAILURES = (Died, NoAnswer, AssertionError, OSError)


def section(columns: dict[str, str], rows: tuple[measures.Row, ...], samples: measures.Samples, caption: str) -> dict:
    """columns: name -> title, in order."""
    return {
        "caption": caption,
        "load": round(os.getloadavg()[0], 2),
        "columns": {name: {"title": title} for name, title in columns.items()},
        "rows": [
            {
                "key": row.key,
                "title": row.title,
                "unit": row.unit,
                "more_is_better": row.more_is_better,
                "cells": {name: samples.summary(row, name) for name in columns},
            }
            for row in rows
        ],
    }


def attempt(samples: measures.Samples, column: str, key: str, measure: Callable[[], float]) -> None:
    """One sample; a reason instead when it cannot be had."""
    try:
        samples.values[column][key].append(measure())
    except FAILURES as reason:
        samples.reasons[column][key] = f"{type(reason).__name__}: {reason}"


def in_turn(columns: list[str], rounds: int):
    """(round, column), each round beginning with another one: what the machine does falls on all alike."""
    for number in range(rounds):
        turn = number % len(columns)
        for column in columns[turn:] + columns[:turn]:
            yield number, column


def milliseconds_since(started_ns: int) -> float:
    return (time.perf_counter_ns() - started_ns) / 1e6


def family_pss_mb(pids: set[int]) -> float:
    """Proportional set size of these processes together, in MB; who has ended meanwhile has none."""
    kilobytes = 0
    for pid in pids:
        try:
            rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
        except OSError:
            continue
        kilobytes += next(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:"))
    return kilobytes / 1000


def stream_text(kernel: Kernel, code: str, timeout: float = 120) -> str:
    """What a cell prints."""
    _, heard = kernel.run(kernel.cell(code), timeout)
    return "".join(message.content["text"] for message in heard if message.may_be("stream"))
