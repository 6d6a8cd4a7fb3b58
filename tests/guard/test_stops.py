"""The debugger of front ends in the guard alone, with every Python: where a cell stops, and what is served there."""

import json
import sys
import time

import pytest
from guard_client import OPEN, Guard
from pythons import PYTHONS
from stops import Stops

POLICY = 'ban_defs = false\nos_ring = "off"\n'
KINDS = {"plain": ("plain", None), "ipython": ("ipython", sys.executable), **{version: ("plain", python) for version, python in PYTHONS.items()}}
ADD = "def add(a, b):\n    c = a + b\n    return c\n"


@pytest.fixture(scope="module", params=KINDS)
def guarded(request):
    shell, python = KINDS[request.param]
    with Guard(shell=shell, python=python, policy_file=POLICY) as running:
        yield running


@pytest.fixture
def stops(guarded):
    stops = Stops(guarded)
    yield stops
    stops.set(attached=False)


def test_variables_are_read_and_assigned(stops):
    stops.start(ADD + "outer = 5\nadd(2, 3), outer", 2)
    reason, frames = stops.stopped()
    assert reason == "breakpoint" and [(each["name"], each["line"]) for each in frames] == [("add", 2), ("<module>", 5)]
    assert stops.variables(frames[0]) == {"a": "2", "b": "3"}
    assert stops.evaluate("[n for n in range(9) if a < n < 5]", frames[0])["result"] == "[3, 4]"
    assert stops.evaluate("b = 40; outer = 6", frames[0])["result"] == ""
    assert stops.evaluate("outer = 7", frames[1])["result"] == ""
    assert stops.variables(frames[0])["b"] == "40"
    stops.ask("continue")
    assert stops.done().result == "(42, 7)"


def test_steps(stops):
    stops.start(ADD + "one = add(1, 2)\ntwo = add(one, one)\ntwo", 4)
    seen = [stops.where()]
    for step in ("stepIn", "next", "next", "next"):
        stops.ask(step)
        seen.append(stops.where())
    assert seen == [("<module>", 4), ("add", 2), ("add", 3), ("<module>", 5), ("<module>", 6)]
    stops.ask("stepIn")
    assert stops.done().result == "6"


def test_step_out_of_a_recursion(stops):
    code = "def down(n):\n    if n:\n        down(n - 1)\n    return n\ndown(3)\nend = 1"
    stops.start(code, 4, condition="n == 0")
    assert stops.where() == ("down", 4)
    depths = []
    for _ in range(3):
        stops.set()
        stops.ask("stepOut")
        _, frames = stops.stopped()
        depths.append((len(frames), frames[0]["line"]))
    assert depths == [(4, 4), (3, 4), (2, 4)]
    stops.ask("continue")
    stops.done()


def test_generators_threads_and_libraries(stops):
    code = ("import json, threading\ndef numbers():\n    yield 1\n    yield 2\n"
            "def other(): return sum(numbers())\n"
            "thread = threading.Thread(target=other); thread.start(); thread.join()\n"
            "text = json.dumps(list(numbers()), default=other)\ntext")
    stops.start(code, 4)
    _, frames = stops.stopped()         # not in the thread: it has ended already
    assert [(each["name"], each["line"]) for each in frames] == [("numbers", 4), ("<module>", 7)]
    stops.ask("next")
    assert stops.where() == ("<module>", 8)
    stops.ask("continue")
    assert stops.done().result == "'[1, 2]'"


def test_a_cell_that_awaits(stops):
    stops.start("import asyncio\nasync def later():\n    await asyncio.sleep(0)\n    return 5\nvalue = await later()\nvalue", 4)
    assert stops.where() == ("later", 4)
    stops.guard.interrupt()
    outcome = stops.done()
    assert outcome.error == "KeyboardInterrupt"
    stops.set()
    assert stops.guard.execute("import asyncio\nawait asyncio.sleep(0, 3)").result == "3"


def test_a_line_without_code_means_the_next_one(stops):
    stops.start("# first\n\none = 1\nif one:\n    # second\n    two = 2\nelse:\n    two = 3\ntwo", 1, 5)
    assert stops.where() == ("<module>", 3)
    stops.ask("continue")
    assert stops.where() == ("<module>", 6)
    stops.ask("continue")
    assert stops.done().result == "2"


