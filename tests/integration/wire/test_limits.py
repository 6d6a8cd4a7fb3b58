"""[limits]: what a cell may take, enforced from outside, and how it is told."""

import re
import subprocess
import time
from pathlib import Path

import pytest
from frontend import only, text
from kernel_process import PROGRAM

LIMITS = 'preset = "open"\n[limits]\n'


@pytest.fixture
def limited(start_kernel, shell):
    """A kernel that lets everything pass but these limits."""

    def start(**limits):
        lines = "".join(f"{name} = {value}\n" for name, value in limits.items())
        kernel = start_kernel(shell=shell, policy=LIMITS + lines)
        front = kernel.frontend()
        front.kernel = kernel
        return front

    return start


def error_of(front, code, **keywords):
    """The error that a cell publishes, which is the one that it replies."""
    reply, outputs = front.run(code, **keywords)
    error = only(outputs, "error").content
    assert reply.content["status"] == "error"
    assert (reply.content["ename"], reply.content["evalue"]) == (error["ename"], error["evalue"])
    return error


def test_a_cell_that_runs_too_long_is_interrupted(limited):
    front = limited(timeout_seconds=1)
    front.run("x = 1")
    began = time.monotonic()
    error = error_of(front, "x = 2\nwhile True:\n    pass")
    assert 0.9 < time.monotonic() - began < 3
    assert error["ename"] == "LimitExceeded"
    assert error["evalue"].startswith("timeout_seconds = 1: ")
    assert "interrupted, at line" in error["evalue"]
    assert "KeyboardInterrupt" in "".join(error["traceback"])
    assert text(front.run("print(x)")[1]) == "2\n"      # only the cell is over


def wish(seconds):
    return {"safepyrun": {"timeout_seconds": seconds}}


def test_a_request_may_ask_for_less_time(limited):
    front = limited(timeout_seconds=60)
    error = error_of(front, "import time; time.sleep(30)", metadata=wish(1))
    assert error["evalue"].startswith("timeout_seconds = 1: ")
    assert front.run("time.sleep(1.2)")[0].content["status"] == "ok"


def test_a_request_cannot_ask_for_more_time(limited):
    front = limited(timeout_seconds=1)
    assert error_of(front, "import time; time.sleep(30)", metadata=wish(60))["evalue"].startswith("timeout_seconds = 1: ")


@pytest.mark.parametrize("seconds", [0, -1, "1", 1.5, None])
def test_a_wrong_deadline_is_named(limited, seconds):
    front = limited()
    reply = front.reply(front.execute("1", metadata=wish(seconds)))
    assert reply.content["status"] == "error" and "timeout_seconds" in reply.content["evalue"]


def test_a_cell_that_waits_too_long(limited):
    front = limited(timeout_seconds=1)
    error = error_of(front, "import asyncio\nawait asyncio.sleep(60)")
    assert error["evalue"].startswith("timeout_seconds = 1: ")
    assert front.run("await asyncio.sleep(0)")[0].content["status"] == "ok"


def test_a_cell_that_swallows_the_interrupt_is_told_all_the_same(limited):
    front = limited(timeout_seconds=1)
    error = error_of(front, "import time\ntry:\n    time.sleep(60)\nexcept KeyboardInterrupt:\n    y = 3")
    assert error["evalue"].startswith("timeout_seconds = 1: ")
    assert text(front.run("print(y)")[1]) == "3\n"


@pytest.mark.parametrize("code", [
    "while True:\n    try:\n        while True: pass\n    except KeyboardInterrupt: pass",
    "sum(range(10**11))",
    "import re\nre.match('(a+)+b', 'a' * 40 + 'c')",
], ids=["stubborn", "native", "regex"])
def test_what_does_not_heed_the_interrupt_is_ended(limited, code):
    front = limited(timeout_seconds=1, grace_seconds=1)
    front.run("1")
    began = time.monotonic()
    error = error_of(front, code)
    assert time.monotonic() - began < 5
    assert error["ename"] == "LimitExceeded"
    assert error["evalue"].startswith("timeout_seconds = 1: ")
    assert "at line " in error["evalue"]
    assert front.run("print('on')", timeout=20)[0].content["status"] == "ok"


def test_the_line_is_shown(limited):
    front = limited(timeout_seconds=1, grace_seconds=1)
    error = error_of(front, "a = 1\n\nfor i in range(9):\n    sum(range(10**11))\n")
    assert "at line 4: sum(range(10**11))" in error["evalue"]


