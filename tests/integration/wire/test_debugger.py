"""The debugger of front ends: breakpoints, steps, variables, with both rings closed."""

import json
import time
from hashlib import sha256

import hostile_guard
import pytest
import subshells
from debugger import Debugger
from frontend import text

POLICY = "ban_defs = false\n"
ADD = "def add(a, b):\n    c = a + b\n    return c\n"
LOOP = "total = 0\nfor i in range(5):\n    total += i\nprint(total)"


@pytest.fixture(scope="module")
def policy():
    return POLICY


@pytest.fixture
def debugger(front):
    debugger = Debugger(front).attach()
    yield debugger
    debugger.ask("disconnect", restart=False, terminateDebuggee=False)


def finished(front, msg_id):
    """The reply of a cell, and what it printed."""
    reply = front.reply(msg_id).content
    return reply, text(front.outputs(msg_id))


def test_it_is_announced(front):
    info = front.ask("kernel_info_request")
    assert info["debugger"] is True and "debugger" in info["supported_features"]


def test_a_breakpoint_shows_the_stack_and_the_variables(front, debugger):
    code = ADD + "result = add(2, [3][0])\nprint(result)"
    path = debugger.break_at(code, 2)
    msg_id = front.execute(code)
    reason, frames = debugger.stopped()
    assert reason == "breakpoint"
    assert [(frame["name"], frame["line"], frame["source"]["path"]) for frame in frames] == [
        ("add", 2, path), ("<module>", 4, path)]
    assert debugger.ask("debugInfo")["stoppedThreads"] == [1]
    names = debugger.variables(frames[0])
    assert {name: (each["value"], each["type"]) for name, each in names.items()} == {"a": ("2", "int"), "b": ("3", "int")}
    outer = debugger.variables(frames[1], "Globals")
    assert "add" in debugger.inside(outer["function variables"]["variablesReference"])
    assert debugger.ask("source", source={"path": path})["content"] == code
    assert debugger.ask("evaluate", frameId=frames[0]["id"], expression="[n * a for n in range(b)]")["result"] == "[0, 2, 4]"
    debugger.ask("copyToGlobals", srcVariableName="b", dstVariableName="copied", srcFrameId=frames[0]["id"])
    scope = debugger.ask("scopes", frameId=frames[0]["id"])["scopes"][0]["variablesReference"]
    assert debugger.ask("setVariable", variablesReference=scope, name="a", value="40")["value"] == "40"
    debugger.go()
    reply, printed = finished(front, msg_id)
    assert reply["status"] == "ok" and printed == "43\n"
    assert front.run("print(copied)")[1][0].content["text"] == "3\n"


def test_steps(front, debugger):
    code = ADD + "one = add(1, 2)\ntwo = add(one, one)\ntwo"
    debugger.break_at(code, 4)
    msg_id = front.execute(code)
    seen = [debugger.where()]
    for step in ("stepIn", "next", "stepOut", "next"):
        debugger.go(step)
        seen.append(debugger.where())
    assert seen == [("<module>", 4), ("add", 2), ("add", 3), ("<module>", 5), ("<module>", 6)]
    debugger.go("next")
    assert finished(front, msg_id)[0]["status"] == "ok"


def test_a_library_is_never_entered(front, debugger):
    code = "import json\ntext = json.dumps([1])\nafter = 1"
    debugger.break_at(code, 2)
    msg_id = front.execute(code)
    assert debugger.where() == ("<module>", 2)
    debugger.go("stepIn")
    assert debugger.where() == ("<module>", 3)
    debugger.go()
    assert finished(front, msg_id)[0]["status"] == "ok"


def test_a_condition_is_asked_and_guarded(front, debugger, kernel):
    debugger.break_at(LOOP, 3, condition="i == 3")
    msg_id = front.execute(LOOP)
    _, frames = debugger.stopped()
    assert debugger.ask("evaluate", frameId=frames[0]["id"], expression="i, total")["result"] == "(3, 3)"
    debugger.break_at(LOOP, 3, condition="__import__('os').remove('/etc/hostname')")
    debugger.go()
    _, frames = debugger.stopped()      # one that fails stops, so that the person sees it
    debugger.break_at(LOOP)
    debugger.go()
    reply, printed = finished(front, msg_id)
    assert printed == "10\n"
    assert front.run("import os; print(os.path.exists('/etc/hostname'))")[1][0].content["text"] == "True\n"


