"""Cells that let somebody else make the call: no user code is on the stack, and still it is refused.

Threads, the event loop, atexit, descriptors that the compiler reads: each runs a built-in function that a
cell handed it. Under the default policy.
"""

import sys

import pytest

from guard_client import Guard, GuardDied

NATIVE = "import ctypes; ctypes.CDLL(None).puts(b'ESCAPED'); print('ESCAPED')"
EXEC = "import builtins; run = getattr(builtins, 'ex' + 'ec')\n"
POOL = "from concurrent.futures import ThreadPoolExecutor\npool = ThreadPoolExecutor()\n"

CELLS = {
    "thread": EXEC + f"import threading\nt = threading.Thread(target=run, args=({NATIVE!r},)); t.start(); t.join()",
    "timer": EXEC + f"import threading\nt = threading.Timer(0.01, run, args=({NATIVE!r},)); t.start(); t.join()",
    "pool": EXEC + POOL + f"pool.submit(run, {NATIVE!r}).result()",
    "event loop": EXEC + f"import asyncio\nasyncio.get_running_loop().call_soon(run, {NATIVE!r})\nawait asyncio.sleep(0.05)",
    "executor": EXEC + f"import asyncio\nawait asyncio.get_running_loop().run_in_executor(None, run, {NATIVE!r})",
    "atexit": EXEC + f"import atexit; atexit.register(run, {NATIVE!r}, {{}})",
    "function from code": "import builtins, types\n" + POOL
    + f"code = pool.submit(getattr(builtins, 'com' + 'pile'), {NATIVE!r}, 'f', 'exec').result()\n"
    + "function = pool.submit(types.FunctionType, code, {}).result()\nfunction()",
    "syntax tree": EXEC + "import ast, operator\nast.Name.x = run\n"
    + f"ast.Name.id = property(operator.methodcaller('x', {NATIVE!r}, {{}}), lambda self, value: None)",
    "native function": "import ctypes\n" + POOL + "library = pool.submit(ctypes.CDLL, None).result()\n"
    + "puts = pool.submit(getattr, library, 'puts').result()\npool.submit(puts, b'ESCAPED').result()",
    "program": "import os\n" + POOL + "pool.submit(os.system, 'echo ESCAPED').result()",
    "file": POOL + "pool.submit(open, '/ESCAPED', 'w').result()",
    "finalizer": EXEC + f"import weakref\nthing = {{1}}\nweakref.finalize(thing, run, {NATIVE!r})\ndel thing",
}


@pytest.mark.parametrize("host", [None, sys.executable], ids=["embedded", "module"])
@pytest.mark.parametrize("name", CELLS)
def test_refused(host, name, tmp_path):
    text, denials = "", 0
    with Guard(python=host, cwd=tmp_path) as guard:
        for code in (CELLS[name], "name_that_is_read", "1"):
            outcome = guard.execute(code)
            text += outcome.stdout
            denials += outcome.names.count("DENIAL")
        guard.send("SHUTDOWN", 0)
        with pytest.raises(GuardDied):
            while True:
                frame = guard.receive()
                denials += frame.name == "DENIAL"
                text += frame.text if frame.name == "STDOUT" else ""
        assert "ESCAPED" not in text + guard.pipe_text()
        assert denials, text


def test_a_guard_serves_once():
    with Guard(python=sys.executable, policy_file='preset = "open"') as guard:
        code = "import socket, sys\na, b = socket.socketpair()\nsys.modules['safepyrun._guard'].serve(b.fileno())"
        assert guard.execute(code).error == "RuntimeError"