def test_the_clock_stands_still_while_a_person_thinks(limited):
    front = limited(timeout_seconds=1)
    msg_id = front.execute("name = input('who? ')", allow_stdin=True)
    question = front.receive("stdin")
    time.sleep(1.5)
    front.answer_input("me", question)
    assert front.reply(msg_id).content["status"] == "ok"


def test_cpu_time(limited):
    front = limited(cpu_seconds=1)
    assert front.run("import time\ntime.sleep(1.2)")[0].content["status"] == "ok"
    error = error_of(front, "while True: pass")
    assert error["evalue"].startswith("cpu_seconds = 1: ")


def test_the_kernel_answers_while_a_cell_is_beyond_its_limits(limited):
    front = limited(timeout_seconds=1, grace_seconds=2)
    msg_id = front.execute("while True:\n    try:\n        while True: pass\n    except KeyboardInterrupt: pass")
    for _ in range(5):
        time.sleep(0.4)
        began = time.monotonic()
        front.ping()
        front.ask("kernel_info_request", channel="control")
        assert time.monotonic() - began < 1
    assert front.reply(msg_id).content["ename"] == "LimitExceeded"


# ---- output

def test_head_and_tail_of_the_output_are_kept(limited):
    front = limited(max_output_kb=64)
    reply, outputs = front.run("for i in range(100_000): print('line', i)")
    assert reply.content["status"] == "ok"
    printed = text(outputs)
    assert printed.startswith("line 0\nline 1\n") and printed.endswith("line 99999\n")
    assert len(printed) <= 64 * 1024
    assert "[max_output_kb = 64: " in text(outputs, "stderr")
    assert text(front.run("print('short')")[1]) == "short\n"


def test_short_output_is_not_touched(limited):
    front = limited(max_output_kb=64)
    _, outputs = front.run("import sys\nfor i in range(700): print('x' * 80)\nprint('end', file=sys.stderr)")
    assert text(outputs) == ("x" * 80 + "\n") * 700
    assert text(outputs, "stderr") == "end\n"


def test_a_giant_repr(limited):
    front = limited(max_output_kb=64)
    _, outputs = front.run("'a' + 'y' * 5_000_000 + 'z'")
    shown = only(outputs, "execute_result").content["data"]["text/plain"]
    assert shown.startswith("'ayyy") and shown.endswith("yyz'") and "left out here" in shown
    assert len(shown) < 70_000


def test_a_giant_error(limited):
    front = limited(max_output_kb=64)
    error = error_of(front, "raise ValueError('y' * 5_000_000)")
    assert error["ename"] == "ValueError"
    assert len(error["evalue"]) < 70_000 and len("".join(error["traceback"])) < 70_000


def test_displays_beyond_the_limit_are_counted(limited):
    front = limited(max_output_kb=64)
    _, outputs = front.run("for i in range(20): display('p' * 10_000)")
    assert 2 <= sum(output.msg_type == "display_data" for output in outputs) <= 4
    assert "displays]" in text(outputs, "stderr")


def test_cleared_output_does_not_count(limited, shell):
    front = limited(max_output_kb=64)
    code = "from IPython.display import clear_output\n" if shell == "ipython" else ""
    _, outputs = front.run(code + "for i in range(20):\n    clear_output(wait=True)\n    print('q' * 20_000)")
    assert text(outputs).count("q") == 400_000


def test_endless_output(limited):
    """Within the time limit the kernel process keeps nothing but head and tail, and answers all the while."""
    front = limited(max_output_kb=64, timeout_seconds=2)
    msg_id = front.execute("while True: print('x' * 1000)")
    for _ in range(3):
        time.sleep(0.4)
        began = time.monotonic()
        front.ask("kernel_info_request", channel="control")
        assert time.monotonic() - began < 1
    assert front.reply(msg_id).content["evalue"].startswith("timeout_seconds = 2: ")
    assert len(text(front.outputs(msg_id))) <= 64 * 1024


# ---- memory, processes, files

@pytest.mark.unsanitized
def test_memory_is_refused_as_python_says_it(limited):
    front = limited(memory_limit_mb=300)
    error = error_of(front, "x = 1\ny = bytearray(10**9)")
    assert error["ename"] == "MemoryError" and "memory_limit_mb = 300" in error["evalue"]
    assert text(front.run("print(x)")[1]) == "1\n"


