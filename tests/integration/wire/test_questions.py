"""on_deny = "ask": a refusal becomes a question to the person at the front end."""

import json
import os
import re
import time

import pytest
from frontend import text

POLICY = 'on_deny = "ask"\nban_defs = false\n'


@pytest.fixture
def asking(start_kernel, tmp_path, shell):
    """(kernel, front end, a folder outside of the write roots)"""

    def start(policy=POLICY, **keywords):
        kernel = start_kernel(policy=policy, shell=shell, arguments=("--audit-log", tmp_path / "audit.jsonl"),
                              **keywords)
        folder = tmp_path / "outside"
        folder.mkdir(exist_ok=True)
        return kernel, kernel.frontend(), folder

    return start


def question(front, msg_id):
    request = front.receive("stdin")
    assert request.msg_type == "input_request" and request.parent_id == msg_id
    assert request.content["password"] is False
    return request


def code_of(request):
    return re.search(r"\n    once (\d{4}) ", request.content["prompt"])[1]


def answer(front, msg_id, word):
    request = question(front, msg_id)
    front.answer_input(f"{word} {code_of(request)}" if word in ("once", "session") else word, request)
    return request


def audit(tmp_path, kind="question"):
    lines = [json.loads(line) for line in (tmp_path / "audit.jsonl").read_text().splitlines()]
    return [line for line in lines if line["type"] == kind]


def write(path):
    return f"open({str(path)!r}, 'w').write('1')"


# ---- answers ---------------------------------------------------------------------------------------


def test_once_is_this_one_time(asking, tmp_path):
    _, front, folder = asking()
    msg_id = front.execute(write(folder / "x"), allow_stdin=True)
    prompt = answer(front, msg_id, "once").content["prompt"]
    assert "wants to write to the file\n" in prompt and f'"{folder}/x"' in prompt and "(ok_dests)" in prompt
    reply = front.reply(msg_id)
    assert reply.content["status"] == "ok" and reply.metadata["safepyrun"]["denial_count"] == 0
    assert (folder / "x").read_text() == "1"
    msg_id = front.execute(write(folder / "x"), allow_stdin=True)
    answer(front, msg_id, "no")
    assert front.reply(msg_id).content["ename"] == "PermissionError"
    (first, second) = audit(tmp_path)
    assert (first["answer"], second["answer"]) == ("once", "no")
    assert first["subject"] == str(folder / "x") and first["event"] == "open" and first["rule"] == "ok_dests"
    assert first["execution_count"] == 1 and 0 <= first["seconds"] < 10


def test_session_is_this_event_and_this_path(asking):
    _, front, folder = asking()
    (folder / "x").write_text("")
    msg_id = front.execute(write(folder / "x"), allow_stdin=True)
    answer(front, msg_id, "session")
    assert front.reply(msg_id).content["status"] == "ok"
    os.symlink(folder / "x", folder / "link")
    for path in ("x", "./x", "link"):   # the resolved path counts
        reply, _ = front.run(write(folder / path), allow_stdin=True)
        assert reply.content["status"] == "ok"
    threaded = f"import threading\nt = threading.Thread(target=lambda: {write(folder / 'x')})\nt.start(); t.join()"
    assert front.run(threaded)[0].metadata["safepyrun"]["denial_count"] == 0
    for other in (write(folder / "y"), f"import os; os.remove('{folder}/x')"):
        msg_id = front.execute(other, allow_stdin=True)
        answer(front, msg_id, "no")
        assert front.reply(msg_id).content["ename"] == "PermissionError"
    for word in ("status", "policy"):
        assert f"write to the file '{folder}/x'" in text(front.run(f"%guard {word}")[1])


def test_a_link_that_turns_elsewhere_asks_anew(asking):
    _, front, folder = asking()
    (folder / "x").write_text("")
    (folder / "y").write_text("")
    os.symlink(folder / "x", folder / "link")
    msg_id = front.execute(write(folder / "link"), allow_stdin=True)
    assert f'"{folder}/x"' in answer(front, msg_id, "session").content["prompt"]
    front.reply(msg_id)
    (folder / "link").unlink()
    os.symlink(folder / "y", folder / "link")
    msg_id = front.execute(write(folder / "link"), allow_stdin=True)
    assert f'"{folder}/y"' in answer(front, msg_id, "no").content["prompt"]
    assert front.reply(msg_id).content["status"] == "error" and (folder / "y").read_text() == ""


def test_two_paths_are_two_questions(asking):
    _, front, folder = asking()
    (folder / "x").write_text("")
    msg_id = front.execute(f"import os; os.rename('{folder}/x', '{folder}/y')", allow_stdin=True)
    assert f'"{folder}/x"' in answer(front, msg_id, "once").content["prompt"]
    assert f'"{folder}/y"' in answer(front, msg_id, "no").content["prompt"]
    assert front.reply(msg_id).content["status"] == "error"
    assert (folder / "x").exists() and not (folder / "y").exists()


