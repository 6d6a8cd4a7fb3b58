"""Subshells (JEP 91): cells that run beside each other in one namespace, each with its own outputs, queue and record."""

import os
import signal
import time

import psutil
import pytest
import zmq
from frontend import labels, only, text
from subshells import create, delete, listed, run, send

WAIT = "print('on', flush=True); "


@pytest.fixture
def subshell(front):
    made = create(front)
    yield made
    assert delete(front, made)["status"] == "ok"


def denied(reply):
    return [denial["subject"] for denial in reply.metadata["safepyrun"]["denials"]]


def test_life(front):
    front.run("import threading")
    before = text(front.run("print(threading.active_count())")[1])
    first, second = create(front), create(front)
    assert listed(front) == [first, second]
    assert int(text(front.run("print(threading.active_count())")[1])) == int(before) + 2
    ran = run(front, "print(threading.current_thread() is threading.main_thread(), threading.main_thread().name)", first)
    assert text(ran[1]) == "False MainThread\n"
    assert delete(front, first)["status"] == delete(front, second)["status"] == "ok"
    assert listed(front) == []
    assert text(front.run("print(threading.active_count())")[1]) == before
    reply, outputs = run(front, "1", first)
    assert reply.content["ename"] == "UnknownSubshellError" and [m.label for m in outputs] == ["busy", "idle"]
    assert delete(front, first)["status"] == "error"


def test_cells_run_beside_each_other(front, subshell):
    front.run("import threading, time; meet = threading.Barrier(2, timeout=10)")
    code = "name = '{0}'\nfor i in range(50): print('{0}', i); time.sleep(0.001)\nmeet.wait(); display('{0} is here'); own_{0} = '{0}'; '{0}'"
    msgs = [(name, send(front, code.format(name), where)) for name, where in (("main", None), ("beside", subshell))]
    counts = set()
    for name, msg_id in msgs:
        reply = front.reply(msg_id)
        assert reply.content["status"] == "ok", reply.content
        outputs = front.outputs(msg_id)
        assert text(outputs) == "".join(f"{name} {i}\n" for i in range(50))
        assert only(outputs, "display_data").content["data"]["text/plain"] == repr(f"{name} is here")
        result = only(outputs, "execute_result").content
        assert result["data"]["text/plain"] == repr(name)
        assert result["execution_count"] == reply.content["execution_count"] == only(outputs, "execute_input").content["execution_count"]
        assert f"own_{name} = " in text(front.run(f"print(In[{result['execution_count']}], Out[{result['execution_count']}])")[1])
        counts.add(result["execution_count"])
    assert len(counts) == 2
    assert text(run(front, "print(own_main, own_beside)", subshell)[1]) == "main beside\n"


def test_awaiting_and_errors(front, subshell):
    """A queue of its own: an error stops what waits there, and nothing else."""
    first = send(front, "import asyncio; await asyncio.sleep(0.2)\nraise ValueError('mine')", subshell)
    stopped = send(front, "1", subshell)
    ran = front.run("1")[0].content
    assert ran["status"] == "ok", ran
    reply = front.reply(first)
    assert (reply.content["ename"], reply.content["evalue"]) == ("ValueError", "mine")
    assert "await asyncio.sleep(0.2)" not in reply.content["traceback"][-1]
    assert front.reply(stopped).content["status"] == "aborted"
    assert front.ask("is_complete_request", {"code": "1"}, header={"subshell_id": subshell})["status"] == "complete"


def test_refusals_belong_to_their_cell(front, subshell):
    front.run("import time")
    code = "for i in range(20):\n    try: open('/etc/{0}', 'w')\n    except PermissionError: time.sleep(0.002)\nopen('/etc/{0}', 'w')"
    ours, theirs = send(front, code.format("ours"), None), send(front, code.format("theirs"), subshell)
    for msg_id, subject in ((ours, "/etc/ours"), (theirs, "/etc/theirs")):
        reply = front.reply(msg_id)
        assert reply.content["ename"] == "PermissionError" and subject in reply.content["evalue"]
        assert reply.metadata["safepyrun"]["denial_count"] == 21 and set(denied(reply)) == {subject}


def test_questions_reach_their_cell(front, subshell):
    ours, theirs = send(front, "a = input('main?')", None), send(front, "b = input('beside?')", subshell)
    asked = {m.parent_id: m for m in (front.receive("stdin"), front.receive("stdin"))}
    assert (asked[ours].content["prompt"], asked[theirs].content["prompt"]) == ("main?", "beside?")
    front.answer_input("to beside", asked[theirs])
    assert front.reply(theirs).content["status"] == "ok"
    front.answer_input("to main", asked[ours])
    assert front.reply(ours).content["status"] == "ok"
    assert text(run(front, "print(a, b)", subshell)[1]) == "to main to beside\n"