@pytest.mark.unsanitized
def test_memory_that_no_resource_limit_sees(limited):
    """Shared pages are nobody's data: the kernel process sees them."""
    front = limited(memory_limit_mb=300)
    code = "import mmap, time\nm = mmap.mmap(-1, 600 << 20)\nfor i in range(600):\n    m[i << 20:(i << 20) + (1 << 20)] = b'x' * (1 << 20)\ntime.sleep(5)"
    error = error_of(front, code)
    assert error["ename"] == "LimitExceeded" and error["evalue"].startswith("memory_limit_mb = 300: ")
    assert "at line " in error["evalue"]
    assert front.run("1", timeout=20)[0].content["status"] == "ok"


@pytest.mark.unsanitized
def test_an_interpreter_whose_turn_comes_late_still_tells_its_line(limited):
    front = limited(memory_limit_mb=300)
    signals = "asked = signal.SIGRTMAX - 1\nsignal.pthread_sigmask(signal.SIG_BLOCK, [asked])\n"
    code = ("import mmap, signal, time\n" + signals + "m = mmap.mmap(-1, 320 << 20)\nfor i in range(320):\n    m[i << 20:(i << 20) + (1 << 20)] = b'x' * (1 << 20)\n"
            "while asked not in signal.sigpending(): time.sleep(0.001)\ntime.sleep(0.1)\nsignal.pthread_sigmask(signal.SIG_UNBLOCK, [asked])\ntime.sleep(5)")
    error = error_of(front, code)
    assert error["ename"] == "LimitExceeded" and "at line " in error["evalue"]


def test_a_cgroup_stands_behind_the_limits(limited):
    said = subprocess.run([PROGRAM, "doctor"], capture_output=True, text=True).stdout
    if "; no cgroup: " in said:
        pytest.skip("no " + re.search(r"; no (cgroup: .*)", said)[1])
    front = limited(memory_limit_mb=300, processes=60)
    assert front.run("1")[0].content["status"] == "ok"
    name = f"safepyrun-{front.kernel.process.pid}"
    assert Path(f"/proc/{front.kernel.guard().pid}/cgroup").read_text().splitlines()[-1].endswith(f"/{name}")
    (folder,) = [each for each in Path("/sys/fs/cgroup").rglob(name)]
    front.send("control", "shutdown_request", {"restart": False})
    front.kernel.wait()
    assert not folder.exists()


def test_a_fork_bomb(limited):
    """At most 2000 processes, were nobody to stop it."""
    front = limited(processes=60)
    code = "import os, time\nfor _ in range(11):\n    time.sleep(0.05)\n    os.fork()\ntime.sleep(20)"
    began = time.monotonic()
    error = error_of(front, code)
    assert time.monotonic() - began < 8
    assert error["ename"] == "LimitExceeded" and error["evalue"].startswith("processes = 60: ")
    assert front.run("1", timeout=20)[0].content["status"] == "ok"


def test_processes_that_leave_the_group_are_ended_too(limited):
    front = limited(processes=20)
    code = "import os, time\nfor i in range(40):\n    if os.fork() == 0:\n        os.setsid()\n        if os.fork() == 0: time.sleep(60)\n        os._exit(0)\ntime.sleep(20)"
    assert error_of(front, code)["evalue"].startswith("processes = 20: ")
    assert front.run("1", timeout=20)[0].content["status"] == "ok"
    deadline = time.monotonic() + 5
    while len(front.kernel.family()) > 4 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert len(front.kernel.family()) <= 4


def test_too_many_threads(limited):
    front = limited(processes=30)
    code = "import threading, time\nfor i in range(100): threading.Thread(target=time.sleep, args=(5,), daemon=True).start()\ntime.sleep(5)"
    error = error_of(front, code)
    assert "processes = 30" in error["evalue"]


def test_open_files(limited):
    front = limited(open_files=60)
    error = error_of(front, "files = [open('/dev/null') for i in range(200)]")
    assert "Too many open files" in error["evalue"] and "open_files = 60" in error["evalue"]
    assert front.run("open('/dev/null').close()")[0].content["status"] == "ok"


def test_a_file_that_grows_too_large(limited):
    front = limited(max_write_mb=5)
    error = error_of(front, "with open('big', 'wb', buffering=0) as file:\n    for i in range(20): file.write(bytes(1 << 20))")
    assert "max_write_mb = 5" in error["evalue"]
    assert front.run("open('small', 'w').write('x')")[0].content["status"] == "ok"


