"""allow(outside=True): tools in a process of their own, beside a guard with a set-up file."""

import pathlib
import sys
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


def start(folder, host, text=TOOLS, policy="ban_defs = false", shell="plain"):
    path = folder / "tools.py"
    path.write_text(textwrap.dedent(text))
    here = folder / "here"
    here.mkdir(exist_ok=True)
    return Guard(shell, python=host, cwd=here, policy_file=f'{policy}\n[setup]\nfiles = ["{path}"]\n')


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


@pytest.mark.parametrize("call", ["fail('built-in')", "give(print)", "list(count(1, 2))", "await later()"])
def test_an_error_shows_the_call_and_not_the_way_to_the_process(tmp_path, call):
    with start(tmp_path, sys.executable, shell="ipython") as running:
        outcome = running.execute(call, TIMEOUT_SECONDS)
        text = "\n".join(outcome.reply["traceback"])
        assert outcome.error is not None and "_outside.py" not in text and "Cell" in text, text


def test_output_goes_to_the_cell(guard):
    outcome = run(guard, "talk()")
    assert outcome.stdout == "from the tool\nfrom its program\n" and outcome.stderr == "complaint\n"


def test_coroutines_and_generators(guard):
    run(guard, "await later(3)", "3")
    run(guard, "import asyncio; await asyncio.gather(*(later(i, 0.1) for i in range(3)))", "[0, 1, 2]")
    run(guard, "list(count(3))", "['line 0', 'line 1', 'line 2']")
    run(guard, "[line async for line in acount(2)]", "['line 0', 'line 1']")
    outcome = run(guard, "try: await asyncio.wait_for(later(1, 60), 0.1)\nexcept TimeoutError: print('late')")
    assert outcome.stdout == "late\n"
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


HOSTILE = """
ran = []
def note(*args, **kwargs):
    ran.append(args)
    return 'evil'
names = ('__str__', '__repr__', '__eq__', '__hash__', '__iter__', '__len__', '__getitem__', '__format__', '__index__', '__int__',
         '__float__', '__bool__', 'encode', 'items', 'keys', '__class_getitem__', '__reduce__', '__json__')
def derive(base):
    return type('Hostile', (base,), {name: note for name in names if not (base is str and name == '__hash__')})
class Key(str):
    __slots__ = ()
    __eq__ = note
    __hash__ = str.__hash__
text, number, half, items, pair, table = (derive(base) for base in (str, int, float, list, tuple, dict))
"""


def test_a_class_of_the_cells_is_read_by_its_storage(guard):
    run(guard, HOSTILE)
    run(guard, "ran.clear(); give([text('a'), number(7), half(0.5), items([1]), pair((2,)), table(b=3), {Key('k'): 4}])",
        "['a', 7, 0.5, [1], [2], {'b': 3}, {'k': 4}]")
    run(guard, "ran", "[]")


REFUSED = {
    "object()": "TypeError", "b'x'": "TypeError", "{1, 2}": "TypeError", "{1: 2}": "TypeError", "give": "TypeError",
    "1j": "TypeError", "float('nan')": "ValueError", "float('inf')": "ValueError", "chr(0xd800)": "ValueError",
    "10 ** 5000": "ValueError", "'x' * 17_000_000": "ValueError",
}


def test_what_is_no_json_is_refused_before_it_is_sent(guard):
    for value, error in REFUSED.items():
        fails(guard, f"give({value})", error)
    fails(guard, "x = []; x.append(x); give(x)", "ValueError", "nested deeper than 64")


def test_calls_from_threads_and_tasks_at_once(guard):
    run(guard, "from concurrent.futures import ThreadPoolExecutor\n"
               "with ThreadPoolExecutor(6) as pool: found = list(pool.map(give, range(40)))\n"
               "found == list(range(40))", "True")
    run(guard, "import asyncio; await asyncio.gather(*(later(i) for i in range(40))) == list(range(40))", "True")


