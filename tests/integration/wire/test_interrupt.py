"""interrupt_request and SIGINT: what runs stops, what waits is aborted, the kernel lives."""

import json
import os
import signal
import time

import pytest
from frontend import text

CELLS = {
    "power of a large number": "print('on', flush=True); n = 3 ** (10 ** 9)",
    "thread": "import threading, time\nt = threading.Thread(target=time.sleep, args=(8,), daemon=True); t.start(); print('on', flush=True); t.join()",
    "sleep": "import time; print('on', flush=True); time.sleep(30)",
    "loop": "print('on', flush=True)\nwhile True: pass",
    "await": "import asyncio; print('on', flush=True); await asyncio.sleep(30)",
    "gather": "import asyncio; print('on', flush=True); await asyncio.gather(*[asyncio.sleep(30) for _ in range(3)])",
}


def interrupt_by_message(kernel, front):
    assert front.ask("interrupt_request", channel="control") == {"status": "ok"}


def interrupt_by_signal(kernel, front):
    os.killpg(kernel.process.pid, signal.SIGINT)


WAYS = pytest.mark.parametrize("interrupt", [interrupt_by_message, interrupt_by_signal], ids=["message", "signal"])


def started(front, code, **content):
    msg_id = front.execute(code, **content)
    front.until(msg_id, "stdout")
    return msg_id


@WAYS
@pytest.mark.parametrize("cell", CELLS)
def test_interrupt(kernel, front, interrupt, cell):
    msg_id = started(front, CELLS[cell])
    time.sleep(0.1)
    began = time.monotonic()
    interrupt(kernel, front)
    reply = front.reply(msg_id, timeout=5).content
    assert reply["status"] == "error"
    assert reply["ename"] == "KeyboardInterrupt"
    assert time.monotonic() - began < 1.5
    assert text(front.run("print('alive')")[1]) == "alive\n"


@WAYS
def test_interrupt_of_input(kernel, front, interrupt):
    msg_id = front.execute("input('? ')", allow_stdin=True)
    front.receive("stdin")
    interrupt(kernel, front)
    assert front.reply(msg_id, timeout=5).content["ename"] == "KeyboardInterrupt"


@WAYS
def test_interrupt_aborts_what_waits(kernel, front, interrupt):
    msg_id = started(front, CELLS["sleep"])
    waiting = front.execute("print('never')")
    front.reply(front.send("shell", "kernel_info_request", {}))  # answered: what came before is queued
    interrupt(kernel, front)
    first, second = (front.take("shell", lambda message: True, timeout=5) for _ in range(2))
    assert (first.parent_id, first.content["ename"]) == (msg_id, "KeyboardInterrupt")    # replies keep their order
    assert (second.parent_id, second.content) == (waiting, {"status": "aborted"})


@WAYS
def test_a_cell_that_takes_the_interrupt_itself_is_no_reason_to_run_what_waited(front, kernel, interrupt):
    msg_id = started(front, "import time\ntry: print('in', flush=True); time.sleep(20)\nexcept KeyboardInterrupt: pass")
    waiting = front.execute("print('never')")
    front.reply(front.send("shell", "kernel_info_request", {}))
    interrupt(kernel, front)
    assert front.reply(msg_id, timeout=5).content["status"] == "ok"
    assert front.reply(waiting, timeout=5).content == {"status": "aborted"}
    assert text(front.run("print('alive')")[1]) == "alive\n"


@WAYS
def test_idle_kernel_is_not_hurt(kernel, front, interrupt):
    for _ in range(5):
        interrupt(kernel, front)
    assert text(front.run("print('alive')")[1]) == "alive\n"


@WAYS
def test_many_interrupts_at_the_end_of_a_cell(kernel, front, interrupt):
    """The one that comes too late must not hit the next cell or the idle guard."""
    for _ in range(20):
        msg_id = front.execute("import time; time.sleep(0.002)")
        interrupt(kernel, front)
        assert front.reply(msg_id).content["status"] in ("ok", "error", "aborted")
    time.sleep(0.1)
    reply, outputs = front.run("import time; time.sleep(0.05); print('alive')")
    assert reply.content["status"] == "ok", reply.content
    assert text(outputs) == "alive\n"


def test_a_cell_may_catch_it(kernel, front):
    code = "import time\ntry:\n    print('on', flush=True); time.sleep(30)\nexcept KeyboardInterrupt:\n    print('caught')"
    msg_id = started(front, code)
    interrupt_by_message(kernel, front)
    assert front.reply(msg_id, timeout=5).content["status"] == "ok"
    assert "caught" in text(front.outputs(msg_id))


def test_inherited_ignored_sigint_does_not_matter(start_kernel, shell):
    """A launcher in a shell's background leaves SIGINT ignored to its children."""
    kernel = start_kernel(shell=shell, prefix=["sh", "-c", 'trap "" INT; exec "$@"', "sh"])
    front = kernel.frontend()
    msg_id = started(front, CELLS["loop"])
    interrupt_by_message(kernel, front)
    assert front.reply(msg_id, timeout=5).content["ename"] == "KeyboardInterrupt"


NATIVE = "import itertools, collections\nlost = 1\nprint('on', flush=True)\ncollections.deque(itertools.repeat(0), maxlen=0)"


def test_native_code_that_takes_no_notice(start_kernel, shell):
    """It can run for ever: a second interrupt ends it, and what was there before the cell is kept."""
    kernel = start_kernel(shell=shell)
    front = kernel.frontend()
    front.run("kept = 41")
    front.wait_for_copy()
    msg_id = started(front, NATIVE)
    time.sleep(0.3)     # Python is in it by now
    interrupt_by_message(kernel, front)
    assert "Interrupt again" in front.until(msg_id, "stderr", timeout=5)[-1].content["text"]
    interrupt_by_message(kernel, front)
    reply = front.reply(msg_id, timeout=5).content
    assert reply["ename"] == "KeyboardInterrupt" and "as it was before" in reply["evalue"], reply
    assert "line 4: collections.deque" in reply["evalue"]
    assert text(front.run("print(kept, 'lost' in dir())")[1]) == "41 False\n"


def test_a_cell_that_takes_interrupts_itself_is_not_ended(start_kernel, shell):
    """Python has met each of them: however many there are, the cell goes on."""
    kernel = start_kernel(shell=shell)
    front = kernel.frontend()
    front.run("import time")
    front.wait_for_copy()
    msg_id = started(front, "print('on', flush=True)\nfor n in range(3):\n    try: time.sleep(20)\n    except KeyboardInterrupt: print('met', n, flush=True)")
    for n in range(3):
        time.sleep(0.1)
        interrupt_by_message(kernel, front)
        assert front.until(msg_id, "stdout", timeout=5)[-1].content["text"] == f"met {n}\n"
        time.sleep(1.1)
    assert front.reply(msg_id, timeout=5).content["status"] == "ok"


@pytest.mark.unsanitized
def test_interrupts_that_pile_up_on_shell(start_kernel):
    """Each takes in what was sent before it: not one inside of the other, until the stack is used up."""
    front = start_kernel(prefix=("prlimit", "--stack=262144")).frontend()
    front.run("1")
    sent = []
    for _ in range(6000):
        frames = [json.dumps(part).encode() for part in (front.header("interrupt_request"), {}, {}, {})]
        sent.append((frames, front.sign(frames)))
    front.send("control", "kernel_info_request", {"long": "x" * 150_000_000})   # it reads this, and they pile up
    for frames, signature in sent:
        front.send_frames("shell", frames, signature=signature)
    assert front.run("6 * 7")[0].content["status"] == "ok"