def test_what_is_evaluated_is_guarded_as_a_cell(front, debugger):
    debugger.break_at(LOOP, 4)
    msg_id = front.execute(LOOP)
    _, frames = debugger.stopped()
    said = debugger.refused("evaluate", frameId=frames[0]["id"], expression="open('/etc/safepyrun-test', 'w')")
    assert "safepyrun refused to open for writing" in said
    said = debugger.refused("evaluate", frameId=frames[0]["id"], expression="import safepyrun", context="repl")
    assert "safepyrun refused" in said
    assert "refused" in front.until(msg_id, "stderr")[-1].content["text"]      # JupyterLab shows no more than that there was an error
    debugger.go()
    reply = front.reply(msg_id)
    assert reply.content["status"] == "ok"
    assert [each["event"] for each in reply.metadata["safepyrun"]["denials"]] == ["open", "cell"]


def test_hostile_values(front, debugger):
    code = (
        "class Slow:\n    def __repr__(self):\n        while True: pass\n"
        "class Thief:\n    def __repr__(self):\n        return open('/etc/safepyrun-test', 'w')\n"
        "    __class__ = property(lambda self: 1 / 0)\n    def __getattr__(self, name): raise SystemExit\n"
        "class Liar(str):\n    def __len__(self): return 10 ** 9\n    def __getitem__(self, at): return 7\n"
        "class Meta(type):\n    __name__ = property(lambda self: 1 / 0)\n    def __instancecheck__(self, other): 1 / 0\n"
        "    def __eq__(self, other): 1 / 0\n    __hash__ = None; __mro__ = property(lambda self: 1 / 0)\n"
        "class Odd(metaclass=Meta):\n    def __repr__(self): return Liar('odd')\n"
        "slow, thief, liar, odd, big = Slow(), Thief(), Liar('x'), Odd(), list(range(10 ** 6))\n"
        "del Slow, Thief\npass")
    debugger.break_at(code, 21)
    msg_id = front.execute(code)
    _, frames = debugger.stopped()
    found = debugger.variables(frames[0], "Globals")
    assert found["slow"]["value"] == "<its text took too long>"
    assert found["thief"]["value"] == "<its text failed: PermissionError>" and found["thief"]["type"] == "Thief"
    assert found["odd"]["value"] == "odd" and found["odd"]["type"] == "Odd"
    assert debugger.inside(found["odd"]["variablesReference"]) == {}
    assert len(found["big"]["value"]) < 300
    assert len(debugger.inside(found["big"]["variablesReference"])) <= 500
    debugger.go()
    assert finished(front, msg_id)[0]["status"] == "ok"
    front.run("del slow, thief, liar, odd, big")


def test_variables_without_a_stop(front, debugger):
    front.run("number = 5; words = {'a': [1, 2]}")
    found = {each["name"]: each for each in debugger.ask("inspectVariables")["variables"]}
    assert found["number"]["value"] == "5" and "In" not in found
    assert debugger.inside(found["words"]["variablesReference"])["'a'"]["value"] == "[1, 2]"
    assert debugger.ask("richInspectVariables", variableName="words")["data"]["text/plain"] == "{'a': [1, 2]}"
    assert debugger.refused("stackTrace", threadId=1) == "no cell stands still"
    # While a cell runs it is what there was before: JupyterLab asks with every message of the cell.
    msg_id = front.execute("import time; print('on', flush=True); time.sleep(1.5); number = 6")
    front.until(msg_id, "stdout")
    began = time.monotonic()
    assert "number" in str(debugger.ask("inspectVariables"))
    assert "a cell runs" in debugger.refused("evaluate", expression="number")
    assert time.monotonic() - began < 1
    finished(front, msg_id)


def test_pause(front, debugger):
    msg_id = front.execute("n = 0\nwhile n >= 0:\n    n += 1")
    front.until(msg_id, "execute_input")
    time.sleep(0.1)
    debugger.go("pause")
    reason, frames = debugger.stopped()
    assert reason == "pause" and frames[0]["line"] in (2, 3)
    debugger.ask("evaluate", frameId=frames[0]["id"], expression="n = -5", context="repl")
    debugger.go()
    assert finished(front, msg_id)[0]["status"] == "ok"


