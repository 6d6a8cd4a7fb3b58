"""allow(outside=True): tools in a process of their own, beside a guard with a set-up file."""

import textwrap
import time

import pytest
from guard_client import Guard

TIMEOUT_SECONDS = 30

TOOLS = """
import asyncio, os, signal, subprocess, sys, time
from safepyrun import *

@allow(outside=True)
def echo(word: str, *, upper: bool = False) -> str:
    "Say it."
    text = subprocess.run(["echo", word], capture_output=True, text=True).stdout.strip()
    return text.upper() if upper else text

@allow(outside=True)
def give(value):
    return value

@allow(outside=True)
def talk():
    print("from the tool")
    sys.stderr.write("complaint\\n")
    subprocess.run(["echo", "from its program"])
    return os.getpid()

@allow(outside=True)
async def later(value, seconds=0.0):
    await asyncio.sleep(seconds)
    return value

@allow(outside=True)
def count(number):
    for i in range(number):
        yield f"line {i}"
    return "end"

@allow(outside=True)
async def acount(number):
    for i in range(number):
        await asyncio.sleep(0)
        yield f"line {i}"

@allow(outside=True)
def fail(kind):
    if kind == "built-in":
        raise FileNotFoundError(2, "No such file", "/x")
    if kind == "other":
        raise subprocess.CalledProcessError(3, ["x"])
    if kind == "exit":
        sys.exit(5)
    os.kill(os.getpid(), signal.SIGSEGV)

@allow(outside=True, timeout_seconds=1)
def sleep(seconds):
    time.sleep(seconds)
    return "slept"

@allow(outside=True)
def sleep_long(mark):
    try:
        time.sleep(60)
    finally:
        open(mark, "w").close()

def only_hi(obj, args, kwargs, data):
    if args != ["hi"]:
        raise PermissionError("only hi")

@allow(outside=True, allow_policy=only_hi)
def checked(word):
    return word

@allow(outside=True, allow_policy=PosAllowPolicy(0))
def write(path):
    open(path, "w").close()
    return os.path.abspath(path)
"""


def start(folder, host, text=TOOLS, policy="ban_defs = false"):
    path = folder / "tools.py"
    path.write_text(textwrap.dedent(text))
    here = folder / "here"
    here.mkdir(exist_ok=True)
    return Guard(python=host, cwd=here, policy_file=f'{policy}\n[setup]\nfiles = ["{path}"]\n')


@pytest.fixture(scope="module")
def guard(host, tmp_path_factory):
    with start(tmp_path_factory.mktemp("tools"), host) as running:
        yield running


def run(guard, cell, result=None):
    outcome = guard.execute(cell, TIMEOUT_SECONDS)
    assert outcome.error is None, outcome.reply
    assert result is None or outcome.result == result, outcome.result
    return outcome


def fails(guard, cell, error, words=""):
    outcome = guard.execute(cell, TIMEOUT_SECONDS)
    assert outcome.error == error, (outcome.reply, outcome.result)
    assert words in outcome.reply["evalue"], outcome.reply["evalue"]


def test_a_tool_does_what_the_guard_may_not(guard):
    run(guard, "echo('hi')", "'hi'")
    run(guard, "echo('hi', upper=True)", "'HI'")
    fails(guard, "import subprocess; subprocess.run(['echo', 'hi'])", "PermissionError", "start a program")


def test_the_namespace_shows_the_real_function(guard):
    run(guard, "import inspect; str(inspect.signature(echo)), echo.__doc__, echo.__name__",
        "('(word: str, *, upper: bool = False) -> str', 'Say it.', 'echo')")
    run(guard, "[inspect.iscoroutinefunction(later), inspect.isgeneratorfunction(count), inspect.isasyncgenfunction(acount)]",
        "[True, True, True]")


def test_values_cross_as_json(guard):
    run(guard, "give([None, True, 2**70, 1.5, 'ü\\n\"', (1, 2), {'a': {}}])",
        "[None, True, 1180591620717411303424, 1.5, 'ü\\n\"', [1, 2], {'a': {}}]")
    run(guard, "give('x' * 1000000) == 'x' * 1000000", "True")


def test_output_goes_to_the_cell(guard):
    outcome = run(guard, "talk()")
    assert outcome.stdout == "from the tool\nfrom its program\n" and outcome.stderr == "complaint\n"


def test_coroutines_and_generators(guard):
    run(guard, "await later(3)", "3")
    run(guard, "import asyncio; await asyncio.gather(*(later(i, 0.1) for i in range(3)))", "[0, 1, 2]")
    run(guard, "list(count(3))", "['line 0', 'line 1', 'line 2']")
    run(guard, "[line async for line in acount(2)]", "['line 0', 'line 1']")
    run(guard, "g = count(10**9); next(g); g.close(); give(1)", "1")


def test_exceptions(guard):
    fails(guard, "fail('built-in')", "FileNotFoundError", "/x")
    fails(guard, "fail('other')", "ToolError", "fail: subprocess.CalledProcessError: Command")
    fails(guard, "fail('exit')", "ToolError", "SystemExit: 5")
    fails(guard, "give()", "TypeError", "missing 1 required positional argument")


def test_a_crash_is_an_exception_and_the_next_call_works(guard):
    fails(guard, "fail('crash')", "ToolError", "fail: the tool process was killed by SIGSEGV")
    run(guard, "give(1)", "1")


def test_the_time_limit(guard):
    started = time.monotonic()
    fails(guard, "sleep(60)", "TimeoutError", "sleep: the tool process exceeded its time limit")
    assert time.monotonic() - started < 5
    run(guard, "sleep(0)", "'slept'")


def test_the_policy_is_asked_on_the_other_side(guard):
    run(guard, "checked('hi')", "'hi'")
    fails(guard, "checked('ho')", "PermissionError", "checked is allowed, but not so: only hi")
    run(guard, "write('a.txt')")
    fails(guard, "write('/tmp/no.txt')", "PermissionError", "is not below")
    fails(guard, "write('.git/hooks')", "PermissionError", "is not below")
