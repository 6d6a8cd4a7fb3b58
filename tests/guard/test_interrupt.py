"""SIGINT: at any moment, exactly the running cell, never the session."""

import ctypes
import pathlib
import re
import signal
import time

import pytest
from guard_client import OPEN, Guard


def wait_until_idle(guard):
    """The signal has arrived and the guard waits again, however busy the machine is."""
    status = pathlib.Path(f"/proc/{guard.process.pid}/status")
    while not re.search(r"^State:\tS.*^ShdPnd:\t0+$", status.read_text(), re.M | re.S):
        time.sleep(0.001)


def interrupted(guard, code, after=0.2):
    cell = guard.start(code)
    time.sleep(after)
    start = time.monotonic()
    guard.interrupt()
    outcome = guard.collect(cell)
    assert time.monotonic() - start < 1
    return outcome


@pytest.mark.parametrize("code", [
    "import time; time.sleep(8)",
    "while True: pass",
    "import asyncio; await asyncio.sleep(8)",
    "import asyncio\nasync def f():\n    await asyncio.sleep(8)\nawait asyncio.gather(f(), f())",
    "import asyncio\nawait asyncio.sleep(0)\nwhile True: pass",
    "import threading; threading.Lock().acquire() and threading.Event().wait()",
    "import asyncio\nasync def spin():\n    while True: pass\ntask = asyncio.create_task(spin())\nawait asyncio.sleep(8)",
])
def test_running_cell(guard, code):
    outcome = interrupted(guard, code)
    assert outcome.error == "KeyboardInterrupt", outcome.frames
    assert guard.execute("6 * 7").result == "42"
    assert guard.execute("import asyncio; await asyncio.sleep(0); 43").result == "43"


def test_the_await_is_in_the_traceback(guard):
    outcome = interrupted(guard, "async def slow():\n    await asyncio.sleep(8)\nimport asyncio\nawait slow()")
    text = "".join(outcome.reply["traceback"])
    assert "await slow()" in text and "safepyrun" not in text


def test_a_second_one_while_the_first_is_told(guard):
    """Front ends show the error message, and nothing of the reply."""
    for i in range(150):
        cell = guard.start("1 / 0" if i % 2 else "import time; time.sleep(0.001)")
        for pause in (0.0001 * (i % 15), 0.00005 * (i % 7)):
            time.sleep(pause)
            guard.interrupt()
        outcome = guard.collect(cell)
        assert outcome.names.count("ERROR") == (outcome.reply["status"] == "error"), outcome.frames
        assert "Error while" not in outcome.stderr


def test_while_the_loop_is_made(host):
    """asyncio, half imported, would stay so: no cell could await any more."""
    for pause in range(0, 40, 2):
        with Guard(python=host, policy_file=OPEN) as guard:
            cell = guard.start("import asyncio; await asyncio.sleep(0)")
            time.sleep(pause / 1000)
            guard.interrupt()
            assert guard.collect(cell).error in (None, "KeyboardInterrupt")
            wait_until_idle(guard)
            assert guard.execute("import asyncio; await asyncio.sleep(0); 43").result == "43"


@pytest.mark.parametrize("offset, status", [(-1, "ok"), (0, "error"), (None, "error")])
def test_one_that_names_its_cell_hits_no_other(guard, offset, status):
    """On a crowded machine the next cell runs before the signal is there; who names none means the one that runs."""
    guard.execute("1")
    cell = guard.start("import time; time.sleep(0.5)")
    time.sleep(0.2)
    if offset is None:
        guard.interrupt()
    else:
        assert ctypes.CDLL(None).sigqueue(guard.process.pid, int(signal.SIGINT), ctypes.c_void_p(cell + offset)) == 0
    assert guard.collect(cell).reply["status"] == status


def test_idle(guard):
    for _ in range(3):
        guard.interrupt()
        wait_until_idle(guard)
    assert guard.execute("'fine'").result == "'fine'"


def test_idle_with_background_tasks(guard):
    guard.execute("import asyncio\nasync def tick():\n    await asyncio.sleep(60)\ntask = asyncio.create_task(tick())\nawait asyncio.sleep(0)")
    guard.interrupt()
    time.sleep(0.05)
    assert guard.execute("task.cancelled() or task.done()").result == "False"
    guard.execute("task.cancel();")


def test_cell_that_catches_it(guard):
    outcome = interrupted(guard, "import time\ntry:\n    time.sleep(8)\nexcept KeyboardInterrupt:\n    print('caught')")
    assert outcome.names == ["INTERRUPTED", "STDOUT", "REPLY"] and outcome.reply["status"] == "ok"


def test_handler_of_a_cell_is_replaced(guard):
    guard.execute("import signal; signal.signal(signal.SIGINT, signal.SIG_IGN);")
    assert interrupted(guard, "import time; time.sleep(8)").error == "KeyboardInterrupt"


def test_while_output_is_blocked(guard):
    """The kernel process takes nothing: the cell waits for the socket, and can be interrupted there."""
    cell = guard.start("while True: print('x' * 1000)")
    time.sleep(0.3)
    guard.interrupt()
    outcome = guard.collect(cell)
    assert outcome.error == "KeyboardInterrupt"
    assert set(outcome.stdout.split("\n")[:-2]) == {"x" * 1000}  # frames are whole
    assert guard.execute("1").result == "1"


def test_twice_in_a_row(guard):
    for _ in range(5):
        assert interrupted(guard, "import time; time.sleep(8)", 0.05).error == "KeyboardInterrupt"


def test_storm(guard):
    """Whatever the moment, there is one reply to each request."""
    for delay in range(20):
        cell = guard.start("for i in range(2000): print(i)")
        time.sleep(delay / 5000)
        guard.interrupt()
        assert guard.collect(cell).reply["status"] in ("ok", "error")
    time.sleep(0.05)
    assert guard.execute("'alive'").result == "'alive'"


def test_one_that_comes_before_the_cell_has_begun(guard):
    """The kernel process has sent the request and, at once, the interrupt."""
    for _ in range(50):
        cell = guard.start("import time; time.sleep(5)")
        guard.interrupt()
        assert guard.collect(cell).error == "KeyboardInterrupt"


def test_one_that_comes_after_the_reply(guard):
    for number in range(50):
        guard.execute("pass")
        guard.interrupt()
        wait_until_idle(guard)  # an interrupt empties the queue: the next request takes its way from the client
        assert guard.execute(f"{number}").result == str(number)