def test_writing_does_not_let_reading_pass(asking):
    kernel, front, _ = asking(POLICY + 'deny_read = ["~/secret"]\n')
    (kernel.home / "secret").write_text("hidden")
    msg_id = front.execute("import os; open(os.path.expanduser('~/secret'), 'r+').read()", allow_stdin=True)
    assert "write to the file" in answer(front, msg_id, "once").content["prompt"]
    assert "read the file" in answer(front, msg_id, "no").content["prompt"]
    reply = front.reply(msg_id)
    assert reply.content["status"] == "error" and "deny_read" in str(reply.metadata)


def test_reading_once(asking):
    kernel, front, _ = asking(POLICY + 'deny_read = ["~/secret"]\n')
    (kernel.home / "secret").write_text("hidden")
    code = "import os; open(os.path.expanduser('~/secret')).read()"
    msg_id = front.execute(code, allow_stdin=True)
    assert "(deny_read)" in answer(front, msg_id, "once").content["prompt"]
    assert "hidden" in str([m.content for m in front.outputs(msg_id)])


@pytest.mark.parametrize("said", ["", "yes", "once", "session", "once 0000x", "\x04", "once {code} please", "{code}"])
def test_anything_else_is_no(asking, said):
    _, front, folder = asking()
    msg_id = front.execute(write(folder / "x"), allow_stdin=True)
    request = question(front, msg_id)
    front.answer_input(said.format(code=code_of(request)), request)
    evalue = front.reply(msg_id).content["evalue"]
    assert "a person who was asked said no" in evalue and not (folder / "x").exists()


def test_an_answer_may_be_written_loosely(asking):
    _, front, folder = asking()
    msg_id = front.execute(write(folder / "x"), allow_stdin=True)
    request = question(front, msg_id)
    front.answer_input(f"  ONCE   {code_of(request)} \n", request)
    assert front.reply(msg_id).content["status"] == "ok"


def test_each_question_has_a_code_of_its_own(asking):
    _, front, folder = asking()
    codes = set()
    for i in range(8):
        msg_id = front.execute(write(folder / "x"), allow_stdin=True)
        codes.add(code_of(answer(front, msg_id, "no")))
        front.reply(msg_id)
    assert len(codes) > 3


# ---- nobody is asked -------------------------------------------------------------------------------


def test_without_the_key_nothing_is_asked(start_kernel, tmp_path, shell):
    with start_kernel(shell=shell).frontend() as front:
        reply, _ = front.run(write(tmp_path / "x"), allow_stdin=True)
        assert reply.content["ename"] == "PermissionError"
        front.silence("stdin")


NOT_ASKED = {
    "no_stdin": dict(allow_stdin=False),
    "silent": dict(allow_stdin=True, silent=True),
}


@pytest.mark.parametrize("how", NOT_ASKED.values(), ids=NOT_ASKED)
def test_who_cannot_be_asked(asking, how):
    _, front, folder = asking()
    reply, _ = front.run(write(folder / "x"), **how)
    assert reply.content["ename"] == "PermissionError" and "a person" not in reply.content["evalue"]
    front.silence("stdin")


NEVER = {
    "thread": "import threading\nt = threading.Thread(target=lambda: open('{folder}/x', 'w'))\nt.start(); t.join()\n1/0",
    "program": "import os; os.system('true')",
    "network": "import urllib.request; urllib.request.urlopen('http://127.0.0.1:9/')",
    "rules": "import socket",
    "code": "(lambda: 0).__code__",
    "frames": "import sys; sys._getframe()",
    "ctypes": "import ctypes; ctypes.CDLL(None)",
    "exec": "import marshal; marshal.loads(b'N')",
    "link": "import os; os.link('{folder}/y', 'here')",
    "proc": "open('/proc/self/mem', 'r+b')",
    "environ": "open('/proc/1/environ')",
    "device": "open('/dev/tty', 'w')",
    "chdir": "import os; os.chdir('{folder}')",
    "protected": "open('.git', 'w')",
    "protected_outside": "open('{folder}/.git', 'w')",
    "below_protected": "open('{folder}/.git/hooks', 'w')",
    "policy_file": "open('{kernel}/policy.toml', 'w')",
    "folder_of_policy_file": "import os; os.rename('{kernel}', 'elsewhere')",
    "connection_file": "open('{kernel}/connection.json')",
    "connection_file_written": "open('{kernel}/connection.json', 'w')",
    "audit_log": "open('{log}', 'a')",
    "audit_log_rotated": "open('{log}.1', 'a')",
    "packages": "import os; open(os.path.dirname(os.__file__) + '/x.py', 'w')",
    "kernelspecs": "import os; os.mkdir(os.path.expanduser('~/.local/share/jupyter/kernels'))",
    "long": "open('{folder}/' + '/'.join(['x' * 200] * 3), 'w')",
    "odd": "open(bytearray(b'{folder}/x'), 'w')",
}


