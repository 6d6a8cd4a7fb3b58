"""Refusals as a front end sees them: the card, the reply's metadata, the audit log, kernel_info_reply."""

import hashlib
import json
import stat

import pytest
from frontend import labels, only, text

MIME = "application/vnd.safepyrun.refusal+json"
SWALLOWED = "try:\n    open('/srv/x', 'w')\nexcept OSError:\n    pass"
#: members of a refusal, in a reply and in the audit log
MEMBERS = {"event", "rule", "subject", "what", "why", "remedy", "message"}


def told(reply):
    return reply.metadata["safepyrun"]


@pytest.fixture
def audited(start_kernel, tmp_path):
    """A kernel that ends, and then the lines of its audit log."""

    def run(*cells, arguments=(), **keywords):
        path = tmp_path / "state" / "audit.jsonl"
        kernel = start_kernel(arguments=("--audit-log", path, *arguments), **keywords)
        with kernel.frontend() as front:
            for cell in cells:
                front.run(cell)
            front.send("control", "shutdown_request", {"restart": False})
        assert kernel.wait() == 0
        return [json.loads(line) for line in path.read_text().splitlines()]

    return run


def of_type(lines, name):
    return [line for line in lines if line["type"] == name]


# ---- the reply -----------------------------------------------------------------------------------


def test_an_ordinary_cell_tells_its_times(front):
    reply, outputs = front.run("for i in range(300000): pass")
    assert outputs == []
    assert set(told(reply)) == {"wall_ms", "cpu_ms", "denial_count", "denials"}
    assert told(reply)["denials"] == [] and told(reply)["denial_count"] == 0
    assert told(reply)["wall_ms"] > 0 and told(reply)["cpu_ms"] > 0
    assert reply.metadata["started"] and reply.metadata["status"] == "ok"


def test_waiting_takes_wall_time_only(front):
    front.run("import time")
    reply, _ = front.run("time.sleep(0.4)")
    assert 400 <= told(reply)["wall_ms"] < 2000
    assert told(reply)["cpu_ms"] < 200


def test_a_refusal_has_card_error_and_metadata(front):
    reply, outputs = front.run("open('/srv/x', 'w')")
    assert labels(outputs) == ["display_data", "error"]
    data = outputs[0].content["data"]
    assert set(data) == {MIME, "text/html", "text/plain"}
    assert data["text/plain"].startswith("Refused: open for writing: /srv/x\n")
    (denial,) = told(reply)["denials"]
    assert {"version": 1, **denial} == data[MIME]
    assert set(denial) == MEMBERS
    assert (denial["event"], denial["rule"], denial["subject"]) == ("open", "ok_dests", "/srv/x")
    assert reply.content["status"] == "error" and denial["message"] in reply.content["evalue"]


def test_a_refusal_by_the_rules(front):
    reply, outputs = front.run("a = 1\nimport socket")
    assert labels(outputs) == ["display_data", "error"]
    (denial,) = told(reply)["denials"]
    assert (denial["event"], denial["rule"]) == ("cell", "ban_imports")
    assert "line 2 imports socket" in denial["what"]


def test_a_swallowed_refusal_is_in_the_reply(front):
    reply, outputs = front.run(SWALLOWED)
    assert outputs == [] and reply.content["status"] == "ok"
    assert [denial["subject"] for denial in told(reply)["denials"]] == ["/srv/x"]


def test_a_silent_cell_is_told_in_its_reply_alone(front):
    reply, outputs = front.run("open('/srv/x', 'w')", silent=True)
    assert outputs == []
    assert told(reply)["denial_count"] == 1


def test_an_ordinary_error_has_no_card(front):
    reply, outputs = front.run("1/0")
    assert labels(outputs) == ["error"]
    assert told(reply)["denials"] == []


def test_refusals_belong_to_their_cell(front):
    assert told(front.run(SWALLOWED)[0])["denial_count"] == 1
    assert told(front.run("1")[0])["denial_count"] == 0


def test_many_refusals_are_counted(front):
    code = "for i in range(5000):\n    try: open(f'/srv/{i}', 'w')\n    except OSError: pass"
    reply, _ = front.run(code)
    assert told(reply)["denial_count"] == 5000
    assert [denial["subject"] for denial in told(reply)["denials"]] == [f"/srv/{i}" for i in range(20)]


def test_a_name_that_is_no_text(front):
    reply, _ = front.run(r"open(b'/srv/\xff\n\"\x01', 'w')")
    assert told(reply)["denials"][0]["subject"] == '/srv/\ufffd\n"\x01'


def test_a_thread_of_a_cell_that_is_over(audited):
    late = ("import threading, time\n"
            "threading.Timer(0.3, open, ('/srv/late', 'w')).start()")
    lines = audited(late, "time.sleep(1)")
    (denial,) = of_type(lines, "denial")
    assert denial["subject"] == "/srv/late" and denial["execution_count"] == 0
    assert [line["denial_count"] for line in of_type(lines, "cell")] == [0, 1]


