"""Tools that run outside, in a session with both rings closed: what their process may, and who ends it."""

import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time

import psutil
import pytest
from frontend import text
from kernel_process import PROGRAM, clean_environment, gone

TOOLS = """
import os, signal, socket, subprocess, sys, time
from safepyrun import allow

@allow(outside=True)
def about():
    with open("/proc/self/status") as file:
        status = {name: value.strip() for name, _, value in (line.partition(":") for line in file)}
    return {"pid": os.getpid(), "parent": os.getppid(), "seccomp": status["Seccomp"], "seals": status["NoNewPrivs"],
            "fds": {fd: os.readlink(f"/proc/self/fd/{fd}") for fd in os.listdir("/proc/self/fd") if os.path.exists(f"/proc/self/fd/{fd}")},
            "mounts": os.readlink("/proc/self/ns/mnt"), "user": os.readlink("/proc/self/ns/user"),
            "token": os.environ.get("API_TOKEN"), "main": sorted(sys.modules["__main__"].__dict__)}

@allow(outside=True)
def reach(port, path):
    with socket.create_connection(("127.0.0.1", port), 5) as connection:
        connection.sendall(b"hello")
    with open(path, "w") as file:
        return subprocess.run(["echo", "written"], stdout=file).returncode

@allow(outside=True, allow_policy=lambda obj, args, kwargs, data: None if args == [1] else 1 / 0)
def checked(number):
    return number

@allow(outside=True)
def start_program():
    return subprocess.Popen(["sleep", "1000"], start_new_session=True).pid

@allow(outside=True)
def work(mark):
    try:
        print("on", flush=True)
        time.sleep(60)
    finally:
        open(mark, "w").close()

@allow(outside=True)
def die():
    os.kill(os.getpid(), signal.SIGKILL)

@allow
def inside(program=None):
    return subprocess.run([program]) if program else socket.socket()

state = 0

@allow(outside=True)
def step():
    global state
    state += 1
    return state
"""


@pytest.fixture
def session(start_kernel, shell, tmp_path):
    def start(policy="", **keywords):
        (tmp_path / "tools.py").write_text(TOOLS)
        kernel = start_kernel(shell=shell, policy=f'{policy}\n[setup]\nfiles = ["{tmp_path}/tools.py"]\n',
                              arguments=["--audit-log", tmp_path / "audit.jsonl", "--log", tmp_path / "log", "--log-level", "debug"], **keywords)
        return kernel, kernel.frontend()

    return start


def do(front, code):
    reply, outputs = front.run(code)
    assert reply.content["status"] == "ok", reply.content
    return text(outputs)


def fail(front, code):
    return front.run(code)[0].content


def starter(kernel):
    (found,) = [each for each in kernel.family() if each.name() == "safepyrun-tool" and each.parent().name() != "safepyrun-tool"]
    return found


def test_it_is_outside_and_the_guard_is_not(session, tmp_path):
    kernel, front = session(environment={"API_TOKEN": "secret"})
    about = json.loads(do(front, "import json; print(json.dumps(about()))"))
    assert (about["seccomp"], about["seals"], about["token"]) == ("0", "0", "secret")
    assert about["mounts"] == os.readlink("/proc/self/ns/mnt") and about["user"] == os.readlink("/proc/self/ns/user")
    assert {target.partition(":")[0] for target in about["fds"].values()} == {"/dev/null", "socket", "pipe"}
    assert len(about["fds"]) <= 6  # 0, 1, 2, the control socket, that for the records, the call's own
    assert "json" not in about["main"] and "front" not in about["main"]  # nothing of the cells'
    assert do(front, "import os; print(os.environ.get('API_TOKEN'))") == "None\n"
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        do(front, f"reach({port}, {str(tmp_path / 'outside.txt')!r})")
        assert server.accept()[0].recv(5) == b"hello"
    assert (tmp_path / "outside.txt").read_text() == "written\n"
    # The guard reaches neither that process nor its starter by other ways.
    for pid in (about["pid"], about["parent"]):
        for name in ("environ", "mem", "maps"):
            assert fail(front, f"open('/proc/{pid}/{name}', 'rb').read()")["ename"] == "PermissionError"
        assert fail(front, f"os.kill({pid}, 9)")["ename"] == "PermissionError"
    assert starter(kernel).pid == about["parent"]