def test_exceptions(stops):
    code = "def fail():\n    here = 1\n    raise ValueError\ntry:\n    fail()\nexcept ValueError:\n    pass\nfail()"
    stops.start(code, filters=["uncaught"])
    reason, frames = stops.stopped()
    assert reason == "exception" and [each["line"] for each in frames] == [3, 8]
    assert stops.variables(frames[0]) == {"here": "1"}
    stops.evaluate("here = 2; other = 3", frames[0])        # of a frame that is over
    stops.ask("continue")
    assert stops.done().error == "ValueError"
    stops.start(code, filters=["raised"])
    for _ in range(2):
        assert stops.where() == ("fail", 3)
        stops.ask("continue")
    assert stops.done().error == "ValueError"


def test_pause_and_new_breakpoints_while_it_runs(stops):
    code = "n = 0\nwhile n >= 0:\n    n += 1"
    stops.start(code)
    time.sleep(0.1)
    stops.send("pause")
    assert stops.stopped()[0] == "pause"
    stops.ask("continue")
    stops.set(code, 3)
    _, frames = stops.stopped()
    assert frames[0]["line"] == 3
    stops.set()
    stops.evaluate("n = -5", frames[0])
    stops.ask("continue")
    assert stops.done().error is None


def test_an_answer_that_asks_and_prints(stops):
    stops.start(ADD + "add(1, 2)", 2)
    _, frames = stops.stopped()
    stops.send("evaluate", expression="print(input('? '))", context="repl", frameId=frames[0]["id"])
    stops.frame("INPUT_REQUEST")
    stops.guard.send("INPUT_REPLY", stops.cell, b'{"value": "yes"}')
    assert json.loads(stops.frame("DEBUG_REPLY").parts[0])["success"]
    stops.ask("continue")
    assert stops.done().result == "3"


def test_tracebacks_and_pdb_stay(stops):
    stops.start("import pdb; pdb.set_trace()\n1 / 0")
    outcome = stops.guard.collect(stops.cell, answers=["c"])
    assert outcome.error == "ZeroDivisionError"
    assert "/cells/" not in str(outcome.reply["traceback"])


def test_breakpoint_in_the_text_of_a_cell(stops):
    stops.start("first = 1\nbreakpoint()\nsecond = 2\nsecond")
    reason, frames = stops.stopped()
    assert (reason, frames[0]["line"]) == ("breakpoint", 3)
    stops.ask("continue")
    assert stops.done().result == "2"
    stops.set(attached=False)
    assert stops.guard.execute("breakpoint()\n3", answers=["c"]).result == "3"        # pdb


def test_a_module_of_the_users_own(tmp_path):
    own = tmp_path / "own.py"
    own.write_text("def twice(n):\n    return 2 * n\n")
    with Guard(policy_file=POLICY, cwd=tmp_path) as guard:
        stops = Stops(guard)
        stops.set("", 2, path=str(own))
        stops.cell = guard.start("import own\nown.twice(4)")
        reason, frames = stops.stopped()
        assert reason == "breakpoint" and [each["name"] for each in frames] == ["twice", "<module>"]
        assert frames[0]["source"]["path"] == str(own)
        assert stops.ask("source", source={"path": str(own)})["content"] == own.read_text()
        assert "refused" in stops.ask("source", source={"path": "/etc/shadow"})["message"]
        assert str(own) in [each["path"] for each in stops.ask("modules")["modules"]]
        stops.ask("continue")
        assert stops.done().result == "8"


def test_a_child_does_not_stop():
    code = "import os\nread, write = os.pipe()\nif os.fork() == 0:\n    os.write(write, b'x')\n    os._exit(0)\ngot = os.read(read, 1)\ngot"
    with Guard(policy_file=OPEN) as guard:
        stops = Stops(guard)
        stops.start(code, 4)
        assert stops.done().result == "b'x'"


def test_nothing_is_left_without_a_front_end(guarded):
    Stops(guarded).set(attached=False)
    assert guarded.execute("import sys\nsys.gettrace()").result is None
    Stops(guarded).set("1 + 1", 1, attached=False)
    assert guarded.execute("1 + 1").result == "2"
