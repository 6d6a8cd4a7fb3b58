"""pdb and breakpoint() with the guard on: the prompt is input(), and what is traced is the user's code alone."""

import sys
import time

import pytest
from guard_client import Guard
from pythons import PYTHONS

DOUBLE = "def double(n):\n    twice = 2 * n\n    return twice\n"
POLICY = 'ban_defs = false\nos_ring = "off"\n'
KINDS = {"plain": ("plain", None), "ipython": ("ipython", sys.executable), **{version: ("plain", python) for version, python in PYTHONS.items()}}


@pytest.fixture(scope="module", params=KINDS)
def guarded(request):
    shell, python = KINDS[request.param]
    with Guard(shell=shell, python=python, policy_file=POLICY) as running:
        yield running


@pytest.mark.parametrize("start", ["breakpoint()", "import pdb; pdb.set_trace()"])
def test_variables_and_continue(guarded, start):
    outcome = guarded.execute(f"x = 20\n{start}\nx += 1\nx", answers=["p x", "x = 41", "c"])
    assert outcome.result == "42", outcome.frames
    assert "20\n" in outcome.stdout
    assert all(request["password"] is False for request in outcome.all("INPUT_REQUEST"))


def test_break_step_and_assign_in_a_function(guarded):
    outcome = guarded.execute(DOUBLE + "breakpoint()\nvalue = double(4)\nvalue",
                              answers=["b double", "c", "s", "w", "p twice", "twice = 9", "c"])
    assert outcome.result == "9", outcome.stdout
    assert "double()" in outcome.stdout and "twice = 2 * n" in outcome.stdout and "\n8\n" in outcome.stdout


def test_breakpoints_stop_again(guarded):
    code = DOUBLE + "import pdb\ndebugger = pdb.Pdb()\ndebugger.set_trace()\n[double(i) for i in range(3)]"
    outcome = guarded.execute(code, answers=["b double, n == 2", "c", "p n", "c"])
    assert outcome.result == "[0, 2, 4]", outcome.frames
    assert "\n2\n" in outcome.stdout


def test_libraries_are_stepped_over(guarded):
    code = "import json, io\nbreakpoint()\ntext = json.dumps([1])\nlater = text\nlater"
    outcome = guarded.execute(code, answers=["s", "s", "s", "c"])
    assert "dumps(" not in outcome.stdout.replace("json.dumps([1])", "") and outcome.result == "'[1]'", outcome.stdout


def test_the_next_cell_is_not_traced(guarded):
    outcome = guarded.execute("breakpoint()\n1", answers=["n"] * 12)
    assert outcome.names.count("INPUT_REQUEST") < 12
    outcome = guarded.execute("import sys\nsys.gettrace()")
    assert outcome.result is None and "INPUT_REQUEST" not in outcome.names


def test_quit_ends_the_cell(guarded):
    outcome = guarded.execute("breakpoint()\nprint('never')", answers=["q", "y"])
    assert outcome.error in ("BdbQuit", "SystemExit") and "never\n" not in outcome.stdout.replace("print('never')", "")
    assert guarded.execute("6 * 7").result == "42"


def test_interrupt_at_the_prompt_ends_the_cell(guarded):
    cell = guarded.start("import pdb; pdb.set_trace()\nprint('never')")
    while guarded.receive().name != "INPUT_REQUEST":
        pass
    time.sleep(0.05)
    guarded.interrupt()
    outcome = guarded.collect(cell)
    assert outcome.error == "KeyboardInterrupt" and "STDIN" not in outcome.names
    assert guarded.execute("import sys; sys.gettrace(), 6 * 7").result == "(None, 42)"


def test_interrupt_while_the_debugged_code_runs(guarded):
    cell = guarded.start("import time\nbreakpoint()\ntime.sleep(8)")
    while guarded.receive().name != "INPUT_REQUEST":
        pass
    guarded.send("INPUT_REPLY", cell, b'{"value": "c"}')
    time.sleep(0.2)
    start = time.monotonic()
    guarded.interrupt()
    assert guarded.collect(cell).error == "KeyboardInterrupt" and time.monotonic() - start < 2
    assert guarded.execute("6 * 7").result == "42"


def test_post_mortem(guarded):
    outcome = guarded.execute("import pdb, sys\ntry:\n    one = 1\n    one / 0\nexcept ZeroDivisionError as error:\n    pdb.post_mortem()",
                              answers=["p one", "q"])
    assert outcome.reply["status"] == "ok" and "1\n" in outcome.stdout, outcome.frames


@pytest.mark.parametrize("line", ["open('/etc/evil', 'w')", "import os; os.system('true')", "import socket; socket.create_connection(('127.0.0.1', 9))",
                                  "__import__('os').kill(1, 0)"])
def test_what_is_typed_is_guarded(guarded, line):
    outcome = guarded.execute("breakpoint()\n'went on'", answers=[line, "c"])
    assert outcome.result == "'went on'", outcome.frames
    assert outcome.all("DENIAL") and "PermissionError" in outcome.stdout


def test_conditions_are_guarded(guarded):
    code = DOUBLE + "breakpoint()\ndouble(1)"
    outcome = guarded.execute(code, answers=["b double, __import__('os').system('true') == 0", "c", "c"])
    assert outcome.all("DENIAL"), outcome.frames


def test_jump_is_refused(guarded):
    outcome = guarded.execute("x = 1\nbreakpoint()\nx = 2\nx = 3\nx", answers=["jump 5", "c"])
    assert outcome.result == "3" and outcome.all("DENIAL"), outcome.frames


def test_without_stdin(guarded):
    outcome = guarded.execute("breakpoint()\n1", allow_stdin=False)
    assert outcome.error == "StdinNotImplementedError"
    assert guarded.execute("import sys; sys.gettrace(), 6 * 7").result == "(None, 42)"
