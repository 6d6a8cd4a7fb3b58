"""Completion, inspection, variables and is_complete are answered while a cell runs (docs/messages.md)."""

import os
import signal
import time

import pytest
from frontend import text
from long_cells import holds_the_gil

LIMIT = 1.0  # seconds; half a second is what the kernel process allows itself, the rest is the machine's
SLEEPS = "import time; print('on', flush=True); time.sleep(30)"
LOOPS = "print('on', flush=True)\nwhile True: pass"
HOLDS_THE_GIL = holds_the_gil(3 * LIMIT)

HOSTILE = """
ran = []
class Meta(type):
    def __getattribute__(self, name): ran.append('type.' + name); return type.__getattribute__(self, name)
    def __instancecheck__(self, other): ran.append('instancecheck'); return True
    def __dir__(self): ran.append('metadir'); return ['x']
class Key(str):
    def __eq__(self, other): ran.append('eq'); return str.__eq__(self, other)
    def __hash__(self): return str.__hash__(self)
    def startswith(self, *args): ran.append('startswith'); return True
class Trap:
    def __get__(self, obj, owner): ran.append('get'); return 1
class Hostile(metaclass=Meta):
    trap = Trap()
    __signature__ = Trap()
    __doc__ = Trap()
    __text_signature__ = Trap()
    def __init__(self, a=1): pass
    def __getattribute__(self, name): ran.append(name); return object.__getattribute__(self, name)
    def __getattr__(self, name): ran.append(name); return 1
    def __dir__(self): ran.append('dir'); return ['y']
    def __repr__(self): ran.append('repr'); return 'hostile'
    def __bool__(self): ran.append('bool'); return True
    def __len__(self): ran.append('len'); return 3
    def __call__(self): ran.append('call')
    @property
    def prop(self): ran.append('prop'); return self
    @property
    def __dict__(self): ran.append('dict'); return {}
    @property
    def __class__(self): ran.append('class'); return int
h = Hostile()
globals()[Key('hkey')] = h
def f(a=h, *, b=h): pass
f.__wrapped__ = h
holder = type('Holder', (), {})()
vars(holder)[Key('zzz')] = h
holder.inner = h
def trap(*args): ran.append('builtin')
def spoil_and_wait():
    import builtins, time
    names = ('isinstance', 'issubclass', 'vars', 'type', 'compile', 'callable', 'sorted', 'dir', 'dict')
    kept = {name: getattr(builtins, name) for name in names}
    print('on', flush=True)
    for name in names: setattr(builtins, name, trap)
    ran.clear()
    try: time.sleep(30)
    finally:
        result = ran.copy()
        for name in names: setattr(builtins, name, kept[name])
        ran[:] = result
"""


def start(front, code, **content):
    msg_id = front.execute(code, **content)
    front.until(msg_id, "stdout")
    return msg_id


def ask(front, msg_type, content=None):
    """The reply and the seconds that it took; it must come before that of the cell."""
    began = time.monotonic()
    msg_id = front.send("shell", msg_type, content)
    reply = front.receive("shell", timeout=LIMIT)
    assert reply.parent_id == msg_id, "the cell was answered first"
    assert [m.label for m in front.outputs(msg_id)] == ["busy", "idle"]
    return reply, time.monotonic() - began


def complete(front, code):
    return ask(front, "complete_request", {"code": code, "cursor_pos": len(code)})


def inspect(front, code):
    return ask(front, "inspect_request", {"code": code, "cursor_pos": len(code), "detail_level": 0})


def interrupt(front, msg_id):
    front.ask("interrupt_request", channel="control")
    return front.reply(msg_id)


@pytest.mark.parametrize("code", [SLEEPS, LOOPS], ids=["sleep", "loop"])
def test_the_interpreter_answers(front, code):
    front.run("import math, os\nseen_by_all = 5")
    msg_id = start(front, code)
    reply, took = complete(front, "seen_by")
    assert reply.content["status"] == "ok" and reply.content["matches"] == ["seen_by_all"]
    assert (reply.content["cursor_start"], reply.content["cursor_end"]) == (0, 7)
    assert reply.metadata == {"safepyrun": {"answered_by": "interpreter"}}
    assert took < LIMIT
    assert "path" in complete(front, "os.pa")[0].content["matches"]
    found = inspect(front, "math.sin(")[0].content
    assert found["found"] and "sin(x, /)" in found["data"]["text/plain"] and "sine" in found["data"]["text/plain"]
    assert not inspect(front, "no_such_name")[0].content["found"]
    variables = ask(front, "safepyrun_variables_request")[0].content
    assert {"name": "seen_by_all", "type": "int", "value": "5"} in variables["variables"]
    assert ask(front, "is_complete_request", {"code": "for i in x:"})[0].content == {"status": "incomplete", "indent": "    "}
    assert ask(front, "is_complete_request", {"code": "1 +"})[0].content["status"] == "invalid"
    # The interrupt is the cell's.
    assert interrupt(front, msg_id).content["ename"] == "KeyboardInterrupt"
    assert front.run("1")[0].content["status"] == "ok"


def test_input_may_wait(front):
    msg_id = front.execute("answer = input('? ')")
    question = front.receive("stdin")
    assert complete(front, "inpu")[0].content["matches"] == ["input"]
    front.answer_input("x", question)
    assert front.reply(msg_id).content["status"] == "ok"