LIMITS = """
import os, signal, time
from safepyrun import allow
@allow(outside=True, timeout_seconds=1)
def stubborn():
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    print(os.getpid(), flush=True)
    time.sleep(60)
@allow(outside=True)
def spin():
    while True: pass
@allow(outside=True)
def fill():
    return len(bytearray(600 << 20))
@allow(outside=True)
def end():
    os._exit(3)
@allow(outside=True)
def give(value): return value
"""


def test_limits_of_the_policy(tmp_path):
    limits = "[limits]\ntool_cpu_seconds = 1\ntool_memory_mb = 400\n"
    with start(tmp_path, None, LIMITS, policy=limits) as running:
        fails(running, "fill()", "MemoryError")
        outcome = running.execute("stubborn()", TIMEOUT_SECONDS)
        assert outcome.error == "TimeoutError"
        deadline = time.monotonic() + 10
        while pathlib.Path(f"/proc/{int(outcome.stdout)}").exists():
            assert time.monotonic() < deadline, "it is still there"
            time.sleep(0.01)
        fails(running, "spin()", "ToolError", "used more CPU time than limits.tool_cpu_seconds = 1 permits")
        run(running, "give(1)", "1")
        # What they make now is not what the guard has seen; the process that runs has been that.
        (tmp_path / "tools.py").write_text(LIMITS.replace("def give", "def take"))
        run(running, "give(2)", "2")
        fails(running, "end()", "ToolError", "ended with exit status 3")
        fails(running, "give(3)", "RuntimeError", "the set-up files make other tools")


def test_only_set_up_files_register(guard):
    fails(guard, "give.__globals__['register'](print, None, None)", "RuntimeError", "is for set-up files")


def test_the_example_of_the_page(tmp_path):
    page = (pathlib.Path(__file__).parents[2] / "docs" / "allow.md").read_text().partition("## Tools that run outside")[2]
    with start(tmp_path, None, page.partition("```python\n")[2].partition("```")[0]) as running:
        (tmp_path / "here" / "notes.txt").write_text("one two\nthree\n")
        run(running, "word_count('notes.txt')", "3")
        run(running, "await wait(0.01); list(lines('notes.txt'))", "['one two', 'three']")
        (tmp_path / "here" / "link").symlink_to("/etc/passwd")
        fails(running, "list(lines('link'))", "PermissionError", "paths below this folder only")
        outcome = run(running, "%guard policy")
        assert "word_count (outside)" in outcome.stdout


# ---- what a cell sends that has taken the socket itself ---------------------------------------------

RAW = """
import array, json, os, socket, struct, stat
def bells():
    for fd in map(int, os.listdir('/proc/self/fd')):
        try:
            if stat.S_ISSOCK(os.fstat(fd).st_mode):
                one = socket.socket(fileno=os.dup(fd))
                if one.type == socket.SOCK_SEQPACKET:
                    yield one
        except OSError:
            pass
bell = next(bells())
def head(kind, tool=0, size=0, magic=0x4c4f4f54):
    return struct.pack('=5I', magic, kind, tool, 0, size)
def connection():
    return socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
def memory(text):
    fd = os.memfd_create('x'); os.write(fd, text); return fd
def ask(record, *more, expect=True):
    # A call, and all that comes back: (kind of message, text) until the end.
    ours, theirs = connection()
    socket.send_fds(bell, [record], [theirs.fileno(), *more])
    theirs.close()
    ours.settimeout(10)
    found = []
    while data := ours.recv(100000):
        found.append((struct.unpack('=5I', data[:20])[1], data[20:].decode()))
    return found
def call(text, tool=1, kind=2):
    return head(kind, tool, len(text)) + text
"""


@pytest.fixture(scope="module")
def raw(tmp_path_factory):
    with start(tmp_path_factory.mktemp("tools"), None, policy='preset = "open"\nos_ring = "off"') as running:
        run(running, RAW)
        yield running


