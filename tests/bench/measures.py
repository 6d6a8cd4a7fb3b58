"""What is measured: the rows of the table, and the two visits to a kernel that fill them.

A visit starts a fresh kernel, measures and ends it; `run` makes the visits in turn, so that
whatever else the machine does falls on all kernels alike. Nothing here asserts a time. A row that a
kernel cannot fill holds the reason instead.
"""

from __future__ import annotations

import signal
import statistics
import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

from client import Died, Kernel, NoAnswer, descendants

LINES = 200_000
CHUNKS, CHUNK = 100, 1_000_000
CELLS_AT_ONCE = 500
BUSY_TIMEOUT_S = 1.5
# The last statement is never the loop: xeus-python's raw mode loses what a lone last loop prints.
PRINT_LINES = f"for i in range({LINES}):\n    print('line', i)\ni = None\n"
LINES_BYTES = sum(len(f"line {i}\n") for i in range(LINES))
PRINT_CHUNKS = (
    f"chunk = 'x' * {CHUNK - 1} + '\\n'\n"
    f"for i in range({CHUNKS}):\n    print(chunk, end='')\ni = None\n"
)
# Text already, as every kernel takes it: what base64 costs is the same everywhere.
SHOW_PICTURE = "display({'image/png': picture}, raw=True)\ni = None"
PICTURE_BYTES = 5_000_000
QUESTIONS_WARM = 5
INTERRUPT_TIMEOUT_S = 10
# One C call of some seconds that neither lets the GIL go nor looks for signals.
HOLD_GIL = "i = sum(range(500_000_000))\n"


@dataclass(frozen=True)
class Row:
    key: str
    title: str
    unit: str
    more_is_better: bool = False
    percentiles: bool = False  # middle (p5-p99) of pooled samples, else median (min-max)
    in_readme: bool = True


ROWS = (
    Row("kernel_info", "start → kernel_info", "ms"),
    Row("first_result", "start → result of `1+1`", "ms"),
    Row("pass", "`pass` → idle", "ms", percentiles=True),
    Row("one", "`1` → idle", "ms", percentiles=True),
    Row("print", "`print(1)` → idle", "ms", percentiles=True),
    Row("info", "kernel_info, running", "ms", percentiles=True),
    Row("control", "control channel", "ms", percentiles=True),
    Row("complete", "completion of `os.pa`", "ms", percentiles=True),
    Row("inspect", "inspection of `os.path.join`", "ms", percentiles=True),
    Row("control_busy", "control while a cell holds the GIL", "ms", percentiles=True),
    Row("cells", f"{CELLS_AT_ONCE} cells sent at once", "cells/s", more_is_better=True),
    Row("lines", f"{LINES:,} printed lines", "s"),
    Row("lines_messages", "messages they came in", "messages", in_readme=False),
    Row("bulk", f"{CHUNKS * CHUNK // 10**6} MB printed", "s"),
    Row("bulk_messages", "messages they came in", "messages", in_readme=False),
    Row("display", "a picture of 5 MB shown", "ms"),
    Row("interrupt", "`time.sleep` interrupted → its reply", "ms"),
    Row("pss_idle", "memory, idle (PSS)", "MB"),
    Row("pss_used", "memory after `1+1` (PSS)", "MB"),
    Row("shutdown", "shutdown_request → gone", "ms"),
)


@dataclass(frozen=True)
class Plan:
    cold_rounds: int
    full_rounds: int
    round_trips: int
    settle_s: float

    @staticmethod
    def of(quick: bool) -> Plan:
        return Plan(3, 1, 100, 0.8) if quick else Plan(11, 5, 300, 1.5)


class Samples:
    """All samples of one run: by kernel, by row; and the reasons where there are none."""

    def __init__(self):
        self.values: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
        self.reasons: dict[str, dict[str, str]] = defaultdict(dict)

    def try_row(self, peer: str, key: str, measure: Callable[[], list[float]]) -> None:
        """A kernel that fails at one row goes on to the next; one that died does not."""
        try:
            self.values[peer][key] += measure()
        except (NoAnswer, AssertionError) as reason:
            self.reasons[peer][key] = str(reason)

    def summary(self, row: Row, peer: str) -> dict:
        """One cell of the table."""
        values = sorted(self.values[peer][row.key])
        cell: dict = (
            {"reason": self.reasons[peer][row.key]} if row.key in self.reasons[peer] else {}
        )
        if not values:
            return cell or {"reason": "not measured"}
        low, high = values[0], values[-1]
        if row.percentiles:
            low, high = values[int(0.05 * (len(values) - 1))], values[int(0.99 * (len(values) - 1))]
        return cell | {
            "median": round(statistics.median(values), 4),
            "low": round(low, 4),
            "high": round(high, 4),
            "n": len(values),
        }