def test_a_cell_that_holds_the_interpreter(start_kernel, shell):
    kernel = start_kernel(shell=shell, policy="[limits]\ncopies = 0")
    with kernel.frontend() as front:
        msg_id = start(front, HOLDS_THE_GIL)
        for reply, took in (complete(front, "seen_by"), inspect(front, "print"), ask(front, "safepyrun_variables_request")):
            assert reply.content["status"] == "ok" and took < LIMIT
            assert reply.metadata["safepyrun"]["answered_by"] is None and "holds it" in reply.metadata["safepyrun"]["why"]
        assert front.reply(msg_id, timeout=30).content["status"] == "ok"
        # What comes too late is dropped, and the session goes on.
        assert front.run("x")[0].content["status"] == "ok"


def test_a_frozen_copy_answers_for_it(start_kernel, shell):
    kernel = start_kernel(shell=shell)
    with kernel.frontend() as front:
        front.run("import math\nseen_by_all = 5")
        status = front.wait_for_copy()
        msg_id = start(front, "seen_by_none = 1; " + HOLDS_THE_GIL)
        reply, took = complete(front, "seen_by")
        assert reply.content["matches"] == ["seen_by_all"] and took < LIMIT
        assert reply.metadata == {"safepyrun": {"answered_by": "copy", "execution_count": 1}}
        # Two at once, and the copy is none the worse for it.
        both = [front.send("shell", "complete_request", {"code": code, "cursor_pos": 9}) for code in ("math.floo", "math.sqrt")]
        replies = {m.parent_id: m.content["matches"] for m in (front.receive("shell", LIMIT) for _ in both)}
        assert [replies[each] for each in both] == [["floor"], ["sqrt"]]
        os.kill(status["guard_pid"], signal.SIGKILL)
        assert "nothing else is lost" in front.reply(msg_id).content["evalue"]
        assert front.run("seen_by_all")[1][0].content["data"]["text/plain"] == "5"


def test_nothing_of_the_users_runs(start_kernel, shell):
    kernel = start_kernel(shell=shell, policy="ban_defs = false")
    with kernel.frontend() as front:
        assert front.run(HOSTILE)[0].content["status"] == "ok"
        msg_id = start(front, "spoil_and_wait()")
        for code in ("h", "h.", "h.prop", "h.trap.", "holder.", "holder.inner.", "Hostile.", "Hostile.tr", "f.", "is"):
            complete(front, code)
        for code in ("h", "Hostile", "f", "holder", "holder.inner", "h.prop", "Hostile.trap"):
            inspect(front, code)
        assert inspect(front, "f")[0].content["data"]["text/plain"].startswith("Signature: f(a=..., *, b=...)")
        ask(front, "safepyrun_variables_request")
        ask(front, "is_complete_request", {"code": "h"})
        interrupt(front, msg_id)
        assert text(front.run("print(ran)")[1]) == "[]\n"


def test_cells_do_not_meet_the_thread(front):
    msg_id = start(
        front,
        "import threading, time, sys\nprint('on', flush=True)\nend = time.time() + 0.6; seen = set()\n"
        "while time.time() < end: seen.update(t.name for t in threading.enumerate())",
    )
    while front.sockets["shell"].poll(0) == 0 and not front.unread["shell"]:
        other = front.send("shell", "complete_request", {"code": "threading.", "cursor_pos": 10})
        front.outputs(other)
    front.reply(msg_id, timeout=20)
    assert text(front.run("print(seen)")[1]) == "{'MainThread'}\n"
    assert front.run("sys._current_frames()")[0].content["ename"] == "PermissionError"


def test_what_a_cell_may_do_to_it(start_kernel, shell):
    """It can keep its own questions from being answered, and nothing more."""
    kernel = start_kernel(shell=shell)
    with kernel.frontend() as front:
        for harm in ("import signal; signal.signal(signal.SIGURG, signal.SIG_DFL)", "import os; os.close(6)", "import sys; sys.setswitchinterval(1e6)"):
            front.run(harm)
            msg_id = start(front, LOOPS)
            assert complete(front, "prin")[0].content["status"] == "ok"
            assert interrupt(front, msg_id).content["ename"] == "KeyboardInterrupt"


def test_no_thread_before_it_is_needed(start_kernel, shell):
    kernel = start_kernel(shell=shell)
    with kernel.frontend() as front:
        front.run("import time; x = 1")
        before = kernel.guard().num_threads()
        # Not so soon that it is the guard's to answer when the cell is over.
        msg_id = front.execute("time.sleep(1)")
        front.until(msg_id, "execute_input")
        assert kernel.guard().num_threads() == before
        assert "print" in complete(front, "prin")[0].content["matches"]
        assert kernel.guard().num_threads() == before + 1
        front.reply(msg_id)
        # Copies are taken all the same, and one that takes over has a thread of its own.
        status = front.wait_for_copy()
        msg_id = start(front, "print('on', flush=True); time.sleep(30)")
        os.kill(status["guard_pid"], signal.SIGKILL)
        assert front.reply(msg_id).content["ename"] == "GuardDied"
        msg_id = start(front, "print('on', flush=True); time.sleep(30)")
        assert complete(front, "prin")[0].metadata["safepyrun"]["answered_by"] == "interpreter"
        interrupt(front, msg_id)


def test_the_end_of_the_interpreter_answers(start_kernel):
    kernel = start_kernel(policy="[limits]\ncopies = 0")
    with kernel.frontend() as front:
        msg_id = start(front, HOLDS_THE_GIL)
        time.sleep(0.15)
        question = front.send("shell", "complete_request", {"code": "a", "cursor_pos": 1})
        time.sleep(0.05)
        kernel.guard().kill()
        replies = {m.parent_id: m for m in (front.receive("shell"), front.receive("shell"))}
        assert replies[question].content["status"] == "ok"
        assert replies[msg_id].content["ename"] == "GuardDied"
