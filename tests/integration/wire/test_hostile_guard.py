"""The kernel process believes no guard: one that answers at random costs itself, and nobody else.

Frames of every type, mostly for cells that run, so that they get past the first look; copies that take over, or say the wrong
thing, or end; meanwhile a client does what clients do.
"""

import random
import re
import time

import hostile_guard
import psutil
import pytest
import zmq
from debugger import Debugger
from frontend import labels

GUARD = r"""
import array, os, random, select, signal, time

chance = random.Random(SEED)
recent, numbers = [], [b"1"]
copies = socket.socket(fileno=os.dup(link.fileno() + 2))  # DESCRIPTOR_COPIES
copies.setblocking(False)
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
one_of = chance.choice
aside = socket.socket(fileno=os.dup(link.fileno() + 3))   # DESCRIPTOR_ASIDE
aside.setblocking(False)
ASIDE = struct.Struct("=IIq")
OPEN, CLOSE = 1001, 1002
subshells = {}

def encode(value):
    return json.dumps(value).encode()

def any_number():
    return b"%d" % chance.randrange(25)

FRAMES = {
    "STDOUT": lambda: [b"x" * one_of([0, 1, 5000])],
    "STDERR": lambda: [b"\xff\n"],
    "DISPLAY_DATA": lambda: [encode({"data": {"text/plain": "x"}, "metadata": {}}), b"{}"],
    "UPDATE_DISPLAY_DATA": lambda: [encode({"data": {}}), b"{}"],
    "CLEAR_OUTPUT": lambda: [encode({"wait": one_of([True, 1])}), b"{}"],
    "EXECUTE_RESULT": lambda: [encode({"data": {"text/plain": "r"}, "execution_count": one_of([1, -1, "x"])}), b"{}"],
    "ERROR": lambda: [encode({"ename": one_of(["E", 1]), "evalue": "v", "traceback": one_of([["a"], "x", [1]])}), b"{}"],
    "COMM_OPEN": lambda: [encode({"comm_id": one_of("ab"), "target_name": "t", "data": {}}), b"{}"],
    "COMM_MSG": lambda: [encode({"comm_id": one_of("ab"), "data": {}}), b"{}", b"buffer"],
    "COMM_CLOSE": lambda: [encode({"comm_id": one_of("ab")}), b"{}"],
    "INPUT_REQUEST": lambda: [encode({"prompt": "p", "password": False})],
    "ASK": lambda: [any_number(), any_number(), b"5", one_of([b"/tmp/x", b"", b"\xff" * 600])],
    "ERRAND": lambda: [any_number(), one_of([b"sh", b"pip"]), b"show", one_of([b"show", b"join", b"keep"]), one_of([b"/tmp", b"/none"]), b"true"],
    "ERRAND_END": lambda: [any_number()],
    "ASIDE": lambda: one_of([[], [b'{"status":"ok"}']]),
    "SUBSHELL": lambda: [one_of([b"open", b"closed", b"failed"])],
    "REPLY": lambda: one_of([[], [encode({"status": one_of(["ok", "error", "aborted", 1]), "execution_count": 1, "ename": "E", "evalue": "v",
                                          "traceback": []}), b"{}"]]),
    "DEBUG_REPLY": lambda: [encode({"type": "response", "success": True, "body": {"variables": []}}), one_of(numbers)],
    "DEBUG_EVENT": lambda: [encode({"event": one_of(["stopped", "continued", "x"]), "body": {}})],
    "NOT_FROZEN": lambda: [b"because"],
    "THAWED": lambda: [],
    "INTERRUPTED": lambda: [],
    "LOG": lambda: [b"info", b"line"],
    "IMPORTED": lambda: [b"numpy"],
    "DENIAL": lambda: [one_of([encode({"event": "open", "rule": "r", "subject": "s", "what": "w", "why": "y", "remedy": "r", "message": "m"}),
                               encode({"skipped": one_of([1, -5, "x", 10 ** 30])}), b"{}"])],
}
NAMES = [*FRAMES, "REPLY", "REPLY", "REPLY"]
NAMED = {number: name for name, number in NUMBER.items()}

def freeze(number):
    global link
    try:
        while True:
            found, more, _, _ = copies.recvmsg(16, 256)
            passed = array.array("i", more[0][2])
            if found == number:
                break
    except (OSError, IndexError):
        return
    if chance.random() < 0.2 or os.fork():
        os.close(passed[0])
        return
    os.setsid()
    chance.seed(os.getpid())
    link = socket.socket(fileno=passed[0])
    link.setblocking(True)
    for _ in range(one_of([0, 1, 1, 1, 1, 1, 2])):
        send("FROZEN", 0)
    while NAMED[receive()[0]] != "THAW":
        if chance.random() < 0.2:
            os._exit(0)
    recent.clear()
    subshells.clear()
    send("THAWED", 0)

def answer_aside(kind, cell, until):
    how = chance.random()
    body = one_of([b"{}", b'{"status":"ok","data":{"text/html":"x"}}', b"nonsense", b"", b"[]", b'{"a":"' + b"x" * 100000 + b'"}'])
    if how < 0.3:
        send("ASIDE", cell, b"{}")
    elif how < 0.6:
        aside.send(ASIDE.pack(one_of([kind, kind, 7, 0]), one_of([cell, cell, 0, 10 ** 6]), until) + body)
    elif how < 0.7:
        aside.send(one_of([b"x", b"\0" * 15, b"\0" * 16]))

def take_aside():
    found, more, _, _ = aside.recvmsg(70000, 256)
    kind, cell, until = ASIDE.unpack_from(found)
    if kind == OPEN:
        subshells[cell] = socket.socket(fileno=array.array("i", more[0][2])[0])
        subshells[cell].setblocking(True)
        send("SUBSHELL", cell, one_of([b"open"] * 4 + [b"failed"]))
    elif kind == CLOSE and chance.random() < 0.8:
        send("SUBSHELL", cell, b"closed")
    elif kind < OPEN:
        answer_aside(kind, cell, until)

def take_subshell(number):
    global link
    whole, link = link, subshells[number]
    try:
        kind, cell, _ = receive()
    except struct.error:
        del subshells[number]
        return
    finally:
        link = whole
    recent[:] = [*recent[-3:], cell]
    if chance.random() < 0.4:
        send("REPLY", cell, *([] if NAMED[kind].startswith("COMM_") else [b'{"status":"ok","execution_count":1}', b"{}"]))

def take():
    kind, cell, parts = receive()
    name = NAMED[kind]
    if name == "SHUTDOWN":
        os._exit(0)
    if name == "FREEZE":
        freeze(parts[0])
    elif name == "DEBUG" and parts[0] != b"settings":
        numbers[:] = [*numbers[-2:], parts[1]]
    elif name in ("COMPLETE", "INSPECT", "IS_COMPLETE", "VARIABLES"):
        send("REPLY", cell, b'{"status":"ok"}')
    elif name.startswith("COMM_"):
        send("REPLY", cell)
    elif cell:
        recent[:] = [*recent[-3:], cell]

try:
    while True:
        ready = select.select([link, aside, *subshells.values()], [], [], 0.01)[0]
        if link in ready:
            take()
        if aside in ready:
            take_aside()
        for number, shell in list(subshells.items()):
            if shell in ready:
                take_subshell(number)
        if recent and chance.random() < 0.25:
            name = one_of(NAMES)
            send(name, chance.randrange(1, 4) if name == "SUBSHELL" else one_of(recent), *FRAMES[name]())
except (OSError, struct.error):
    pass  # the kernel process has seen enough
"""
READY = {"ask": {"seconds": 5, "pass": [], "hide": []}, "limits": {"copies": 4, "timeout_seconds": 3, "grace_seconds": 1}}
DAP = ["initialize", "attach", "attach", "disconnect", "setExceptionBreakpoints", "evaluate", "continue", "pause", "inspectVariables", "variables"]