def milliseconds(nanoseconds: int) -> float:
    return nanoseconds / 1e6


def cold_visit(samples: Samples, peer: str, start: Callable[[], Kernel]) -> None:
    """From nothing to the result of 1+1, and to the end."""
    with start() as kernel:
        samples.try_row(peer, "kernel_info", lambda: [milliseconds(kernel.wait_until_up())])
        samples.try_row(
            peer,
            "first_result",
            lambda: [milliseconds(kernel.result_of("1+1") - kernel.started_ns)],
        )
        measure_shutdown(samples, peer, kernel)


def full_visit(samples: Samples, peer: str, start: Callable[[], Kernel], plan: Plan) -> None:
    """Everything that a kernel which already runs can be asked; what may hurt it comes last."""
    with start() as kernel:
        kernel.wait_until_up()
        time.sleep(plan.settle_s)
        samples.try_row(peer, "pss_idle", lambda: [kernel.pss_mb()])
        kernel.result_of("1+1")
        time.sleep(plan.settle_s / 2)
        samples.try_row(peer, "pss_used", lambda: [kernel.pss_mb()])
        for key, code in (("pass", "pass"), ("one", "1"), ("print", "print(1)")):
            samples.try_row(
                peer,
                key,
                lambda: round_trips(kernel, lambda: kernel.run(kernel.cell(code))[0], plan),
            )
        for key, channel in (("info", kernel.shell), ("control", kernel.control)):
            samples.try_row(
                peer, key, lambda: round_trips(kernel, lambda: ask_info(kernel, channel), plan)
            )
        kernel.run(kernel.cell("import os"))
        for key, request in (("complete", COMPLETE), ("inspect", INSPECT)):
            samples.try_row(peer, key, lambda: questions(kernel, *request, plan.round_trips // 5))
        samples.try_row(peer, "cells", lambda: [cells_at_once(kernel)])
        measure_stream(samples, peer, kernel, "lines", PRINT_LINES, LINES_BYTES)
        measure_stream(samples, peer, kernel, "bulk", PRINT_CHUNKS, CHUNKS * CHUNK)
        samples.try_row(peer, "display", lambda: pictures(kernel))
        samples.try_row(peer, "control_busy", lambda: control_under_load(kernel))
        measure_shutdown(samples, peer, kernel)


def ask_info(kernel: Kernel, channel, timeout: float = 30) -> int:
    return kernel.ask(channel, kernel.frames("kernel_info_request", {}), timeout)


def round_trips(kernel: Kernel, once: Callable[[], int], plan: Plan) -> list[float]:
    for _ in range(20):
        once()
    taken = []
    for _ in range(plan.round_trips):
        kernel.drain()
        taken.append(milliseconds(once()))
    return taken


COMPLETE = ("complete_request", {"code": "os.pa", "cursor_pos": 5})
INSPECT = ("inspect_request", {"code": "os.path.join", "cursor_pos": 12, "detail_level": 0})


def questions(kernel: Kernel, msg_type: str, content: dict, count: int) -> list[float]:
    """Milliseconds to each reply; the first ones load what answers them."""
    taken = [kernel.ask(kernel.shell, kernel.frames(msg_type, content)) for _ in range(QUESTIONS_WARM + count)]
    return [milliseconds(each) for each in taken[QUESTIONS_WARM:]]


def pictures(kernel: Kernel) -> list[float]:
    """Milliseconds from the cell to its idle, with all of the picture before it."""
    kernel.run(kernel.cell(f"picture = 'A' * {PICTURE_BYTES}"))
    taken = []
    for _ in range(5):
        nanoseconds, heard = kernel.run(kernel.cell(SHOW_PICTURE), 60)
        if not any(len(message.content_bytes) > PICTURE_BYTES for message in heard):
            raise AssertionError("the picture did not arrive")
        taken.append(milliseconds(nanoseconds))
    return taken[1:]


def interrupt_visit(samples: Samples, peer: str, start: Callable[[], Kernel]) -> None:
    """A kernel of its own: not every one lives on."""
    with start() as kernel:
        kernel.wait_until_up()
        kernel.run(kernel.cell("import time"))
        samples.try_row(peer, "interrupt", lambda: [interrupt(kernel)])


def interrupt(kernel: Kernel) -> float:
    msg_id, frames = kernel.cell("time.sleep(60)\ni = None")
    kernel.shell.send_multipart(frames)
    time.sleep(0.3)
    began = time.perf_counter_ns()
    kernel.process.send_signal(signal.SIGINT)
    for _, message in kernel.received([kernel.shell], INTERRUPT_TIMEOUT_S):
        if message.parent_id == msg_id:
            break
    return milliseconds(time.perf_counter_ns() - began)


def cells_at_once(kernel: Kernel, count: int = CELLS_AT_ONCE, code: str = "pass") -> float:
    requests = [kernel.cell(code) for _ in range(count)]
    sent = time.perf_counter_ns()
    for _, frames in requests:
        kernel.shell.send_multipart(frames)
    idle = kernel.idle_until(requests[-1][0], 20)
    taken = time.perf_counter_ns() - sent
    if lost := {msg_id for msg_id, _ in requests} - {message.parent_id for message in idle}:
        raise AssertionError(f"{len(lost)} cells were not run to their end")
    ask_info(kernel, kernel.shell)
    kernel.drain()
    return count / (taken / 1e9)


def measure_stream(
    samples: Samples, peer: str, kernel: Kernel, key: str, code: str, expected: int
) -> None:
    """Seconds until the cell is idle; where text was lost, the share that came and no time."""

    def measure() -> list[float]:
        nanoseconds, heard = kernel.run(kernel.cell(code), 120)
        streams = [message for message in heard if message.may_be("stream")]
        arrived = sum(len(message.content["text"]) for message in streams)
        samples.values[peer][f"{key}_messages"].append(len(streams))
        if arrived != expected:
            raise AssertionError(f"{arrived / expected:.1%} of the text arrived")
        return [nanoseconds / 1e9]

    samples.try_row(peer, key, measure)


def control_under_load(kernel: Kernel) -> list[float]:
    """Answers on control while one C call holds the GIL; NoAnswer as soon as one does not come."""
    msg_id, frames = kernel.cell(HOLD_GIL)
    kernel.shell.send_multipart(frames)
    time.sleep(0.2)  # not every kernel gets to say that it is busy
    taken: list[float] = []
    try:
        for _ in range(20):
            nanoseconds = ask_info(kernel, kernel.control, BUSY_TIMEOUT_S)
            if kernel.shell.poll(20):
                break  # the cell is over: this answer proves nothing
            taken.append(milliseconds(nanoseconds))
    finally:
        for _, message in kernel.received([kernel.shell], 60):
            if message.parent_id == msg_id:
                break
        kernel.drain()
    return taken


def measure_shutdown(samples: Samples, peer: str, kernel: Kernel) -> None:
    family = descendants(kernel.process.pid)[1:]

    def measure() -> list[float]:
        taken = milliseconds(kernel.shut_down())
        time.sleep(0.1)
        if left := [pid for pid in family if Path(f"/proc/{pid}").exists()]:
            raise AssertionError(f"left {len(left)} processes behind")
        return [taken]

    samples.try_row(peer, "shutdown", measure)


def visit(samples: Samples, peer: str, start: Callable[[], Kernel], plan: Plan | None) -> None:
    """One visit; a kernel that dies loses what was left of it, and the table says why."""
    try:
        if plan is None:
            cold_visit(samples, peer, start)
        else:
            full_visit(samples, peer, start, plan)
    except (Died, NoAnswer, AssertionError, OSError) as reason:
        samples.reasons[peer]["visit"] = f"{type(reason).__name__}: {reason}"
    if plan is not None:
        try:
            interrupt_visit(samples, peer, start)
        except Died:
            samples.reasons[peer]["interrupt"] = "the kernel ended"
        except (NoAnswer, AssertionError, OSError) as reason:
            samples.reasons[peer]["interrupt"] = f"{type(reason).__name__}: {reason}"
