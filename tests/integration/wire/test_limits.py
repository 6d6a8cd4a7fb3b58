"""[limits]: what a cell may take, enforced from outside, and how it is told."""

import time

import pytest
from frontend import only, text

LIMITS = 'preset = "open"\n[limits]\n'


@pytest.fixture
def limited(start_kernel, shell):
    """A kernel that lets everything pass but these limits."""

    def start(**limits):
        lines = "".join(f"{name} = {value}\n" for name, value in limits.items())
        return start_kernel(shell=shell, policy=LIMITS + lines).frontend()

    return start


def error_of(front, code, **keywords):
    """The error that a cell publishes, which is the one that it replies."""
    reply, outputs = front.run(code, **keywords)
    error = only(outputs, "error").content
    assert reply.content["status"] == "error"
    assert (reply.content["ename"], reply.content["evalue"]) == (error["ename"], error["evalue"])
    return error


def test_a_cell_that_runs_too_long_is_interrupted(limited):
    front = limited(timeout_seconds=1)
    front.run("x = 1")
    began = time.monotonic()
    error = error_of(front, "x = 2\nwhile True:\n    pass")
    assert 0.9 < time.monotonic() - began < 3
    assert error["ename"] == "LimitExceeded"
    assert error["evalue"].startswith("timeout_seconds = 1: ")
    assert "interrupted, at line" in error["evalue"]
    assert "KeyboardInterrupt" in "".join(error["traceback"])
    assert text(front.run("print(x)")[1]) == "2\n"      # only the cell is over


def wish(seconds):
    return {"safepyrun": {"timeout_seconds": seconds}}


def test_a_request_may_ask_for_less_time(limited):
    front = limited(timeout_seconds=60)
    error = error_of(front, "import time; time.sleep(30)", metadata=wish(1))
    assert error["evalue"].startswith("timeout_seconds = 1: ")
    assert front.run("time.sleep(1.2)")[0].content["status"] == "ok"


def test_a_request_cannot_ask_for_more_time(limited):
    front = limited(timeout_seconds=1)
    assert error_of(front, "import time; time.sleep(30)", metadata=wish(60))["evalue"].startswith("timeout_seconds = 1: ")


@pytest.mark.parametrize("seconds", [0, -1, "1", 1.5, None])
def test_a_wrong_deadline_is_named(limited, seconds):
    front = limited()
    reply = front.reply(front.execute("1", metadata=wish(seconds)))
    assert reply.content["status"] == "error" and "timeout_seconds" in reply.content["evalue"]


def test_a_cell_that_waits_too_long(limited):
    front = limited(timeout_seconds=1)
    error = error_of(front, "import asyncio\nawait asyncio.sleep(60)")
    assert error["evalue"].startswith("timeout_seconds = 1: ")
    assert front.run("await asyncio.sleep(0)")[0].content["status"] == "ok"


def test_a_cell_that_swallows_the_interrupt_is_told_all_the_same(limited):
    front = limited(timeout_seconds=1)
    error = error_of(front, "import time\ntry:\n    time.sleep(60)\nexcept KeyboardInterrupt:\n    y = 3")
    assert error["evalue"].startswith("timeout_seconds = 1: ")
    assert text(front.run("print(y)")[1]) == "3\n"


@pytest.mark.parametrize("code", [
    "while True:\n    try:\n        while True: pass\n    except KeyboardInterrupt: pass",
    "sum(range(10**11))",
    "import re\nre.match('(a+)+b', 'a' * 40 + 'c')",
], ids=["stubborn", "native", "regex"])
def test_what_does_not_heed_the_interrupt_is_ended(limited, code):
    front = limited(timeout_seconds=1, grace_seconds=1)
    front.run("1")
    began = time.monotonic()
    error = error_of(front, code)
    assert time.monotonic() - began < 5
    assert error["ename"] == "LimitExceeded"
    assert error["evalue"].startswith("timeout_seconds = 1: ")
    assert "at line " in error["evalue"]
    assert front.run("print('on')", timeout=20)[0].content["status"] == "ok"


def test_the_line_is_shown(limited):
    front = limited(timeout_seconds=1, grace_seconds=1)
    error = error_of(front, "a = 1\n\nfor i in range(9):\n    sum(range(10**11))\n")
    assert "at line 4: sum(range(10**11))" in error["evalue"]


def test_the_clock_stands_still_while_a_person_thinks(limited):
    front = limited(timeout_seconds=1)
    msg_id = front.execute("name = input('who? ')", allow_stdin=True)
    question = front.receive("stdin")
    time.sleep(1.5)
    front.answer_input("me", question)
    assert front.reply(msg_id).content["status"] == "ok"


def test_cpu_time(limited):
    front = limited(cpu_seconds=1)
    assert front.run("import time\ntime.sleep(1.2)")[0].content["status"] == "ok"
    error = error_of(front, "while True: pass")
    assert error["evalue"].startswith("cpu_seconds = 1: ")


def test_the_kernel_answers_while_a_cell_is_beyond_its_limits(limited):
    front = limited(timeout_seconds=1, grace_seconds=2)
    msg_id = front.execute("while True:\n    try:\n        while True: pass\n    except KeyboardInterrupt: pass")
    for _ in range(5):
        time.sleep(0.4)
        began = time.monotonic()
        front.ping()
        front.ask("kernel_info_request", channel="control")
        assert time.monotonic() - began < 1
    assert front.reply(msg_id).content["ename"] == "LimitExceeded"
