"""The life of a guard process: start, refusal to start, end."""

import os
import sys
import time

import pytest

from guard_client import LIBRARY, OPEN, Guard, GuardDied


def test_ready(guard):
    assert guard.ready["shell"] == "plain" and "Python" in guard.ready["banner"]
    assert guard.ready["python_version"].count(".") == 2


def test_shutdown_runs_atexit(host, tmp_path):
    with Guard(python=host, cwd=tmp_path, policy_file=OPEN) as guard:
        guard.execute("import atexit; atexit.register(print, 'bye'); import threading, time\n"
                      "threading.Thread(target=time.sleep, args=(60,)).start()")
        start = time.monotonic()
        assert guard.shut_down() == 0
        assert time.monotonic() - start < 1
        assert guard.receive().text == "bye\n"


def test_ends_with_the_link(host):
    guard = Guard(python=host, policy_file=OPEN).wait_ready()
    guard.start("import time; time.sleep(0.2)")
    guard.socket.close()
    assert guard.process.wait(3) == 0
    guard.close()


def test_another_python_is_refused(tmp_path):
    other = tmp_path / "python"
    other.write_text("#!/bin/sh\n")
    command = [str(LIBRARY / "safepyrun-guard"), "--python", str(other)]
    with pytest.raises(GuardDied, match="embeds the Python of"), Guard(command=command):
        pass


def test_unknown_shell():
    with pytest.raises(GuardDied, match="no shell 'fish'"), Guard("fish"):
        pass


def test_request_before_configuration():
    guard = Guard.__new__(Guard)
    Guard.send_configuration, kept = lambda *_: None, Guard.send_configuration
    try:
        guard.__init__()
    finally:
        Guard.send_configuration = kept
    guard.send("SHUTDOWN", 0)
    assert "before the configuration" in guard.receive().text
    guard.close()


def test_working_directory_does_not_shadow_the_guard(tmp_path):
    for name in ("traceback", "linecache", "codeop", "_json", "keyword", "inspect"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('shadowed')")
    (tmp_path / "mine.py").write_text("x = 5")
    with Guard(cwd=tmp_path, policy_file=OPEN) as guard:
        assert guard.execute("1/0").reply["traceback"][0].startswith("Traceback")
        assert guard.ask("COMPLETE", code="wh", cursor_pos=2)["matches"] == ["while"]
        assert guard.ask("IS_COMPLETE", code="1")["status"] == "complete"
        assert guard.ask("INSPECT", code="len", cursor_pos=2)["found"]
        assert guard.execute("import mine; mine.x").result == "5"


def test_the_guards_folder_is_not_on_the_path(guard):
    assert guard.execute(f"import sys; {str(LIBRARY)!r} in sys.path").result == "False"


def test_executable_and_prefix(host):
    with Guard(python=host) as guard:
        executable = guard.execute("import sys; sys.executable").result.strip("'")
        assert os.access(executable, os.X_OK)
        if host:
            assert executable == host and guard.execute("sys.prefix").result == repr(sys.prefix)


def test_every_request_gets_one_reply_when_pipelined(guard):
    cells = [guard.start(f"print({i}); {i}") for i in range(200)]
    for number, cell in enumerate(cells):
        outcome = guard.collect(cell)
        assert (outcome.result, outcome.stdout) == (str(number), f"{number}\n")


def test_start_is_quick():
    times = []
    for _ in range(5):
        start = time.monotonic()
        with Guard():
            times.append(time.monotonic() - start)
    assert min(times) < 0.15  # 0.013 on a quiet machine
