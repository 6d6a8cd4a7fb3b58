"""on_deny = "ask": a command that the kernel process runs for a cell, after a person's yes."""

import json
import os
import re
import subprocess
import sys
import time
import zipfile

import hostile_guard
import pytest
from frontend import only, text
from kernel_process import PROGRAM, PROJECT, KernelProcess

POLICY = 'on_deny = "ask"\n'


@pytest.fixture
def asking(start_kernel, tmp_path):
    """(kernel, front end): a kernel with IPython whose client is asked"""

    def start(policy=POLICY, **keywords):
        kernel = start_kernel(policy=policy, shell="ipython", arguments=("--audit-log", tmp_path / "audit.jsonl"),
                              **keywords)
        return kernel, kernel.frontend()

    return start


@pytest.fixture(scope="module")
def shared_kernel(tmp_path_factory):
    kernel = KernelProcess(tmp_path_factory.mktemp("kernel"), policy=POLICY, shell="ipython")
    yield kernel
    kernel.stop()


@pytest.fixture
def shared(shared_kernel):
    """The same of a kernel that these tests have in common."""
    with shared_kernel.frontend() as front:
        yield shared_kernel, front


def audit(tmp_path, kind):
    lines = [json.loads(line) for line in (tmp_path / "audit.jsonl").read_text().splitlines()]
    return [line for line in lines if line["type"] == kind]


def question(front, msg_id):
    request = front.receive("stdin")
    assert request.msg_type == "input_request" and request.parent_id == msg_id
    return request


def code_of(request):
    return re.search(r"\n    once (\d{4}) ", request.content["prompt"])[1]


def say(front, request, word="once"):
    front.answer_input(f"{word} {code_of(request)}" if word in ("once", "session") else word, request)


def run(front, code, word="once"):
    """(prompt, reply, outputs) of a cell that asks once."""
    msg_id = front.execute(code, allow_stdin=True)
    request = question(front, msg_id)
    say(front, request, word)
    reply = front.reply(msg_id)
    return request.content["prompt"], reply, front.outputs(msg_id)


def streams(outputs):
    return {name: "".join(m.content["text"] for m in outputs if m.msg_type == "stream" and m.content["name"] == name)
            for name in ("stdout", "stderr")}


def value(front, expression):
    reply, outputs = front.run(expression)
    assert reply.content["status"] == "ok", reply.content
    return only(outputs, "execute_result").content["data"]["text/plain"]


def test_yes(asking, tmp_path):
    kernel, front = asking()
    command = "echo out; echo err >&2; pwd; exit 3"
    prompt, reply, outputs = run(front, f"print('before')\n!{command}")
    assert f"\n    | {command}\nin the folder\n    \"{kernel.work}\"\n" in prompt
    assert "outside of the guard, with all your rights" in prompt and "session" not in prompt
    assert reply.content["status"] == "ok" and reply.metadata["safepyrun"]["denial_count"] == 0
    assert streams(outputs) == {"stdout": f"before\nout\n{kernel.work}\n", "stderr": "err\n"}
    assert value(front, "_exit_code") == "3"
    (asked,) = audit(tmp_path, "question")
    assert (asked["subject"], asked["answer"], asked["rule"]) == (command, "once", "programs")
    (ran,) = audit(tmp_path, "command")
    assert (ran["command"], ran["folder"], ran["end"], ran["status"]) == (command, str(kernel.work), "exited", 3)
    assert ran["execution_count"] == 1 and ran["stderr_bytes"] == 4


# ---- what cells get --------------------------------------------------------------------------------


CAPTURED = {
    "assigned": ("lines = !printf 'a\\nb\\n'; echo c >&2", "(type(lines).__name__, list(lines))", "('SList', ['a', 'b', 'c'])"),
    "sx": ("lines = %sx echo a", "(list(lines), lines.n)", "(['a'], 'a')"),
    "system": ("%%system\necho a\necho b", "list(_)", "['a', 'b']"),
    "script": ("%%bash --out out --err err\necho \"it's\"\necho b >&2", "(out, err)", "(\"it's\\n\", 'b\\n')"),
    "capture": ("%%capture taken\n!echo a; echo b >&2", "(taken.stdout, taken.stderr)", "('a\\n', 'b\\n')"),
    "values": ("name = 'x y'\nlines = !echo {name} $name '$$HOME'", "list(lines)", "['x y x y $$HOME']"),
}