RETURNED, RAISED = 8, 9

NO_CALLS = {
    "empty": "bell.send(b'')",
    "short": "bell.send(b'abc')",
    "noise": "bell.send(os.urandom(5000))",
    "too long a record": "bell.send(head(2, 1, 16384) + b' ' * 40000)",
    "no such type": "ask(call(b'[[1],{}]', kind=77)) == []",
    "the starter's own type": "ask(call(b'[[1],{}]', kind=3)) == []",
    "other names": "bell.send(call(b'evil', kind=1))",
    "no connection": "bell.send(call(b'[[1],{}]'))",
    "a connection that is none": "socket.send_fds(bell, [call(b'[[1],{}]')], [memory(b'')])",
    "too many descriptors": "ask(call(b'[[1],{}]'), *[memory(b'')] * 40) == []",
    "less text than said": "ask(head(2, 1, 50) + b'[[1],{}]') == []",
    "more text than said": "ask(head(2, 1, 1) + b'[[1],{}]') == []",
    "a text beyond the limit": "ask(head(2, 1, 2**32 - 1), memory(b'x')) == []",
}
BAD_CALLS = {
    "a tool that is none": "call(b'[[1],{}]', tool=2**32 - 1)",
    "no JSON": "call(b'[[1],{')",
    "no UTF-8": "call(b'[[\"\\xff\"],{}]')",
    "no list": "call(b'{}')",
    "three parts": "call(b'[[],{},[]]')",
    "NaN": "call(b'[[NaN],{}]')",
    "Infinity": "call(b'[[-Infinity],{}]')",
    "a float beyond all": "call(b'[[1e999],{}]')",
    "a lone surrogate": "call(b'[[\"\\\\ud800\"],{}]')",
    "deep": "call(b'[[' + b'[' * 5000 + b']' * 5000 + b'],{}]')",
    "rather deep": "call(b'[[' + b'[' * 70 + b']' * 70 + b'],{}]')",
    "a number of 10000 digits": "call(b'[[' + b'9' * 10000 + b'],{}]')",
    "memory that is shorter": "head(2, 1, 20000), memory(b'x')",
    "a pipe for memory": "head(2, 1, 20000), os.pipe()[0]",
    "a device for memory": "head(2, 1, 20000), os.open('/dev/zero', os.O_RDONLY)",
}


def test_the_raw_call_works(raw):
    run(raw, "ask(call(b'[[1],{}]'))[-1]", f"({RETURNED}, '1')")
    run(raw, "ask(head(2, 1, 20000), memory(b'[[1],{}]'.ljust(20000)))[-1]", f"({RETURNED}, '1')")


@pytest.mark.parametrize("name", NO_CALLS)
def test_what_is_no_call_is_dropped(raw, name):
    outcome = run(raw, NO_CALLS[name])
    assert outcome.result != "False"
    run(raw, "ask(call(b'[[1],{}]'))[-1]", f"({RETURNED}, '1')")


@pytest.mark.parametrize("name", BAD_CALLS)
def test_a_call_that_cannot_be_read_is_told(raw, name):
    run(raw, f"ask({BAD_CALLS[name]})[-1][0]", f"{RAISED}")


def test_more_calls_than_may_wait(raw):
    """Each has an answer; and what waits is dropped with its connection."""
    run(raw, "held = []\nfor i in range(90):\n    ours, theirs = connection()\n"
             "    socket.send_fds(bell, [call(b'[[0.9],{}]', tool=7)], [theirs.fileno()]); theirs.close(); held.append(ours)")
    run(raw, "import select, time; end = time.monotonic() + 5; found = 0\n"
             "while not found and time.monotonic() < end:\n"
             "    found = sum(b'too many' in one.recv(1000) for one in select.select(held, [], [], 1)[0])\n"
             "found > 0", "True")
    run(raw, "[one.close() for one in held]; ask(call(b'[[1],{}]'))[-1]", f"({RETURNED}, '1')")