def test_questions_wait_for_a_client_that_is_still_connecting(kernel):
    with kernel.frontend() as front:
        subshell = create(front)
        front.sockets["stdin"].close()
        time.sleep(0.3)  # the kernel has noticed
        msgs = [send(front, WAIT + f"input('{where}?')", where) for where in (None, subshell)]
        for msg_id in msgs:
            front.until(msg_id, "stdout")
        time.sleep(0.3)
        front.sockets["stdin"] = front.connect("stdin", zmq.DEALER, identity=front.identity)
        asked = {m.parent_id: m for m in (front.receive("stdin"), front.receive("stdin"))}
        for msg_id in msgs:
            front.answer_input("late", asked[msg_id])
            assert front.reply(msg_id).content["status"] == "ok"
        delete(front, subshell)


def test_interrupts(front, subshell):
    """Without a name they are for the main shell; with that of a subshell for its cell."""
    ours = send(front, WAIT + "import time; time.sleep(30)", None)
    theirs = send(front, WAIT + "\nwhile True: pass", subshell)
    waiting = send(front, "1", subshell)
    front.until(ours, "stdout"), front.until(theirs, "stdout")
    front.ask("interrupt_request", channel="control")
    assert front.reply(ours).content["ename"] == "KeyboardInterrupt"
    assert front.sockets["shell"].poll(100) == 0
    front.ask("interrupt_request", channel="control", header={"subshell_id": subshell})
    assert front.reply(theirs).content["ename"] == "KeyboardInterrupt"
    assert front.reply(waiting).content["status"] == "aborted"


def test_a_cell_that_keeps_its_subshell_from_ending(front):
    """Who deletes the subshell waits for it, and nobody else could end it."""
    doomed = create(front)
    cell = send(front, WAIT + "\nwhile True: pass", doomed)
    front.until(cell, "stdout")
    deletion = front.send("control", "delete_subshell_request", {"subshell_id": doomed})
    assert listed(front) == []
    assert front.ask("interrupt_request", channel="control", header={"subshell_id": doomed}) == {"status": "ok"}
    assert front.reply(cell).content["ename"] == "KeyboardInterrupt"
    assert front.reply(deletion, channel="control").content == {"status": "ok"}
    reply = front.ask("interrupt_request", channel="control", header={"subshell_id": doomed})
    assert reply["ename"] == "UnknownSubshellError"


def test_an_interrupt_hits_the_cell_that_it_was_sent_for(front, subshell):
    """Right after the cell was sent, and about when it is over: the next one is never hit."""
    for pause in range(20):
        early = send(front, "while True: pass", subshell)
        front.until(early, "busy")
        front.ask("interrupt_request", channel="control", header={"subshell_id": subshell})
        assert front.reply(early).content.get("ename") == "KeyboardInterrupt"
        late = send(front, "1", subshell)
        front.until(late, "busy")
        time.sleep(pause / 20_000)
        front.ask("interrupt_request", channel="control", header={"subshell_id": subshell})
        assert front.reply(late).content["status"] in ("ok", "error")
        assert run(front, "1", subshell)[0].content["status"] == "ok"


def test_what_an_interrupt_has_ended_is_told(front, subshell):
    """Before the cell's first instruction, in its midst, and while it tells how it went: with a message, or not at all."""
    for pause in range(60):
        ours = send(front, "1 / 0" if pause % 2 else "1", subshell)
        front.until(ours, "busy")
        time.sleep(pause / 40_000)
        front.ask("interrupt_request", channel="control", header={"subshell_id": subshell})
        reply, outputs = front.reply(ours).content, labels(front.outputs(ours))
        if reply["status"] == "aborted":
            continue
        assert outputs.count("error") == (reply["status"] == "error"), (reply, outputs)
        assert reply["execution_count"] == front.ask("safepyrun_status_request", channel="control")["execution_count"]