@pytest.mark.parametrize("cell, expression, expected", CAPTURED.values(), ids=CAPTURED)
def test_captured(shared, cell, expression, expected):
    _, front = shared
    _, reply, outputs = run(front, cell)
    assert reply.content["status"] == "ok", reply.content
    assert streams(outputs) == {"stdout": "", "stderr": ""}
    assert value(front, expression) == expected


def test_scripts_are_shown_line_by_line(shared):
    _, front = shared
    prompt, reply, outputs = run(front, "%%bash -e\nfor i in 1 2; do\n  echo $i\ndone\nEND\necho never")
    assert "\n    | bash -e <<'END_'\n    | for i in 1 2; do\n    |   echo $i\n    | done\n    | END\n" in prompt
    assert streams(outputs)["stdout"] == "1\n2\n"
    assert reply.content["ename"] == "CalledProcessError"


def test_nobody_is_asked_for_an_empty_script(shared):
    _, front = shared
    reply, _ = front.run("%%bash")
    assert reply.content["ename"] == "UsageError"


def test_surroundings(asking):
    """No secret, no terminal, no descriptor of ours, a group of its own; what cells set is not there."""
    secrets = {"GITHUB_TOKEN": "hidden", "MY_SERVICE_KEY": "passed", "PLAIN": "plain", "CHOSEN": "hidden"}
    kernel, front = asking(POLICY + '[env]\npass = ["MY_SERVICE_KEY"]\nhide = ["CHOSEN"]\n', environment=secrets)
    front.run("import os; os.environ['OF_CELL'] = '1'; os.mkdir('sub'); os.chdir('sub')")
    prompt, _, _ = run(front, "env = !env")
    assert prompt.count(f'"{kernel.work}/sub"') == 1
    found = eval(value(front, "dict(line.split('=', 1) for line in env)"))
    assert found["PLAIN"] == "plain" and found["MY_SERVICE_KEY"] == "passed" and found["GIT_PAGER"] == "cat"
    assert not {"GITHUB_TOKEN", "CHOSEN", "OF_CELL", "JPY_PARENT_PID"} & set(found)
    seen = "ls /proc/self/fd; readlink /proc/$$/fd/0; cut -d' ' -f1,5,6 /proc/$$/stat; pwd"
    run(front, f"seen = !{seen}")
    *descriptors, stdin, ids, folder = eval(value(front, "list(seen)"))
    assert descriptors == ["0", "1", "2", "3"] and stdin == "/dev/null"     # 3: what ls itself opened
    assert len(set(ids.split())) == 1 and folder == f"{kernel.work}/sub"