#: answers a trial that it has not been told of, when a debugger attaches
HASTY_GUARD = r"""
while True:
    kind, _, parts = receive()
    if kind == NUMBER["DEBUG"] and json.loads(parts[2])["attached"]:
        send("REPLY", 1, b'{"status":"ok","execution_count":1}', b"{}")
        send("NOT_FROZEN", 0, b"no")
"""


def test_an_answer_to_a_trial_that_waits_for_its_copy(start_kernel, tmp_path):
    guard = hostile_guard.write(tmp_path / "guard.py", READY, HASTY_GUARD)
    kernel = start_kernel(arguments=("--python", guard, "--on-guard-death", "respawn"))
    front = kernel.frontend()
    msg_id = front.execute("%%trial\n1")
    front.until(msg_id, "busy")
    Debugger(front).attach()
    assert front.reply(msg_id).content["status"] == "error"
    assert front.ask("kernel_info_request", channel="control")["status"] == "ok" and kernel.process.poll() is None


#: makes no copy before it has a cell, and counts cells
SLOW_GUARD = r"""
cells = 0
while True:
    kind, cell, _ = receive()
    if kind == NUMBER["EXECUTE"]:
        cells += 1
        send("NOT_FROZEN", 0, b"no")
        send("REPLY", cell, json.dumps({"status": "ok", "execution_count": cells}).encode(), b"{}")
"""