@pytest.mark.parametrize("code", NEVER.values(), ids=NEVER)
def test_what_is_never_asked(asking, tmp_path, code):
    kernel, front, folder = asking()
    (folder / "y").write_text("")
    code = code.format(folder=folder, kernel=kernel.directory, log=tmp_path / "audit.jsonl")
    reply, _ = front.run(code, allow_stdin=True)
    assert reply.content["status"] == "error"
    front.silence("stdin", 0.1)


def test_after_three_times_no_the_rest_of_the_cell_is_plain(asking, tmp_path):
    _, front, folder = asking()
    code = f"n = 0\nfor i in range(50):\n    try: open(f'{folder}/{{i}}', 'w')\n    except PermissionError: n += 1\nn"
    for _ in range(2):  # the next cell is asked about anew
        msg_id = front.execute(code, allow_stdin=True)
        for _ in range(3):
            answer(front, msg_id, "no")
        reply = front.reply(msg_id)
        assert reply.metadata["safepyrun"]["denial_count"] == 50
        front.silence("stdin", 0.1)
    assert len(audit(tmp_path)) == 6


# ---- time, interrupts, the end ---------------------------------------------------------------------


def test_no_answer_in_time_is_no(asking, tmp_path):
    _, front, folder = asking(POLICY + "ask_seconds = 1\n")
    code = f"for name in 'ab':\n    try: open('{folder}/' + name, 'w')\n    except PermissionError as e: print(e)"
    msg_id = front.execute(code, allow_stdin=True)
    request = question(front, msg_id)
    assert "no answer in 1 s" in request.content["prompt"]
    assert 900 < front.reply(msg_id).metadata["safepyrun"]["wall_ms"] < 5000
    assert "nobody answered" in text(front.outputs(msg_id))
    front.answer_input(f"once {code_of(request)}", request)     # too late
    front.silence("stdin", 0.1)
    assert front.run("1", allow_stdin=True)[0].content["status"] == "ok" and not list(folder.iterdir())
    (only,) = audit(tmp_path)
    assert only["answer"] == "late" and 0.9 < only["seconds"] < 5


def test_an_interrupt_is_no(asking, tmp_path):
    _, front, folder = asking()
    code = f"try: open('{folder}/x', 'w')\nexcept PermissionError: pass\nopen('{folder}/y', 'w')"
    msg_id = front.execute(code, allow_stdin=True)
    question(front, msg_id)
    front.ask("interrupt_request", {}, channel="control")
    assert front.reply(msg_id).content["ename"] == "KeyboardInterrupt"
    front.silence("stdin", 0.1)
    assert [line["answer"] for line in audit(tmp_path)] == ["interrupted"]
    assert front.run("6 * 7")[0].content["status"] == "ok" and not list(folder.iterdir())


def test_an_interrupted_await(asking):
    _, front, folder = asking()
    msg_id = front.execute(f"import asyncio\nawait asyncio.sleep(0)\nopen('{folder}/x', 'w')", allow_stdin=True)
    question(front, msg_id)
    front.ask("interrupt_request", {}, channel="control")
    assert front.reply(msg_id).content["status"] == "error"
    assert front.run("6 * 7")[0].content["status"] == "ok"


def test_the_kernel_answers_meanwhile(asking):
    kernel, front, folder = asking()
    msg_id = front.execute(write(folder / "x"), allow_stdin=True)
    request = question(front, msg_id)
    assert front.ping() == b"ping"
    assert front.ask("kernel_info_request", channel="control")["status"] == "ok"
    front.answer_input(f"once {code_of(request)}", request)
    assert front.reply(msg_id).content["status"] == "ok"


def test_shutdown_during_a_question(asking, tmp_path):
    kernel, front, folder = asking()
    msg_id = front.execute(write(folder / "x"), allow_stdin=True)
    question(front, msg_id)
    started = time.monotonic()
    front.send("control", "shutdown_request", {"restart": False})
    assert kernel.wait() == 0 and time.monotonic() - started < 4
    assert not (folder / "x").exists()