def test_a_tool_inside_is_told_that_it_should_be_outside(session):
    _, front = session()
    for call in ("inside('true')", "inside()"):
        assert "register the tool with allow(f, outside=True)" in fail(front, call)["evalue"]


def tool_lines(log, count, timeout=10):
    """Of an end another process tells than the one whose cell it ends: it comes when it comes."""
    deadline = time.monotonic() + timeout
    while True:
        lines = [json.loads(line) for line in log.read_text().splitlines()]
        lines = [line for line in lines if line["type"] == "tool"]
        if len(lines) >= count or time.monotonic() > deadline:
            return lines
        time.sleep(0.02)


def test_every_call_is_in_the_audit_log(session, tmp_path):
    kernel, front = session()
    do(front, "checked(1)")
    assert fail(front, "checked(2)")["ename"] == "PermissionError"
    assert fail(front, "die()")["evalue"] == "die: the tool process was killed by SIGKILL (Killed)"
    do(front, "1")
    lines = tool_lines(tmp_path / "audit.jsonl", 6)
    steps = [(line["execution_count"], line["tool"], line["call"], line["outcome"]) for line in lines]
    if steps[-1][0] in (0, 4):  # the cell may be over by then
        steps[-1] = (3, *steps[-1][1:])
    assert steps == [(1, "checked", 1, "called"), (1, "checked", 1, "returned"),
                     (2, "checked", 2, "called"), (2, "checked", 2, "refused"),
                     (3, "die", 3, "called"), (3, "die", 3, "was killed by SIGKILL (Killed)")]
    assert json.loads(lines[0]["arguments"]) == {"args": [1], "kwargs": {}}


def test_an_interrupt_ends_the_wait_and_the_call(session, tmp_path):
    kernel, front = session()
    mark = tmp_path / "mark"
    msg_id = front.execute(f"work({str(mark)!r})")
    front.until(msg_id, "stdout")
    assert front.ask("interrupt_request", channel="control") == {"status": "ok"}
    assert front.reply(msg_id, timeout=5).content["ename"] == "KeyboardInterrupt"
    deadline = time.monotonic() + 5
    while not mark.exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert mark.exists()
    assert do(front, "print(checked(1))") == "1\n"


def test_a_copy_of_the_guard_goes_on_with_the_same_process(session):
    kernel, front = session()
    assert do(front, "print(step())") == "1\n"
    before = starter(kernel).pid
    front.wait_for_copy()
    assert fail(front, "import os; os._exit(3)")["ename"] == "GuardDied"
    assert do(front, "print(step())") == "2\n"
    assert starter(kernel).pid == before


@pytest.mark.parametrize("end", ["killed", "shut down"])
def test_nothing_is_left_behind(session, end):
    kernel, front = session()
    program = psutil.Process(int(do(front, "print(start_program())")))
    family = kernel.family()
    assert program in family
    if end == "killed":
        os.kill(kernel.process.pid, signal.SIGKILL)
    else:
        kernel.process.send_signal(signal.SIGTERM)
    assert gone(family, 5)


def test_a_guard_from_a_template_has_one_of_its_own(session, tmp_path):
    """The template itself has none: it is made before there is a policy."""
    folder = tempfile.mkdtemp(prefix="sp-", dir="/tmp")  # the path of a socket is short
    environment = {"XDG_RUNTIME_DIR": folder, "HOME": str(tmp_path)}

    def template(word):
        return subprocess.run([PROGRAM, "template", word], env=clean_environment(tmp_path) | environment, capture_output=True,
                              text=True, timeout=20).stdout

    try:
        seen = []
        for _ in range(2):
            kernel, front = session(policy="[warm]\ntemplates = true\n", environment=environment)
            about = json.loads(do(front, "import json; print(json.dumps(about()))"))
            seen.append((about["seccomp"], about["seals"], about["mounts"]))
            tool = psutil.Process(about["pid"])
            both = [tool, tool.parent()]
            while not (status := template("status")).startswith("pid"):
                time.sleep(0.05)
            assert "safepyrun-tool" not in [each.name() for each in psutil.Process(int(status.split()[1])).children()]
            assert len(seen) == 1 or "started from a template" in (tmp_path / "log").read_text()
            os.kill(kernel.process.pid, signal.SIGKILL)
            assert gone(both)
        assert seen[0] == seen[1]
    finally:
        template("stop")
        shutil.rmtree(folder)