def test_an_interrupt_ends_a_cell_that_stands_still(front, debugger):
    debugger.break_at(LOOP, 3)
    msg_id = front.execute(LOOP)
    _, frames = debugger.stopped()
    # What is evaluated is interrupted alone…
    sent = debugger.send("evaluate", frameId=frames[0]["id"], expression="while True: pass", context="repl")
    time.sleep(0.2)
    front.ask("interrupt_request", channel="control")
    assert debugger.response(sent)["message"] == "it was interrupted"
    # … and then the cell.
    front.ask("interrupt_request", channel="control")
    assert front.reply(msg_id).content["ename"] == "KeyboardInterrupt"
    debugger.event("continued")
    assert debugger.ask("debugInfo")["stoppedThreads"] == []
    assert text(front.run("print('alive')")[1]) == "alive\n"


def test_detaching_lets_the_cell_go_on(front):
    debugger = Debugger(front).attach()
    debugger.break_at(LOOP, 3)
    msg_id = front.execute(LOOP)
    debugger.stopped()
    debugger.ask("disconnect", restart=False, terminateDebuggee=False)
    assert finished(front, msg_id)[1] == "10\n"
    assert debugger.ask("debugInfo")["breakpoints"] == []


def test_functions_of_former_cells_and_awaiting_cells(front, debugger):
    define = "async def later(n):\n    twice = 2 * n\n    return twice"
    front.run(define)
    path = debugger.break_at(define, 3)
    msg_id = front.execute("await later(4)")
    _, frames = debugger.stopped()
    assert frames[0]["source"]["path"] == path and debugger.variables(frames[0])["twice"]["value"] == "8"
    debugger.go()
    assert finished(front, msg_id)[0]["status"] == "ok"


def test_exceptions(front, debugger):
    code = "def fail():\n    here = 1\n    raise ValueError('no')\ntry:\n    fail()\nexcept ValueError:\n    pass\nfail()"
    debugger.ask("setExceptionBreakpoints", filters=["uncaught"])
    msg_id = front.execute(code)
    reason, frames = debugger.stopped()
    assert reason == "exception" and [frame["line"] for frame in frames] == [3, 8]
    assert debugger.variables(frames[0])["here"]["value"] == "1"
    debugger.go()
    assert front.reply(msg_id).content["ename"] == "ValueError"
    debugger.ask("setExceptionBreakpoints", filters=["raised"])
    msg_id = front.execute(code)
    assert debugger.where() == ("fail", 3)
    debugger.go()
    assert debugger.where() == ("fail", 3)
    debugger.go()
    assert front.reply(msg_id).content["ename"] == "ValueError"
    debugger.ask("setExceptionBreakpoints", filters=[])


NONSENSE = [
    {}, {"command": 7}, {"command": "fly"}, {"command": "dumpCell"}, {"command": "dumpCell", "arguments": []}, {"command": "evaluate", "arguments": 5},
    {"command": "setBreakpoints", "arguments": {"source": {"path": 5}, "breakpoints": [{"line": 1}]}},
    {"command": "setBreakpoints", "arguments": {"source": {"path": "x"}, "breakpoints": [{"line": -1}]}},
    {"command": "setBreakpoints", "arguments": {"source": {"path": "x"}, "breakpoints": [{"line": 1}] * 2000}},
    {"command": "variables", "arguments": {"variablesReference": "1"}}, {"command": "variables", "arguments": {"variablesReference": 10 ** 30}},
    {"command": "evaluate", "arguments": {"expression": "1", "frameId": 99}}, {"command": "evaluate", "arguments": {"expression": ["1"]}},
    {"command": "setVariable", "arguments": {"variablesReference": 1, "name": "x", "value": "1"}}, {"command": "source", "arguments": {"source": 1}},
    {"command": "richInspectVariables", "arguments": {"variableName": "__import__('os')"}}, {"command": "pause"}, {"command": "next"},
]


def test_nonsense_is_refused(front, debugger):
    for request in NONSENSE:
        reply = front.ask("debug_request", request, channel="control")
        assert reply["success"] is False and reply["message"], (request, reply)
    front.run("text = '\\ud800'")
    assert debugger.ask("evaluate", expression="text", context="hover")["type"] == "str"
    assert "UnicodeEncodeError" in debugger.refused("evaluate", expression="'\ud800'")
    assert debugger.ask("evaluate", expression="1 + 1")["result"] == "2"