def test_an_interrupt_of_a_trial_that_waits_for_its_copy(start_kernel, tmp_path):
    """It has not begun, and never does."""
    guard = hostile_guard.write(tmp_path / "guard.py", READY, SLOW_GUARD)
    front = start_kernel(arguments=("--python", guard)).frontend()
    trial, behind = front.execute("%%trial\n1"), front.execute("1")
    front.until(trial, "busy")
    front.ask("interrupt_request", channel="control")
    assert front.reply(trial).content["status"] == front.reply(behind).content["status"] == "aborted"
    assert labels(front.outputs(trial)) == ["idle"]
    assert front.run("1")[0].content == {"status": "ok", "execution_count": 1}


#: says again and again that it has taken over, which the log would tell each time
BOASTING_GUARD = r"""
while True:
    kind, cell, _ = receive()
    if kind == NUMBER["EXECUTE"]:
        send("THAWED", 0)
        send("REPLY", cell, b'{"status":"ok","execution_count":1}', b"{}")
"""


def test_a_guard_that_was_no_copy_takes_over_from_nobody(start_kernel, tmp_path):
    guard = hostile_guard.write(tmp_path / "guard.py", READY, BOASTING_GUARD)
    reply = start_kernel(arguments=("--python", guard, "--on-guard-death", "respawn")).frontend().run("1")[0]
    assert "broke the protocol" in reply.content["evalue"]


#: makes one copy, whose process `freeze` makes and which then has said FROZEN; dies in its second cell
COPYING_GUARD = r"""
import array, os, time
copies = socket.socket(fileno=os.dup(link.fileno() + 2))  # DESCRIPTOR_COPIES
begin, begins = os.pipe()
guards_link, cells, has_copy = link, 0, False

def be_frozen():
    global link
    link = socket.socket(fileno=array.array("i", copies.recvmsg(16, 256)[1][0][2])[0])
    link.setblocking(True)
    send("FROZEN", 0)

while True:
    kind, cell, _ = receive()
    if kind == NUMBER["FREEZE"] and has_copy:
        send("NOT_FROZEN", 0, b"no")
    elif kind == NUMBER["FREEZE"]:
        has_copy = True
        freeze()
    elif kind == NUMBER["EXECUTE"] and cells == 1:
        os.write(begins, b"x")
        time.sleep(0.3)
        os._exit(0)
    elif kind == NUMBER["EXECUTE"]:
        cells += 1
        send("REPLY", cell, b'{"status":"ok","execution_count":1}', b"{}")
"""

#: its copy goes on writing where the guard did, faster than any of it is published; whole frames in pieces that arrive whole
WRITING_COPY = r"""
def freeze():
    if os.fork():
        return
    os.setsid()
    be_frozen()
    os.read(begin, 1)
    os.fork()
    frame = HEADER.pack(MAGIC, NUMBER["DISPLAY_DATA"], 2, 1) + struct.pack("=II", 2, 2) + b"{}{}"
    while True:
        guards_link.send(frame * 1300)
"""