def test_pip(asking, tmp_path):
    """Of the session's Python, and not a pip.py of the cell's; what it installs is found at once."""
    kernel, front = asking(environment={"PYTHONPATH": str(tmp_path / "0" / "work")})
    wheel = tmp_path / "errand_made-1-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("errand_made.py", "x = 42\n")
        archive.writestr("errand_made-1.dist-info/METADATA", "Metadata-Version: 2.1\nName: errand-made\nVersion: 1\n")
        archive.writestr("errand_made-1.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr("errand_made-1.dist-info/RECORD", "")
    front.run("open('pip.py', 'w').write('print(\"evil\")')")
    assert front.run("import errand_made")[0].content["ename"] == "ModuleNotFoundError"
    prompt, reply, outputs = run(front, f"%pip install -q --no-index --no-deps --target . {wheel}")
    assert f"| PYTHONPATH= {sys.executable} -P -m pip install -q " in prompt and reply.content["status"] == "ok"
    assert "evil" not in streams(outputs)["stdout"], outputs
    assert value(front, "import errand_made; errand_made.x") == "42"


def test_what_is_left_behind_is_ended(shared):
    _, front = shared
    _, _, outputs = run(front, "!sleep 100 & echo $!")
    assert has_ended(int(streams(outputs)["stdout"]))


def test_output_is_limited_as_a_cells_own(asking):
    _, front = asking(POLICY + "[limits]\nmax_output_kb = 10\n")
    _, _, outputs = run(front, "!yes | head -c 200000")
    assert len(streams(outputs)["stdout"]) < 20000 and "max_output_kb" in streams(outputs)["stderr"]


# ---- no --------------------------------------------------------------------------------------------


def refused(reply, words):
    assert reply.content["ename"] == "PermissionError" and words in reply.content["evalue"], reply.content
    (denial,) = reply.metadata["safepyrun"]["denials"]
    assert denial["event"] == "subprocess.Popen"


@pytest.mark.parametrize("cell", ["x = !touch made", "%%bash\ntouch made", "%pip download made"])
def test_each_way_to_a_shell_is_refused(shared, cell):
    kernel, front = shared
    refused(run(front, cell, "no")[1], "a person who was asked said no")
    assert not list(kernel.work.iterdir())


def test_no(asking, tmp_path):
    kernel, front = asking()
    for word in ("no", "session"):      # a yes is for one command
        refused(run(front, "!touch made", word)[1], "a person who was asked said no")
    assert not list(kernel.work.iterdir()) and not audit(tmp_path, "command")
    assert [line["answer"] for line in audit(tmp_path, "question")] == ["no", "no"]


def test_nobody_answers(asking, tmp_path):
    kernel, front = asking(POLICY + "ask_seconds = 1\n")
    msg_id = front.execute("!touch made", allow_stdin=True)
    request = question(front, msg_id)
    refused(front.reply(msg_id), "nobody answered")
    say(front, request)     # too late
    assert front.run("1", allow_stdin=True)[0].content["status"] == "ok"
    assert not list(kernel.work.iterdir()) and audit(tmp_path, "question")[0]["answer"] == "late"


@pytest.mark.parametrize("how", [dict(allow_stdin=False), dict(allow_stdin=True, silent=True)], ids=["no_stdin", "silent"])
def test_who_cannot_be_asked(shared, how):
    _, front = shared
    reply, _ = front.run("!true", **how)
    refused(reply, "nobody is there")
    front.silence("stdin", 0.1)


NOT_ASKED = {
    "thread": "import threading\nt = threading.Thread(target=lambda: get_ipython().system('touch made'))\nt.start(); t.join()\n1/0",
    "subprocess": "import subprocess; subprocess.run(['touch', 'made'])",
    "os": "import os; os.system('touch made')",
    "trial": "%%trial\n!touch made",
    "empty": "get_ipython().system('')",
    "nul": "get_ipython().system('touch made\\0')",
    "long": "get_ipython().system('touch made\\n' * 6000)",
    "background": "!touch made &",
    "unknown": "get_ipython(); import sys; sys.modules['safepyrun._guard'].run_errand('bash', 'touch made', 'show', 'show')",
}


@pytest.mark.parametrize("code", NOT_ASKED.values(), ids=NOT_ASKED)
def test_what_is_never_asked(shared, code):
    kernel, front = shared
    assert front.run(code, allow_stdin=True)[0].content["status"] == "error"
    front.silence("stdin", 0.1)
    assert not list(kernel.work.iterdir())


@pytest.mark.unsanitized  # a run has 256 MB
def test_safepyrun_run_asks_nobody(tmp_path):
    (tmp_path / "policy.toml").write_text(POLICY)
    code = "import sys; sys.modules['safepyrun._guard'].run_errand('sh', 'touch made', 'show', 'show')"
    ran = subprocess.run([PROGRAM, "run", "--policy", "policy.toml", "-"], input=code, cwd=tmp_path, capture_output=True,
                         text=True, timeout=60)
    assert ran.returncode == 1 and "nobody is there who could be asked" in ran.stderr and not (tmp_path / "made").exists()


def test_without_the_key_nothing_is_asked(asking):
    _, front = asking("")
    assert front.run("!true", allow_stdin=True)[0].content["ename"] == "PermissionError"
    front.silence("stdin", 0.1)


def test_a_command_cannot_write_the_question(shared):
    _, front = shared
    command = "true #\\n    once 0000      and it is run\\x1b[2J\\u202e" + " " * 200 + "; touch made\\n" + "x\\n" * 200 + "touch end"
    prompt, _, _ = run(front, f"get_ipython().system('{command}')", "no")
    lines = prompt.split("\n")
    assert lines[1] == "    | true #"
    assert lines[2].startswith("    |     once 0000      and it is run⟨x1b⟩[2J⟨u202e⟩ ")
    own = [line for line in lines if not line.startswith(("    | ", "    |+ "))]
    assert sum("once" in line for line in own) == 1 and any("NOT SHOWN" in line and "yes is for them" in line for line in own)
    assert "\x1b" not in prompt and "\u202e" not in prompt and "| touch end\n" in prompt
    assert any(line.endswith("; touch made") for line in lines), "padding hides nothing"


# ---- a hostile guard -------------------------------------------------------------------------------

#: the first cell is answered with the frames that are given
ANSWER_A_CELL = """
while True:
    kind, cell, _ = receive()
    if kind == NUMBER["EXECUTE"]:
        for name, *parts in {frames!r}:
            send(name, cell, *parts)
        answer = receive()
        while answer[0] != NUMBER["ERRAND_DONE"]:
            answer = receive()
        send("STDOUT", cell, b" ".join(answer[2]))
        send("REPLY", cell, json.dumps({{"status": "ok", "execution_count": 1}}).encode(), b"{{}}")
"""

ASK = {"seconds": 60, "pass": [], "hide": []}
ERRAND = ("ERRAND", b"1", b"sh", b"show", b"show", b"/tmp", b"touch made")


def changed(index, value):
    return [ERRAND[:index] + (value,) + ERRAND[index + 1:]]


FORGED = {
    "nobody_asks": (None, [ERRAND]),
    "two": (ASK, [ERRAND, ERRAND]),
    "with_a_question": (ASK, [ERRAND, ("ASK", b"1", b"0", b"60", b"/tmp/x")]),
    "with_input": (ASK, [ERRAND, ("INPUT_REQUEST", b'{"prompt": "once?", "password": false}')]),
    "number": (ASK, changed(1, b"-1")),
    "program": (ASK, changed(2, b"bash")),
    "joined": (ASK, changed(3, b"join")),
    "nul": (ASK, changed(6, b"touch made\0")),
    "long": (ASK, changed(6, b"x" * 65537)),
    "parts": (ASK, [ERRAND[:-1]]),
}


@pytest.fixture
def hostile(start_kernel, tmp_path):
    def start(ask, frames):
        guard = hostile_guard.write(tmp_path / "guard.py", {"ask": ask}, ANSWER_A_CELL.format(frames=frames))
        kernel = start_kernel(arguments=("--python", guard, "--audit-log", tmp_path / "audit.jsonl"))
        return kernel, kernel.frontend()

    return start


@pytest.mark.parametrize("ask, frames", FORGED.values(), ids=FORGED)
def test_forged_frames_end_the_guard(hostile, tmp_path, ask, frames):
    kernel, front = hostile(ask, frames)
    msg_id = front.execute("1", allow_stdin=True)
    assert "broke the protocol" in front.reply(msg_id).content["evalue"]
    assert not audit(tmp_path, "command") and not list(kernel.work.iterdir())


def test_a_python_that_was_named_relatively(start_kernel, tmp_path):
    """The command runs in a folder of the cell's choice."""
    (tmp_path / "0" / "work" / "x").mkdir(parents=True)
    frames = [("ERRAND", b"1", b"pip", b"show", b"show", str(tmp_path / "0/work/x").encode(), b"list")]
    hostile_guard.write(tmp_path / "guard.py", {"ask": ASK}, ANSWER_A_CELL.format(frames=frames))
    front = start_kernel(arguments=("--python", "../../guard.py")).frontend()
    prompt, _, _ = run(front, "1", "no")
    assert f"| {tmp_path}/0/work/../../guard.py -P -m pip list\n" in prompt.replace("\n    |+ ", "")


def test_a_hostile_guard_gains_a_question(hostile, tmp_path):
    """Ends that are of nobody's errand change nothing; the answer is the person's."""
    frames = [ERRAND, ("ERRAND_END", b"2"), ("STDERR", b"once 0000")]
    kernel, front = hostile(ASK, frames)
    prompt, reply, outputs = run(front, "1", "no")
    assert "    | touch made\n" in prompt and streams(outputs)["stdout"] == "1 no 0  "
    assert not audit(tmp_path, "command") and not os.path.exists("/tmp/made")


# ---- the end ---------------------------------------------------------------------------------------


def started(front, code):
    """(msg_id, pid) of a cell whose command has said its pid."""
    msg_id = front.execute(code, allow_stdin=True)
    say(front, question(front, msg_id))
    return msg_id, int(text(front.until(msg_id, "stdout")))


def has_ended(pid, seconds=3):
    deadline = time.monotonic() + seconds
    while os.path.exists(f"/proc/{pid}") and time.monotonic() < deadline:
        time.sleep(0.02)
    return not os.path.exists(f"/proc/{pid}")


@pytest.mark.parametrize("command", ["sleep 100; true", "trap '' INT; sleep 100; true"], ids=["heard", "ignored"])
def test_interrupt(asking, tmp_path, command):
    _, front = asking()
    msg_id, pid = started(front, f"!echo $$$$; {command}")
    assert front.ask("kernel_info_request", channel="control")["status"] == "ok"    # nothing waits for it
    front.ask("interrupt_request", {}, channel="control")
    assert front.reply(msg_id).content["ename"] == "KeyboardInterrupt"
    assert has_ended(pid) and front.run("6 * 7")[0].content["status"] == "ok"
    assert [line["end"] for line in audit(tmp_path, "command")] == ["interrupted"]


def test_interrupt_of_the_question(asking, tmp_path):
    kernel, front = asking()
    msg_id = front.execute("!touch made", allow_stdin=True)
    question(front, msg_id)
    front.ask("interrupt_request", {}, channel="control")
    assert front.reply(msg_id).content["ename"] == "KeyboardInterrupt"
    assert front.run("6 * 7")[0].content["status"] == "ok" and not list(kernel.work.iterdir())
    assert [line["answer"] for line in audit(tmp_path, "question")] == ["interrupted"]


def test_deadline(asking):
    """The time of the cell stands still while it is asked, and runs on while the command does; here in a task."""
    _, front = asking(POLICY + "[limits]\ntimeout_seconds = 1\n")
    code = "import asyncio\nawait asyncio.sleep(0)\n!echo $$$$; sleep 100; true"
    msg_id = front.execute(code, allow_stdin=True)
    request = question(front, msg_id)
    time.sleep(1.2)
    say(front, request)
    pid = int(text(front.until(msg_id, "stdout")))
    assert "timeout_seconds" in front.reply(msg_id).content["evalue"]
    assert has_ended(pid) and front.run("6 * 7")[0].content["status"] == "ok"


def test_a_cell_that_gives_up_ends_the_command(shared):
    _, front = shared
    code = ("import signal\nsignal.signal(signal.SIGALRM, lambda *_: 1 / 0)\nsignal.setitimer(signal.ITIMER_REAL, 0.5)\n"
             "!echo $$$$; sleep 100; true")
    msg_id, pid = started(front, code)
    assert front.reply(msg_id).content["ename"] == "ZeroDivisionError" and has_ended(pid)


def test_the_guard_dies_meanwhile(asking, tmp_path):
    kernel, front = asking()
    guard = int(value(front, "import os; os.getpid()"))
    msg_id, pid = started(front, "!echo $$$$; sleep 100; true")
    os.kill(guard, 9)
    assert front.reply(msg_id).content["ename"] == "GuardDied" and has_ended(pid)
    assert [line["end"] for line in audit(tmp_path, "command")] == ["dropped"]


def test_shutdown_meanwhile(asking):
    kernel, front = asking()
    _, pid = started(front, "!echo $$$$; sleep 100; true")
    front.send("control", "shutdown_request", {"restart": False})
    assert kernel.wait() == 0 and has_ended(pid)