def test_an_interrupt_ends_a_sleep(front, subshell):
    """That one: what comes after it sleeps as long as it was told to."""
    code = "import time\nprint('on', flush=True)\ntry: time.sleep(30)\nexcept KeyboardInterrupt: began = time.monotonic(); time.sleep(0.3); print(time.monotonic() - began >= 0.3)"
    asleep = send(front, code, subshell)
    front.until(asleep, "stdout")
    front.ask("interrupt_request", channel="control", header={"subshell_id": subshell})
    assert text(front.outputs(asleep)) == "True\n"
    reply = run(front, "time.sleep(-1)", subshell)[0].content
    assert (reply["ename"], reply["evalue"]) == ("ValueError", "sleep length must be non-negative")


def test_a_cell_that_awaited_and_was_interrupted_is_over(front, subshell):
    """Between two steps of its task, too, where the interrupt meets the loop and not the cell."""
    cell = send(front, "import asyncio\nwhile True: print('on'); await asyncio.sleep(0.02)", subshell)
    front.until(cell, "stdout")
    front.ask("interrupt_request", channel="control", header={"subshell_id": subshell})
    assert front.reply(cell).content["ename"] == "KeyboardInterrupt"
    front.outputs(cell)
    reply, outputs = run(front, "await asyncio.sleep(0.1); print('next')", subshell)
    assert reply.content["status"] == "ok" and text(outputs) == "next\n"
    assert not [message for message in front.unread["iopub"] if message.parent_id == cell]


def test_the_loop_of_a_subshell_goes_with_it(front):
    def descriptors():
        return int(only(front.run("import gc, os; gc.disable(); len(os.listdir('/proc/self/fd'))")[1], "execute_result").content["data"]["text/plain"])

    before = descriptors()
    for _ in range(5):
        made = create(front)
        assert run(front, "import asyncio; await asyncio.sleep(0)", made)[0].content["status"] == "ok"
        delete(front, made)
    after = descriptors()
    front.run("gc.enable()")
    assert after <= before + 3     # the main thread's own loop


def test_payloads_go_with_their_cells_reply(front, subshell):
    front.run("import threading; meet = threading.Barrier(2, timeout=10)")
    code = "meet.wait(); print(callable({0})); meet.wait(); {0}(keep_kernel=True) if '{0}' == 'exit' else None; meet.wait()"
    ours, theirs = send(front, code.format("len"), None), send(front, code.format("exit"), subshell)
    assert front.reply(ours).content["payload"] == []
    assert [payload["source"] for payload in front.reply(theirs).content["payload"]] == ["ask_exit"]


def test_what_is_the_main_shells_alone(front, subshell):
    for code in ("%rewind", "%guard reset", "%trial x = 1"):
        reply = run(front, code, subshell)[0]
        assert reply.content["ename"] == "SubshellError" and "main shell only" in reply.content["evalue"]
    msgs = [send(front, code, subshell) for code in ("import time; time.sleep(0.2)", "%rewind", "1")]
    assert [front.reply(msg).content["status"] for msg in msgs] == ["ok", "error", "aborted"]
    # What a cell can reach of the thread does nothing.
    reply, outputs = front.run("import threading\n[t] = [t for t in threading.enumerate() if t.name.startswith('Subshell')]\nt._target()")
    assert reply.content["ename"] == "RuntimeError"


def test_they_survive_the_guard(start_kernel, shell):
    """Copies are taken while subshells idle, and whatever takes the guard's place has threads for them."""
    kernel = start_kernel(shell=shell)
    with kernel.frontend() as front:
        front.run("import threading, time")
        subshell = create(front)
        run(front, "kept = 'kept'", subshell)
        guard = front.wait_for_copy()["guard_pid"]
        theirs = send(front, WAIT + "time.sleep(30)", subshell)
        front.until(theirs, "stdout")
        front.run("lost = 1")
        deadline = time.monotonic() + 5  # on a busy machine a copy lets others go first
        while (hindrance := front.ask("safepyrun_status_request")["copy_hindrance"]) is None and time.monotonic() < deadline:
            time.sleep(0.02)
        assert hindrance == "a subshell is at work"
        ours = send(front, WAIT + "time.sleep(30)", None)
        front.until(ours, "stdout")
        os.kill(guard, signal.SIGKILL)
        assert front.reply(ours).content["ename"] == front.reply(theirs).content["ename"] == "GuardDied"
        assert listed(front) == [subshell]
        assert text(run(front, "print(kept, 'lost' in globals(), threading.active_count())", subshell)[1]) == "kept False 2\n"
        front.wait_for_copy()
        front.run("x = 1")
        assert front.run("%rewind")[0].content["status"] == "ok"
        assert text(run(front, "print('back')", subshell)[1]) == "back\n"