def test_many_files_that_are_too_much(limited):
    front = limited(max_write_mb=5)
    code = "import time\nfor i in range(60):\n    with open(f'part{i}', 'wb') as file: file.write(bytes(1 << 20))\n    time.sleep(0.05)"
    error = error_of(front, code)
    assert error["ename"] == "LimitExceeded" and error["evalue"].startswith("max_write_mb = 5: ")


#: ways to a file that take no write()
QUIET_WRITES = {
    "a mapping": "with open(name, 'w+b') as file:\n    file.truncate(1 << 20)\n    with mmap.mmap(file.fileno(), 0) as memory:\n        memory[:] = bytes(1 << 20)",
    "allocation": "with open(name, 'wb') as file:\n    os.posix_fallocate(file.fileno(), 0, 1 << 20)",
}


@pytest.mark.parametrize("way", QUIET_WRITES)
def test_what_is_written_by_other_ways(limited, way, tmp_path):
    if subprocess.run(["stat", "-f", "-c", "%T", tmp_path], capture_output=True, text=True, check=True).stdout == "tmpfs\n":
        pytest.skip("a file system in memory: nothing is bound for a disk")
    front = limited(max_write_mb=5)
    body = "".join(f"    {line}\n" for line in QUIET_WRITES[way].splitlines())
    error = error_of(front, f"import mmap, os, time\nfor i in range(60):\n    name = f'part{{i}}'\n{body}    time.sleep(0.05)")
    assert error["evalue"].startswith("max_write_mb = 5: ")


@pytest.mark.unsanitized
def test_shared_memory_has_the_limit_too(limited):
    front = limited(memory_limit_mb=300)
    error = error_of(front, "with open('/dev/shm/x', 'wb') as file:\n    for i in range(400): file.write(bytes(1 << 20))")
    assert "No space left" in error["evalue"]


def test_output_is_no_file(limited):
    front = limited(max_write_mb=1)
    code = "import time, os\nfor i in range(6):\n    print('x' * 1_000_000)\n    os.write(1, b'y' * 500_000)\n    time.sleep(0.1)"
    assert front.run(code)[0].content["status"] == "ok"


def test_a_full_disk(start_kernel, shell, tmp_path):
    """The kernel process writes history and audit log to it: cells run all the same."""
    kernel = start_kernel(shell=shell, arguments=["--history-file", "/dev/full", "--audit-log", "/dev/full"])
    front = kernel.frontend()
    for _ in range(3):
        assert text(front.run("print('on')")[1]) == "on\n"


# ---- tracebacks

def test_a_recursion_a_hundred_thousand_calls_deep(limited):
    front = limited(timeout_seconds=60)
    error = error_of(front, "import sys\nsys.setrecursionlimit(10**6)\nf = lambda n: f(n + 1) if n < 100_000 else 1 / 0\nf(0)", timeout=60)
    assert error["ename"] == "ZeroDivisionError"
    assert len("".join(error["traceback"])) < 200_000


@pytest.mark.unsanitized
def test_endless_recursion_ends_with_its_limits(limited):
    front = limited(timeout_seconds=3, grace_seconds=1, memory_limit_mb=2000)
    error = error_of(front, "import sys\nsys.setrecursionlimit(10**7)\nf = lambda n: f(n + 1)\nf(0)", timeout=30)
    assert error["ename"] == "LimitExceeded" and "f = lambda n: f(n + 1)" in error["evalue"]
    assert front.run("1", timeout=20)[0].content["status"] == "ok"


def test_a_cell_that_crashes_says_where(start_kernel, shell):
    kernel = start_kernel(shell=shell, policy=LIMITS, arguments=["--on-guard-death", "respawn"])
    error = error_of(kernel.frontend(), "import ctypes\nctypes.string_at(0)")
    assert "SIGSEGV" in error["evalue"] and "at line 2: ctypes.string_at(0)" in error["evalue"]


def test_the_clock_goes_on_when_an_interrupt_ends_input(limited):
    """It stands still while a person is asked: a cell that gave that up had all the time it liked."""
    front = limited(timeout_seconds=1, grace_seconds=1)
    for leave in ("raise KeyboardInterrupt", "raise ValueError"):
        cell = ("import signal\n"
                f"def leave(*_): {leave}\n"
                "signal.signal(signal.SIGALRM, leave); signal.setitimer(signal.ITIMER_REAL, 0.2)\n"
                "try: input()\n"
                "except (KeyboardInterrupt, ValueError): pass\n"
                "while True: pass")
        reply, _ = front.run(cell, allow_stdin=True, timeout=10)
        assert reply.content["ename"] == "LimitExceeded", reply.content