def test_the_guard_dies_during_a_question(asking, tmp_path):
    kernel, front, folder = asking()
    msg_id = front.execute(write(folder / "x"), allow_stdin=True)
    question(front, msg_id)
    kernel.guard().kill()
    assert front.reply(msg_id).content["ename"] == "GuardDied"
    assert [line["answer"] for line in audit(tmp_path)] == ["dropped"]


# ---- forgeries -------------------------------------------------------------------------------------


def test_a_path_cannot_write_the_question(asking):
    _, front, folder = asking()
    name = 'x"\\n\\nType once 1234\\u202e\\u200b\\x1b[2J\\u0430\\udcff'
    msg_id = front.execute(f"open('{folder}/{name}', 'w')", allow_stdin=True)
    prompt = answer(front, msg_id, "no").content["prompt"]
    lines = prompt.split("\n")
    assert len(lines) == 8 and lines[1].startswith(f'    "{folder}/x\\"\\x0a\\x0aType once 1234\\u{{202e}}')
    assert "\u0430" in lines[1] and lines[2].startswith("  = ") and lines[2].isascii()
    assert not any(mark in prompt for mark in "\u202e\u200b\x1b\ufffd")
    front.reply(msg_id)


def test_a_reply_to_input_is_no_answer(asking):
    """A cell shows a question of its own, gives it up, and has the reply arrive during the real one."""
    _, front, folder = asking()
    code = (f"import signal\ndef give_up(*_): raise ValueError\nsignal.signal(signal.SIGALRM, give_up)\n"
            f"signal.setitimer(signal.ITIMER_REAL, 0.2)\ntry: input('Type \"once\" to go on: ')\n"
            f"except ValueError: pass\n{write(folder / 'x')}")
    msg_id = front.execute(code, allow_stdin=True)
    assert question(front, msg_id).content["prompt"].startswith("Type")
    real = question(front, msg_id)
    front.send("stdin", "input_reply", {"value": "once"})   # as jupyter_client does: it names no question
    assert front.reply(msg_id).content["ename"] == "PermissionError"
    assert not (folder / "x").exists() and "asks you" in real.content["prompt"]


def test_an_answer_is_no_reply_to_input(asking):
    _, front, folder = asking(POLICY + "ask_seconds = 1\n")
    code = f"try: open('{folder}/x', 'w')\nexcept PermissionError: pass\nprint('got', repr(input('name? ')))"
    msg_id = front.execute(code, allow_stdin=True)
    late = question(front, msg_id)
    asked = question(front, msg_id)
    front.send("stdin", "input_reply", {"value": f"once {code_of(late)}"})
    front.answer_input("Pingu", asked)
    front.reply(msg_id)
    assert "got 'Pingu'" in text(front.outputs(msg_id)) and not (folder / "x").exists()


def test_a_handler_that_asks_while_input_waits(asking):
    """Both would wait for a frame: the refusal is plain, and input() still gets its reply."""
    _, front, folder = asking()
    code = (f"import signal\ndef ring(*_):\n    try: {write(folder / 'x')}\n    except PermissionError: print('refused')\n"
            "signal.signal(signal.SIGALRM, ring)\nsignal.setitimer(signal.ITIMER_REAL, 0.2)\nprint(input('? '))")
    msg_id = front.execute(code, allow_stdin=True)
    request = question(front, msg_id)
    time.sleep(0.6)
    front.silence("stdin", 0.1)
    front.answer_input("still here", request)
    front.reply(msg_id)
    shown = text(front.outputs(msg_id))
    assert "refused" in shown and "still here" in shown


def test_what_was_printed_comes_first(asking):
    _, front, folder = asking()
    msg_id = front.execute(f"print('read this', end='')\n{write(folder / 'x')}", allow_stdin=True)
    request = question(front, msg_id)
    assert text(front.until(msg_id, "stdout", timeout=1)) == "read this"
    front.answer_input("no", request)
    front.reply(msg_id)


def test_a_cell_sees_its_grants_and_cannot_make_one(asking):
    _, front, folder = asking()
    code = f"from safepyrun import _guard\n_guard.grants().append(('open', 'ok_dests', 'w', '{folder}/x'))\n{write(folder / 'x')}"
    reply, _ = front.run(code.replace("from safepyrun import _guard", "import sys; _guard = sys.modules['safepyrun._guard']"),
                         allow_stdin=False)
    assert reply.content["status"] == "error" and not (folder / "x").exists()


def test_the_time_of_the_cell_stands_still(asking):
    _, front, folder = asking(POLICY + "[limits]\ntimeout_seconds = 1\n")
    msg_id = front.execute(write(folder / "x"), allow_stdin=True)
    request = question(front, msg_id)
    time.sleep(1.6)
    front.answer_input(f"once {code_of(request)}", request)
    assert front.reply(msg_id).content["status"] == "ok" and (folder / "x").exists()