def run_until(front, told):
    """A cell, then what the kernel says of itself once that is so."""
    front.run("1")
    deadline = time.monotonic() + 10
    while not told(status := front.ask("safepyrun_status_request", channel="control")):
        assert time.monotonic() < deadline, status
        time.sleep(0.01)


def test_a_copy_that_goes_on_writing_where_the_dead_guard_did(start_kernel, tmp_path):
    guard = hostile_guard.write(tmp_path / "guard.py", {"limits": {"copies": 1}}, COPYING_GUARD.replace("while True:", WRITING_COPY + "while True:", 1))
    kernel = start_kernel(arguments=("--python", guard, "--on-guard-death", "respawn"))
    front = kernel.frontend()
    run_until(front, lambda status: status["copies"] == 1)
    msg_id = front.execute("1")
    assert front.reply(msg_id, timeout=10).content["ename"] == "GuardDied"
    assert front.ask("kernel_info_request", channel="control", timeout=5)["status"] == "ok"


#: its copy is a grandchild, in a group that another process leads
DISTANT_COPY = r"""
def freeze():
    if os.fork():
        return
    os.setsid()
    if os.fork():
        os._exit(0)
    be_frozen()
    time.sleep(1000)
"""


def test_a_copy_that_could_not_be_ended_is_none(start_kernel, tmp_path):
    """Killed with a group that it does not lead, and waited for: the kernel process would never end."""
    guard = hostile_guard.write(tmp_path / "guard.py", {"limits": {"copies": 1}}, COPYING_GUARD.replace("while True:", DISTANT_COPY + "while True:", 1))
    kernel = start_kernel(arguments=("--python", guard, "--on-guard-death", "respawn"))
    front = kernel.frontend()
    run_until(front, lambda status: status["copy_hindrance"])
    assert "no copy was taken" in front.run("1")[0].content["evalue"]
    assert front.run("1")[0].content["status"] == "ok"
    front.send("control", "shutdown_request", {"restart": False})
    assert kernel.wait(5) == 0


#: asks and does not wait
ASKING_GUARD = r"""
while True:
    kind, cell, _ = receive()
    if kind == NUMBER["EXECUTE"]:
        for _ in range(100):
            send("INPUT_REQUEST", cell, json.dumps({"prompt": "x" * 1000000, "password": False}).encode())
        send("REPLY", cell, b'{"status":"ok","execution_count":1}', b"{}")
"""


@pytest.mark.parametrize("allow_stdin, told", [(True, "without an answer"), (False, "a client that gives none")])
def test_questions_without_an_end_do_not_fill_the_kernel_process(start_kernel, tmp_path, allow_stdin, told):
    """Of a client that is connected and does not read."""
    guard = hostile_guard.write(tmp_path / "guard.py", {}, ASKING_GUARD)
    front = start_kernel(arguments=("--python", guard, "--on-guard-death", "respawn")).frontend()
    reply = front.reply(front.execute("1", allow_stdin=allow_stdin))
    assert reply.content["ename"] == "GuardDied" and told in reply.content["evalue"]


#: asks a person, and reads no answer
QUESTIONING_GUARD = r"""
while True:
    kind, cell, _ = receive()
    if kind == NUMBER["EXECUTE"]:
        number = b"1" * 19
        ask = HEADER.pack(MAGIC, NUMBER["ASK"], 4, cell) + struct.pack("=4I", 19, 1, 1, 6) + number + b"05/tmp/x"
        link.sendall(ask)
        for _ in range(3000):
            link.sendall(ask * 1000)
        time.sleep(1000)
"""