def test_a_thread_that_works_for_cell_after_cell(front):
    """asyncio keeps its executor's; the cell that waits for it tells what was refused."""
    code = "import asyncio\nawait asyncio.get_running_loop().run_in_executor(None, open, '/srv/x', 'w')"
    for _ in range(2):
        reply, _ = front.run(code)
        assert reply.content["ename"] == "PermissionError"
        assert [denial["subject"] for denial in told(reply)["denials"]] == ["/srv/x"]


# ---- %guard and kernel_info ------------------------------------------------------------------------


def test_kernel_info_tells_the_rings(front):
    front.run("1")
    info = front.ask("kernel_info_request")
    ring = info["safepyrun"].pop("os_ring")
    assert info["safepyrun"] == {"version": info["implementation_version"], "interpreter_ring": True}
    assert ring["state"] in ("active", "partial", "missing")
    assert {"landlock", "seccomp", "capabilities", "network"} <= set(ring["parts"])
    assert {part["state"] for part in ring["parts"].values()} <= {"active", "partial", "missing", "off"}


def test_kernel_info_of_the_open_preset(start_kernel):
    with start_kernel(policy='preset = "open"\n').frontend() as front:
        front.run("1")
        assert front.ask("kernel_info_request")["safepyrun"]["interpreter_ring"] is False


def test_guard_status_names_the_policy_file(start_kernel):
    kernel = start_kernel(policy="ban_defs = false\n")
    with kernel.frontend() as front:
        _, outputs = front.run("%guard status")
        assert str(kernel.directory / "policy.toml") in text(outputs)
        assert "interpreter ring  active" in text(outputs)


def test_guard_log(front):
    front.run("open('/srv/for-the-log', 'w')")
    assert "/srv/for-the-log" in text(front.run("%guard log")[1])
    assert "/srv/for-the-log" in text(front.run("%guard why")[1])


# ---- the audit log ---------------------------------------------------------------------------------


def test_a_session_in_the_audit_log(audited):
    lines = audited("1 + 1", "1/0", SWALLOWED)
    assert [line["type"] for line in lines] == ["session_start", "cell", "cell", "denial", "cell", "session_end"]
    assert len({line["session"] for line in lines}) == len({line["pid"] for line in lines}) == 1
    start, first, second, denial, third, end = lines
    assert start["preset"] == "workspace" and start["python"].startswith("3.") and start["guard_pid"] > 0
    assert start["policy_file"] is None
    assert first["sha256"] == hashlib.sha256(b"1 + 1").hexdigest()
    assert [cell["status"] for cell in (first, second, third)] == ["ok", "error", "ok"]
    assert [cell["execution_count"] for cell in (first, second, third)] == [1, 2, 3]
    assert third["denial_count"] == 1 and third["wall_ms"] > 0
    assert set(denial) == MEMBERS | {"time", "type", "pid", "session", "execution_count"}
    assert denial["execution_count"] == 3 and end["reason"] == "shutdown"


def test_the_source_of_a_cell_is_not_in_the_log(audited):
    assert "my secret" not in json.dumps(audited("x = 'my secret'"))


def test_a_flood_is_cut_in_the_log(audited):
    lines = audited("for i in range(3000):\n    try: open('/srv/x', 'w')\n    except OSError: pass", SWALLOWED)
    assert len(of_type(lines, "denial")) == 200 + 1
    assert [line["denial_count"] for line in of_type(lines, "cell")] == [3000, 1]


def test_a_guard_that_dies_is_in_the_log(start_kernel, tmp_path):
    path = tmp_path / "audit.jsonl"
    kernel = start_kernel(policy="[limits]\ncopies = 0", arguments=("--audit-log", path))
    with kernel.frontend() as front:
        front.run("1")
        front.execute("import time; time.sleep(60)")
        while True:
            message = front.receive("iopub")
            if message.label == "execute_input" and "sleep" in message.content["code"]:
                break
        kernel.guard().kill()
        assert kernel.wait() == 1
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [line["type"] for line in lines] == ["session_start", "cell", "cell", "session_end"]
    assert of_type(lines, "cell")[1]["status"] == "died"
    assert "SIGKILL" in of_type(lines, "session_end")[0]["reason"]


def test_the_usual_place(start_kernel):
    kernel = start_kernel()
    with kernel.frontend() as front:
        front.run("1")
    path = kernel.home / ".local/state/safepyrun/audit.jsonl"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [json.loads(line)["type"] for line in path.read_text().splitlines()] == ["session_start", "cell"]


