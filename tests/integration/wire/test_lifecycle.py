"""How a kernel ends: asked to, left alone, or because its guard died."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from frontend import labels, only, text
from kernel_process import gone

# No frozen copies: one may take over, where there was time for it (test_frozen.py).
OPEN = 'preset = "open"\nok_dests = "any"\nos_ring = "off"\nlimits.copies = 0\n'
DEATHS = {
    "segfault": ("import ctypes; ctypes.string_at(0)", "SIGSEGV"),
    "abort": ("import os; os.abort()", "SIGABRT"),
    "kill": ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "SIGKILL"),
    "exit": ("import os; os._exit(3)", "3"),
}


@pytest.mark.parametrize("channel", ["control", "shell"])
@pytest.mark.parametrize("restart", [False, True])
def test_shutdown(start_kernel, shell, channel, restart):
    kernel = start_kernel(shell=shell)
    front = kernel.frontend()
    front.run("1")
    family = kernel.family()
    assert len(family) >= 2
    began = time.monotonic()
    msg_id = front.send(channel, "shutdown_request", {"restart": restart})
    assert front.reply(msg_id, channel=channel).content == {"status": "ok", "restart": restart}
    assert labels(front.outputs(msg_id)) == ["busy", "shutdown_reply", "idle"]
    assert kernel.wait(2.5) == 0
    assert time.monotonic() - began < 2.5
    assert gone(family)


def test_shutdown_while_a_cell_runs(start_kernel, shell):
    kernel = start_kernel(shell=shell)
    front = kernel.frontend()
    msg_id = front.execute("print('on', flush=True)\nwhile True: pass")
    front.until(msg_id, "stdout")
    family = kernel.family()
    front.send("control", "shutdown_request", {"restart": False})
    assert kernel.wait(2.5) == 0
    assert gone(family)


def test_atexit_handlers_run(start_kernel, shell):
    kernel = start_kernel(shell=shell)
    with kernel.frontend() as front:
        front.run("import atexit; atexit.register(lambda: open('was-here', 'w').close())")
        front.send("control", "shutdown_request", {"restart": False})
        kernel.wait(2.5)
    assert (kernel.work / "was-here").exists()


def test_sigterm(start_kernel, shell):
    kernel = start_kernel(shell=shell)
    kernel.frontend().run("1")
    family = kernel.family()
    kernel.process.terminate()
    kernel.wait(2.5)
    assert gone(family)


def test_nothing_survives_the_kernel_process(start_kernel, shell):
    kernel = start_kernel(shell=shell)
    kernel.frontend().run("1")
    family = kernel.family()
    kernel.process.kill()
    assert gone(family)


def test_the_private_directory_of_a_killed_kernel_goes_later(start_kernel, tmp_path):
    """With the end of another kernel: one that a kernel still holds stays, and so does one that is not an hour old."""
    def start():
        kernel = start_kernel(environment={"TMPDIR": str(tmp_path)})
        place = Path(text(kernel.frontend().run("import tempfile; print(tempfile.gettempdir(), end='')")[1]))
        assert place.parent == tmp_path
        return kernel, place

    def end(kernel):
        kernel.process.send_signal(signal.SIGTERM)
        assert kernel.wait() is not None

    killed = [start() for _ in range(2)]
    for kernel, place in killed:
        (place / "matplotlib/file").write_text("x")
        kernel.process.kill()
        kernel.wait()
    (_, old), (_, young) = killed
    (_, alive), (last, _) = start(), start()
    strange = tmp_path / "safepyrun-notour"
    strange.mkdir()
    for place in (old, alive, strange):
        os.utime(place, (1, 1))
    end(last)
    assert sorted(tmp_path.glob("safepyrun-*")) == sorted([young, alive, strange])


def test_it_ends_with_its_parent(start_kernel, tmp_path):
    """The launcher dies without a word."""
    launcher = "import subprocess, sys, os, time\nos.environ['JPY_PARENT_PID'] = str(os.getpid())\nsubprocess.Popen(sys.argv[1:], start_new_session=True)\ntime.sleep(60)"
    kernel = start_kernel(prefix=[sys.executable, "-c", launcher])
    kernel.frontend().run("1")
    family = [each for each in kernel.family() if each.pid != kernel.process.pid]
    assert len(family) >= 2
    kernel.process.kill()
    assert gone(family, timeout=5)


def test_without_a_parent_pid_it_lives_on(start_kernel):
    launcher = "import subprocess, sys, os\nos.environ.pop('JPY_PARENT_PID')\nprint(subprocess.Popen(sys.argv[1:], start_new_session=True).pid)"
    kernel = start_kernel(prefix=[sys.executable, "-c", launcher])
    kernel.wait()
    orphan = psutil.Process(int(kernel.stdout.read_text()))
    try:
        with kernel.frontend() as front:
            time.sleep(2.5)
            front.run("1")
            front.send("control", "shutdown_request", {"restart": False})
            assert gone([orphan])
    finally:
        if orphan.is_running():
            orphan.kill()


@pytest.mark.parametrize("death", DEATHS)
def test_guard_death_is_told_then_the_kernel_ends(start_kernel, shell, death):
    code, what = DEATHS[death]
    kernel = start_kernel(shell=shell, policy=OPEN)
    front = kernel.frontend()
    msg_id = front.execute(code)
    waiting = front.execute("1")
    reply = front.reply(msg_id, timeout=10).content
    assert reply["status"] == "error"
    assert what in reply["evalue"], reply
    messages = front.outputs(msg_id)
    assert what in only(messages, "error").content["evalue"]
    assert front.reply(waiting).content["status"] in ("aborted", "error")
    assert kernel.wait(3) != 0


def test_a_guard_that_cannot_start_is_told_in_every_cell(start_kernel):
    """In the output too: front ends show what is published, not what is replied."""
    kernel = start_kernel(policy="no_such_key = 1\n")
    front = kernel.frontend()
    for _ in range(2):
        msg_id = front.execute("1")
        reply = front.reply(msg_id).content
        assert reply["ename"] == "GuardFailed" and "no_such_key" in reply["evalue"]
        shown = only(front.outputs(msg_id), "error").content
        assert shown["evalue"] == reply["evalue"]
    front.send("control", "shutdown_request", {"restart": False})
    assert kernel.wait(3) == 0


def test_a_subshell_is_not_waited_for_where_no_guard_can_start(start_kernel):
    front = start_kernel(policy="no_such_key = 1\n").frontend()
    reply = front.ask("create_subshell_request", channel="control", timeout=10)
    assert reply["status"] == "error", reply
    assert front.ask("list_subshell_request", channel="control")["subshell_id"] == []


def test_output_before_the_death_is_kept(start_kernel):
    kernel = start_kernel(policy=OPEN)
    front = kernel.frontend()
    msg_id = front.execute("import os\nprint('last words', flush=True)\nos.write(1, b'and more\\n')\nos.abort()")
    assert text(front.outputs(msg_id)) == "last words\nand more\n"


@pytest.mark.parametrize("death", DEATHS)
def test_respawn(start_kernel, shell, death):
    code, what = DEATHS[death]
    kernel = start_kernel(shell=shell, policy=OPEN, arguments=["--on-guard-death", "respawn"])
    front = kernel.frontend()
    reply, _ = front.run("x = 1")
    session = reply.header["session"]
    reply, outputs = front.run(code)
    assert what in reply.content["evalue"]
    reply, _ = front.run("x", timeout=20)
    assert reply.content["ename"] == "NameError"
    assert reply.header["session"] != session, "a client could not tell that its names are gone"
    assert kernel.process.poll() is None
    known = front.ask("history_request", {"hist_access_type": "search", "raw": True, "output": False, "pattern": "x*"})["history"]
    assert [line[1:] for line in known] == [[1, "x = 1"], [1, "x"]], "the counts of the new guard are those of another session"


def test_an_idle_guard_that_dies(start_kernel):
    kernel = start_kernel(policy=OPEN, arguments=["--on-guard-death", "respawn"])
    front = kernel.frontend()
    front.run("1")
    kernel.guard().kill()
    time.sleep(0.3)
    assert text(front.run("print('again')", timeout=20)[1]) == "again\n"


def test_exit_and_quit_end_the_kernel(start_kernel, shell):
    kernel = start_kernel(shell=shell)
    front = kernel.frontend()
    reply, _ = front.run("exit()")
    if reply.content["payload"]:            # IPython's way: the front end shuts the kernel down
        assert reply.content["payload"][0]["source"] == "ask_exit"
    assert reply.content["status"] in ("ok", "error")


def test_group_signals_at_shutdown_do_no_harm(start_kernel):
    """jupyter_client interrupts the whole group before it asks for the shutdown."""
    kernel = start_kernel()
    front = kernel.frontend()
    front.run("1")
    os.killpg(kernel.process.pid, signal.SIGINT)
    msg_id = front.send("control", "shutdown_request", {"restart": True})
    assert front.reply(msg_id, channel="control").content["restart"] is True
    assert kernel.wait(2.5) == 0


def test_version_and_help():
    from kernel_process import PROGRAM

    for argument in ("--version", "--help"):
        done = subprocess.run([PROGRAM, argument], capture_output=True, text=True, timeout=10)
        assert done.returncode == 0
        assert "safepyrun" in done.stdout