@pytest.mark.parametrize("asks, told", [({}, "a question that is none"), ({"ask": READY["ask"]}, "it does not read")])
def test_questions_to_a_person_have_an_end(start_kernel, tmp_path, asks, told):
    """None without on_deny = "ask", whatever a guard sends; and those that are answered at once do not pile up."""
    guard = hostile_guard.write(tmp_path / "guard.py", asks, QUESTIONING_GUARD)
    front = start_kernel(arguments=("--python", guard, "--on-guard-death", "respawn")).frontend()
    reply = front.reply(front.execute("1", allow_stdin=not asks))
    assert reply.content["ename"] == "GuardDied" and told in reply.content["evalue"]
    front.silence("stdin")


#: stands still and goes on, without an end
RESTLESS_GUARD = r"""
while True:
    kind, cell, _ = receive()
    if kind == NUMBER["EXECUTE"]:
        for i in range(20000):
            send("DEBUG_EVENT", cell, json.dumps({"event": "stopped" if i % 2 == 0 else "continued", "x": "x" * 20000}).encode())
"""


def test_events_of_a_debugger_wait_for_who_does_not_read(start_kernel, tmp_path):
    guard = hostile_guard.write(tmp_path / "guard.py", {}, RESTLESS_GUARD)
    kernel = start_kernel(arguments=("--python", guard))
    front = kernel.frontend()
    Debugger(front).attach()
    with kernel.frontend(subscribe=False) as stalled:
        stalled.sockets["iopub"] = socket = stalled.context.socket(zmq.SUB)
        socket.rcvhwm = 1
        socket.subscribe(b"")
        socket.connect(stalled.endpoint("iopub"))
        stalled.receive("iopub")
        front.execute("1")
        time.sleep(2)
        assert psutil.Process(kernel.process.pid).memory_info().rss < 150 << 20
        asked = front.send("control", "safepyrun_status_request")
        assert front.reply(asked, channel="control").content["state"] == "busy"


class Client:
    """Sends at random, and answers questions at random."""

    def __init__(self, front, chance):
        self.front, self.chance, self.subshells = front, chance, [None]

    def act(self):
        one_of = self.chance.choice
        subshell = one_of(self.subshells)
        header = {"subshell_id": subshell} if subshell else None
        for channel, msg_type, content in one_of([
                [("shell", "execute_request", {"code": one_of(["1", "1", "%rewind", "%guard reset", "%%trial\n1"]), "allow_stdin": True})],
                [("shell", "execute_request", {"code": "1", "allow_stdin": True})] * 2,
                [("control", "create_subshell_request", {})],
                [("control", "delete_subshell_request", {"subshell_id": subshell or "x"})],
                [("control", "debug_request", {"type": "request", "seq": 1, "command": one_of(DAP), "arguments": {"expression": "1", "filters": ["raised"]}})],
                [("control", "interrupt_request", {})],
                [("shell", one_of(["comm_open", "comm_msg", "comm_close"]), {"comm_id": one_of("ab"), "target_name": "t", "data": {}})],
                [("shell", one_of(["complete_request", "is_complete_request"]), {"code": "1", "cursor_pos": 1})]]):
            self.front.send(channel, msg_type, content, header=header)

    def hear(self):
        for channel, socket in self.front.sockets.items():
            while channel != "hb" and socket.poll(0):
                message = self.front.receive(channel)
                if message.msg_type == "create_subshell_reply" and message.content["status"] == "ok":
                    self.subshells.append(message.content["subshell_id"])
                if message.msg_type == "input_request":
                    code = re.search(r"once (\d{4})", message.content["prompt"])
                    self.front.answer_input(f"{self.chance.choice(['session', 'no'])} {code[1] if code else ''}", message)


@pytest.mark.parametrize("seed", [1, 2])
def test_frames_at_random(start_kernel, tmp_path, seed):
    guard = hostile_guard.write(tmp_path / "guard.py", READY, f"SEED = {seed}\n{GUARD}")
    kernel = start_kernel(arguments=("--python", guard, "--on-guard-death", "respawn"))
    client = Client(kernel.frontend(), random.Random(seed))
    for _ in range(200):
        client.act()
        time.sleep(0.01)
        client.hear()
        assert kernel.process.poll() is None
    assert client.front.ask("kernel_info_request", channel="control")["status"] == "ok"