def test_none_keeps_no_log(start_kernel):
    kernel = start_kernel(arguments=("--audit-log", "none"))
    with kernel.frontend() as front:
        front.run("1")
    assert not (kernel.home / ".local/state").exists()
    assert not (kernel.work / "none").exists()


def test_a_full_disk_fails_no_cell(start_kernel):
    kernel = start_kernel(arguments=("--audit-log", "/dev/full", "--log", "log.txt"))
    with kernel.frontend() as front:
        for _ in range(3):
            reply, outputs = front.run("1 + 1")
            assert reply.content["status"] == "ok" and labels(outputs) == ["execute_result"]
    assert (kernel.work / "log.txt").read_text().count("lines of the audit log /dev/full are lost") == 1


def test_what_must_not_go_unnoticed_needs_no_log(start_kernel):
    kernel = start_kernel(arguments=("--audit-log", "/dev/full"))
    with kernel.frontend() as front:
        front.run("1 + 1")
    assert kernel.stderr.read_text().count("lines of the audit log /dev/full are lost") == 1


def test_a_log_that_was_asked_for_and_cannot_be_kept(start_kernel):
    kernel = start_kernel(arguments=("--audit-log", "/proc/nowhere/audit.jsonl"))
    assert kernel.wait() == 1
    assert "cannot open the audit log /proc/nowhere/audit.jsonl" in kernel.stderr.read_text()


def test_a_home_that_takes_no_files(start_kernel, tmp_path):
    kernel = start_kernel(environment={"HOME": "/proc/nowhere"})
    with kernel.frontend() as front:
        assert front.run("1 + 1")[0].content["status"] == "ok"


TOUCHES = {
    "write": "open(path, 'a')",
    "remove": "import os\nos.remove(path)",
    "rename": "import os\nos.rename(path, 'elsewhere')",
    "replace": "import os\nopen('mine', 'w').close()\nos.replace('mine', path)",
    "truncate": "import os\nos.truncate(path, 0)",
    "rotate": "import os\nopen(path + '.1', 'w')",
    "folder": "import os\nos.rename('state', 'elsewhere')",
    "parent": "import os\nos.rename('.', '../elsewhere')",
    "tree": "import shutil\nshutil.rmtree('state')",
}


@pytest.mark.parametrize("code", TOUCHES.values(), ids=TOUCHES)
def test_a_cell_cannot_reach_the_log(start_kernel, code):
    """Even when it lies inside of a write root: the working directory."""
    kernel = start_kernel(arguments=("--audit-log", "state/deep/audit.jsonl"))
    path = kernel.work / "state/deep/audit.jsonl"
    with kernel.frontend() as front:
        front.run("path = 'state/deep/audit.jsonl'")
        before = path.read_text()
        reply, outputs = front.run(code)
        assert reply.content["status"] == "error"
        assert only(outputs, "error").content["ename"] == "PermissionError"
    assert path.read_text().startswith(before)


def test_two_kernels_share_a_log(start_kernel, tmp_path):
    path = tmp_path / "audit.jsonl"
    kernels = [start_kernel(arguments=("--audit-log", path)) for _ in range(2)]
    fronts = [kernel.frontend() for kernel in kernels]
    for _ in range(5):
        for front in fronts:
            front.run("1")
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert len(of_type(lines, "cell")) == 10 and len({line["session"] for line in lines}) == 2


@pytest.mark.parametrize("policy, words", [
    ('preset = "open"', "os_ring may be why: nothing is reached but what network.allow lists"),
    ('preset = "open"\n[network]\nallow = ["localhost:1"]', "network.allow may be why"),
    ('preset = "open"\nos_ring = "off"', None),
])
@pytest.mark.parametrize("code", [
    "import socket\nraise socket.gaierror(socket.EAI_AGAIN, 'Temporary failure in name resolution')",
    "import socket\ntry:\n    raise socket.gaierror(socket.EAI_NONAME, 'x')\n"
    "except OSError as error:\n    raise RuntimeError('Max retries exceeded') from error",
    "raise RuntimeError('dns error: failed to lookup address information')",
], ids=["system's", "library's", "native"])
def test_a_host_that_is_not_found_names_what_keeps_it_away(start_kernel, policy, words, code):
    with start_kernel(policy=policy).frontend() as front:
        reply, _ = front.run(code)
        if words is None:
            assert "may be why" not in reply.content["evalue"]
        else:
            assert words in reply.content["evalue"]
        reply, _ = front.run("raise RuntimeError('no host, no resolution')")
        assert "may be why" not in reply.content["evalue"]


def test_what_only_the_system_refuses_names_the_ring(start_kernel, shell):
    with start_kernel(shell=shell, policy='preset = "open"').frontend() as front:
        reply, _ = front.run("import os\nos.kill(1, 0)")
        assert "os_ring may be why" in reply.content["evalue"]
