"""A warm pool: the guard of a run is there before the request, and nothing else changes."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest
from guard_client import BUILD, LIBRARY

sys.path.insert(0, str(LIBRARY))  # the package that is tested; loading it guards nothing

from safepyrun import LocalEngine, RunnerPolicy, run_code  # noqa: E402

OPEN = {"blocked_imports": [], "blocked_builtins": []}
#: when the process of the run was forked, in seconds since the machine started
BORN = "result = int(open('/proc/self/stat').read().rsplit(')')[1].split()[19])"


@pytest.fixture(autouse=True)
def places(tmp_path_factory, monkeypatch):
    """A template of these tests' own, and temporary folders that can be counted."""
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(home))
    home.chmod(0o700)
    monkeypatch.setenv("TMPDIR", str(tmp_path_factory.mktemp("temporary")))
    yield
    subprocess.run([BUILD / "bin/safepyrun", "template", "stop"], capture_output=True, timeout=30)


@pytest.fixture
def engine():
    made = LocalEngine(venv_dir=sys.prefix, venv_manager="python")
    yield made
    made.close()


@pytest.fixture
def server(request, monkeypatch):
    for name, value in getattr(request, "param", {}).items():
        monkeypatch.setenv(name, value)
    process = subprocess.Popen([BUILD / "bin/safepyrun", "run", "--request", "--serve"], stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, text=True)
    yield process
    process.stdin.close()
    process.stdout.close()
    process.kill()
    process.wait()


def ask(server, code, **policy):
    server.stdin.write(json.dumps({"code": code, "input_data": {}, "policy": policy}) + "\n")
    server.stdin.flush()
    return json.loads(server.stdout.readline())


def wait_for(condition):
    until = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.02)


def children(pid):
    """Those that live."""
    out = []
    for folder in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{folder}/stat") as stat:
                state, parent = stat.read().rsplit(")")[1].split()[:2]
        except OSError:
            continue
        if int(parent) == pid and state != "Z":
            out.append(int(folder))
    return out


def command_lines():
    for folder in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{folder}/cmdline") as words:
                yield words.read()
        except OSError:
            continue


def test_the_second_run_finds_its_process_waiting(engine):
    policy = RunnerPolicy(**OPEN)
    assert run_code("1", engine=engine, policy=policy).ok
    time.sleep(0.3)
    asked = int(time.clock_gettime(time.CLOCK_BOOTTIME) * os.sysconf("SC_CLK_TCK"))
    born = run_code(BORN, engine=engine, policy=policy)
    assert born.ok and born.result < asked, born


def test_a_run_with_another_policy_is_not_given_to_it(engine):
    assert run_code("import math", engine=engine, policy=RunnerPolicy(**OPEN)).ok
    assert not run_code("import math", engine=engine, policy=RunnerPolicy(blocked_imports=["math"])).ok
    assert run_code("import math", engine=engine, policy=RunnerPolicy(**OPEN)).ok


def test_limits_are_those_of_the_run_and_not_of_the_one_before(engine):
    assert run_code("1", engine=engine, policy=RunnerPolicy(timeout_seconds=60)).ok
    assert run_code("while True: pass", engine=engine, policy=RunnerPolicy(timeout_seconds=1)).timed_out
    assert run_code("x = bytearray(10 ** 8)", engine=engine, policy=RunnerPolicy(memory_limit_mb=64)).resource_exceeded
    assert run_code("x = bytearray(10 ** 8)", engine=engine).ok


def test_folder_and_environment_are_the_callers_at_the_time(engine, tmp_path, monkeypatch):
    code = "import os\nresult = [os.getcwd(), os.environ.get('LANG')]"
    policy = RunnerPolicy(**OPEN)
    first = run_code(code, engine=engine, policy=policy).result
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LANG", "C.UTF-8")
    second = run_code(code, engine=engine, policy=policy).result
    assert second == [str(tmp_path), "C.UTF-8"] != first


def test_a_template_that_was_still_starting_ends_with_the_program():
    """It cannot be asked to before it listens, and would have waited ten minutes for the next request."""
    done = subprocess.run([BUILD / "bin/safepyrun", "run", "--request", "--serve"], text=True, capture_output=True, timeout=60,
                          input='{"code": "1"}\n{"code": "2"}\n')
    assert len(done.stdout.splitlines()) == 2
    wait_for(lambda: not any(os.environ["XDG_RUNTIME_DIR"] in words for words in command_lines()))


@pytest.mark.parametrize("server", [{"PYTHONPATH": "/nowhere"}], indirect=True, ids=["no template"])
def test_one_that_was_killed_while_it_waited_is_replaced(server):
    assert ask(server, "1")["ok"]
    time.sleep(0.3)         # the one of the run is gone by then
    wait_for(lambda: children(server.pid))
    waiting = set(children(server.pid))
    for pid in waiting:
        os.kill(pid, signal.SIGKILL)
    wait_for(lambda: not waiting & set(children(server.pid)))
    assert ask(server, "2")["result"] == 2


def test_a_request_that_is_none_is_answered_and_the_next_one_served(server):
    for text in ("{", "[]", '{"code": 1}', '{"code": "1", "policy": {"mode": "x"}}'):
        server.stdin.write(text + "\n")
        server.stdin.flush()
        answer = json.loads(server.stdout.readline())
        assert not answer["ok"] and answer["error"] and answer["exit_code"] == 2, text
    assert ask(server, "1")["ok"]


@pytest.mark.parametrize("end", ["input", signal.SIGTERM, signal.SIGINT])
def test_nothing_is_left_behind(server, end):
    assert ask(server, "1")["ok"]
    wait_for(lambda: os.listdir(os.environ["TMPDIR"]))     # the next one is on its way
    if end == "input":
        server.stdin.close()
    else:
        server.send_signal(end)
    assert server.wait(timeout=20) == (0 if end == "input" else 1)
    wait_for(lambda: not [name for name in os.listdir(os.environ["TMPDIR"]) if name.startswith("safepyrun-")])


def test_a_template_is_there_for_who_runs_often_and_ends_with_it(server):
    def templates():
        done = subprocess.run([BUILD / "bin/safepyrun", "template", "status"], capture_output=True, text=True, timeout=30)
        return done.stdout.count("pid ")

    assert ask(server, "1")["ok"] and templates() == 0
    for _ in range(2):
        assert ask(server, "1")["ok"]
    wait_for(lambda: templates() == 1)
    server.stdin.close()
    assert server.wait(timeout=20) == 0
    wait_for(lambda: templates() == 0)


def test_a_signal_ends_what_runs_too(server):
    server.stdin.write(json.dumps({"code": "while True: pass", "policy": {"timeout_seconds": 0}}) + "\n")
    server.stdin.flush()
    time.sleep(0.5)
    server.send_signal(signal.SIGTERM)
    assert "SIGTERM" in json.loads(server.stdout.readline())["error"]
    assert server.wait(timeout=20) == 1


def test_the_words_of_the_command_line():
    for words in (["--serve"], ["--request", "--warm", "json"], ["--serve", "x.py"]):
        done = subprocess.run([BUILD / "bin/safepyrun", "run", *words], input="", capture_output=True, text=True, timeout=30)
        assert done.returncode == 2 and "--serve" in done.stderr