@pytest.mark.parametrize("ordered", ["create_subshell_request", "delete_subshell_request"])
def test_what_the_guard_was_told_about_subshells_when_it_ended(start_kernel, shell, ordered):
    """A copy that takes over listens at the same socket: what lay there was not for it."""
    with start_kernel(shell=shell).frontend() as front:
        first = create(front)
        front.run("kept = 1")
        guard = front.wait_for_copy()["guard_pid"]
        os.kill(guard, signal.SIGSTOP)
        order = front.send("control", ordered, {"subshell_id": first} if ordered.startswith("delete") else {})
        front.ask("safepyrun_status_request", channel="control")     # so the one before has been taken
        os.kill(guard, signal.SIGKILL)
        assert front.reply(order, channel="control").content["status"] == "ok"
        for made in [*listed(front), create(front)]:
            assert text(run(front, "print(kept)", made)[1]) == "1\n"
        assert len(listed(front)) == (3 if ordered.startswith("create") else 1)
        assert text(front.run("import threading; print(threading.active_count())")[1]) == f"{1 + len(listed(front))}\n"


@pytest.mark.unsanitized
def test_one_that_is_made_while_there_is_no_room_for_a_thread(start_kernel):
    """Nor for the one that would make it."""
    kernel = start_kernel(policy="[limits]\ncopies = 0\n")
    with kernel.frontend() as front:
        full = front.execute("import time\nprint('on', flush=True)\nfor i in range(100): time.sleep(0.01)")
        front.until(full, "stdout")
        guard = psutil.Process(kernel.guard().pid)
        before = guard.rlimit(psutil.RLIMIT_AS)
        guard.rlimit(psutil.RLIMIT_AS, (guard.memory_info().vms + (4 << 20), before[1]))
        asks = front.send("control", "create_subshell_request", {})
        time.sleep(0.3)
        guard.rlimit(psutil.RLIMIT_AS, before)
        assert front.reply(full).content["status"] == "ok"
        subshell = front.reply(asks, channel="control").content["subshell_id"]
        assert run(front, "1", subshell)[0].content["status"] == "ok"


def test_time_limit(start_kernel, shell):
    kernel = start_kernel(shell=shell, policy="[limits]\ntimeout_seconds = 1\ngrace_seconds = 1\ncopies = 0\n")
    with kernel.frontend() as front:
        subshell = create(front)
        assert run(front, "while True: pass", subshell)[0].content["ename"] == "KeyboardInterrupt"
        assert run(front, "import time; time.sleep(30)", subshell)[0].content["ename"] == "KeyboardInterrupt"
        reply = run(front, "import threading; lock = threading.Lock(); lock.acquire(); lock.acquire()", subshell)[0]
        assert reply.content["ename"] == "GuardDied" and "timeout_seconds" in reply.content["evalue"]
        assert front.run("1")[0].content["status"] == "ok"
        assert run(front, "1", subshell)[0].content["status"] == "ok"


def test_a_context_of_a_subshell_in_the_main_shell(start_kernel, tmp_path):
    """A callback that was made in a subshell is run by the main thread in its context: nobody can be asked, and that is all."""
    front = start_kernel(policy='on_deny = "ask"\nban_defs = false\n').frontend()
    beside = create(front)
    msg_id = send(front, "import contextvars, threading; context = contextvars.copy_context(); go = threading.Event(); " + WAIT + "go.wait(20)", beside)
    front.until(msg_id, "stdout")
    reply, _ = front.run(f"context.run(open, '{tmp_path}/x', 'w')", allow_stdin=True)
    assert reply.content["ename"] == "PermissionError"
    front.run("go.set()")
    assert front.reply(msg_id).content["status"] == "ok"


def test_a_person_who_thinks_costs_no_other_cell_its_time(start_kernel, tmp_path):
    """Meanwhile no thread of the interpreter runs: one could change what is asked about."""
    front = start_kernel(policy='on_deny = "ask"\nban_defs = false\n[limits]\ntimeout_seconds = 2\ngrace_seconds = 1\n').frontend()
    beside = create(front)
    front.run("import time")
    msg_id = send(front, WAIT + "[time.sleep(0.1) for i in range(10)]; 'done'", beside)
    front.until(msg_id, "stdout")
    asking = front.execute(f"open('{tmp_path}/x', 'w')", allow_stdin=True)
    question = front.receive("stdin")
    time.sleep(3.5)
    front.answer_input("no", question)
    assert front.reply(asking).content["ename"] == "PermissionError"
    assert front.reply(msg_id).content["status"] == "ok"