def test_what_is_kept_of_a_debugger_is_bounded(front, debugger):
    def ask(source, breakpoints):
        return front.ask("debug_request", {"command": "setBreakpoints", "arguments": {"source": {"path": source}, "breakpoints": breakpoints}}, channel="control")

    long = [{"line": 1, "condition": "0" * 300_000}]
    assert [ask(source, long)["success"] for source in "aaabcde"] == [True, True, True, True, True, False, False]
    assert ask("b" * 300_000, [])["success"] and ask("d", [])["success"] and ask("a", [])["success"] and ask("d", long)["success"]
    assert not ask("e", [{"line": 1, "condition": "0" * (1 << 20)}])["success"]
    debugger.ask("setExceptionBreakpoints", filters=["x" * 1000, 5, "uncaught"] * 1000)
    assert [source["source"] for source in debugger.ask("debugInfo")["breakpoints"]] == ["b", "c", "d"]


def test_time_at_a_stop_is_not_the_cells(start_kernel):
    kernel = start_kernel(shell="plain", policy=POLICY + "[limits]\ntimeout_seconds = 1\n")
    with kernel.frontend() as front:
        debugger = Debugger(front).attach()
        debugger.break_at(LOOP, 4)
        msg_id = front.execute(LOOP)
        debugger.stopped()
        time.sleep(1.5)
        debugger.go()
        assert finished(front, msg_id)[1] == "10\n"
        msg_id = front.execute(LOOP)
        _, frames = debugger.stopped()
        sent = debugger.send("evaluate", frameId=frames[0]["id"], expression="while True: pass", context="repl")
        assert debugger.response(sent)["message"] == "it was interrupted"
        debugger.go()
        assert front.reply(msg_id).content["ename"] == "LimitExceeded"


def test_what_is_typed_is_in_the_audit_log_and_a_stop_ends_with_the_kernel(start_kernel, tmp_path):
    log = tmp_path / "audit.jsonl"
    kernel = start_kernel(shell="plain", policy=POLICY, arguments=["--audit-log", log])
    with kernel.frontend() as front:
        debugger = Debugger(front).attach()
        debugger.break_at(LOOP, 3, condition="i > 1")
        front.execute(LOOP)
        _, frames = debugger.stopped()
        debugger.ask("evaluate", frameId=frames[0]["id"], expression="i + 1")
        lines = [json.loads(line) for line in log.read_text().splitlines()]
        found = [(line["command"], line["execution_count"], line["sha256"]) for line in lines if line["type"] == "debugger"]
        assert found == [("setBreakpoints", 0, sha256(b"i > 1").hexdigest()), ("evaluate", 1, sha256(b"i + 1").hexdigest())]
        front.send("control", "shutdown_request", {"restart": False})
        assert kernel.process.wait(5) == 0


def test_a_guard_that_dies_at_a_stop(start_kernel):
    kernel = start_kernel(shell="plain", policy='preset = "open"\n')
    with kernel.frontend() as front:
        debugger = Debugger(front).attach()
        front.run("before = 1")
        front.wait_for_copy()
        debugger.break_at(LOOP, 4)
        msg_id = front.execute(LOOP)
        _, frames = debugger.stopped()
        said = debugger.refused("evaluate", frameId=frames[0]["id"], expression="import os; os._exit(3)", context="repl")
        assert said == "the cell went on"
        assert front.reply(msg_id).content["ename"] == "GuardDied"
        assert debugger.ask("debugInfo")["stoppedThreads"] == []
        msg_id = front.execute(LOOP)            # the copy that took over knows the breakpoint
        assert debugger.where() == ("<module>", 4)
        debugger.go()
        assert finished(front, msg_id)[1] == "10\n"


#: makes the subshell that is wanted when a debugger attaches, and stops its cell when that wants something else
FORGED_STOP = """
frames = [("SUBSHELL", 1, b"open"), ("DEBUG_EVENT", 1, b'{"event":"stopped","body":{}}')]
while True:
    kind, _, parts = receive()
    if kind == NUMBER["DEBUG"] and json.loads(parts[2])["attached"]:
        send(*frames.pop(0))
"""


def test_a_forged_stop_of_a_subshells_cell(start_kernel, tmp_path):
    guard = hostile_guard.write(tmp_path / "guard.py", {}, FORGED_STOP)
    kernel = start_kernel(arguments=("--python", guard, "--on-guard-death", "respawn"))
    front = kernel.frontend()
    front.ask("kernel_info_request")
    creation = front.send("control", "create_subshell_request", {})
    debugger = Debugger(front).attach()
    beside = front.reply(creation, channel="control").content["subshell_id"]
    msg_id = subshells.send(front, "1", beside)
    debugger.ask("setExceptionBreakpoints", filters=["raised"])
    assert "broke the protocol" in front.reply(msg_id, timeout=5).content["evalue"]
    assert kernel.process.poll() is None
