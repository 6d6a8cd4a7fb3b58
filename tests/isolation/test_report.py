"""What the ring says of itself: part by part, honestly, and "require" where it is not enough."""

import json
import socket
import sys

import pytest
from guard_client import Guard, GuardDied
from world import BUILD

REPORT = "import json, safepyrun._guard as g\nprint(json.dumps(g.status()))"


def start(policy="", degrade="", python=None, **keywords):
    environment = {"LD_PRELOAD": str(BUILD / "tests/isolation_degrade.so"), "DEGRADE": degrade} if degrade else {}
    return Guard(python=python, policy_file='preset = "open"\n' + policy, environment=environment, **keywords)


def ring_of(guard):
    status = json.loads(guard.execute(REPORT).stdout)
    return status["os_ring"], {name: (state, why) for name, state, why in status["os_ring_parts"]}


@pytest.mark.parametrize("python", [None, sys.executable], ids=["embedded", "module"])
def test_a_whole_system(python, tmp_path):
    with start(python=python, cwd=tmp_path) as guard:
        whole, parts = ring_of(guard)
        assert whole == "active" and guard.logged == []
        assert all(state in ("active", "off") for state, _ in parts.values()), parts


GAPS = {"namespaces": ("active", {"mount_view": "missing"}), "chroot,pivot_root": ("active", {"mount_view": "missing"}),
        "landlock": ("partial", {"landlock": "missing", "processes": "partial"}),
        "landlock,namespaces": ("partial", {"landlock": "missing", "mount_view": "missing", "reading": "missing"}),
        "seccomp": ("partial", {"seccomp": "missing", "processes": "missing", "network": "partial"}),
        "abi=2": ("active", {}), "abi=5,namespaces": ("active", {"mount_view": "missing"})}


@pytest.mark.parametrize("degrade", GAPS)
def test_what_is_missing_is_said(degrade, tmp_path):
    whole, missing = GAPS[degrade]
    with start(degrade=degrade, cwd=tmp_path) as guard:
        said, parts = ring_of(guard)
        assert said == whole
        for name, state in missing.items():
            assert parts[name][0] == state and parts[name][1] != ""
            assert any(name in line for line in guard.logged)


@pytest.mark.parametrize("degrade, state", [("chroot", "active"), ("chroot,pivot_root", "missing")])
def test_an_attempt_at_a_view_leaves_us_in_our_folder(degrade, state, tmp_path):
    """"." is a write root: in the root folder, where the attempt once left us, all files were below it."""
    work = tmp_path / "work"
    work.mkdir()
    environment = {"LD_PRELOAD": str(BUILD / "tests/isolation_degrade.so"), "DEGRADE": degrade}
    with Guard(policy_file='preset = "workspace"\n', environment=environment, cwd=work) as guard:
        assert f"mount_view      {state}" in guard.execute("%guard status").stdout
        assert guard.execute("import os\nprint(os.getcwd())").stdout == f"{work}\n"
        guard.execute("open('inside', 'w').close()")
        guard.execute(f"open({str(tmp_path / 'outside')!r}, 'w')")
        assert "outside" in guard.execute("%guard log").stdout      # the interpreter ring's own refusal
    assert (work / "inside").exists() and not (tmp_path / "outside").exists()


@pytest.mark.parametrize("degrade", [degrade for degrade, (whole, _) in GAPS.items() if whole != "active"])
def test_require_refuses_to_start(degrade, tmp_path):
    guard = start('os_ring = "require"\n', degrade, cwd=tmp_path)
    with pytest.raises(GuardDied, match='os_ring = "require", and this system does not give all of it'):
        guard.wait_ready()
    guard.close()


def test_require_starts_where_all_is_there(tmp_path):
    with start('os_ring = "require"\n', cwd=tmp_path) as guard:
        assert ring_of(guard)[0] == "active"


def test_off_says_so(tmp_path):
    with start('os_ring = "off"\n', cwd=tmp_path) as guard:
        assert ring_of(guard)[0] == "off" and guard.logged == []
        assert 'OS ring           off: os_ring = "off"' in guard.execute("%guard status").stdout


def test_a_person_who_may_say_yes_is_a_gap(tmp_path):
    with start('on_deny = "ask"\n', cwd=tmp_path) as guard:
        whole, parts = ring_of(guard)
        assert whole == "partial" and "ask" in parts["landlock"][1]


def test_threads_of_set_up_files_are_held_as_well(tmp_path):
    """They started before the ring closed, and block every signal that they may."""
    (tmp_path / "outside").mkdir()
    work = tmp_path / "work"
    work.mkdir()
    (tmp_path / "tools.py").write_text(
        "import queue, signal, threading\n"
        "tasks, answers = queue.Queue(), queue.Queue()\n"
        "def serve():\n"
        "    signal.pthread_sigmask(signal.SIG_SETMASK, range(1, 65))\n"
        "    while True:\n"
        "        try:\n"
        "            answers.put(str(tasks.get()()))\n"
        "        except BaseException as error:\n"
        "            answers.put(str(error))\n"
        "threads = [threading.Thread(target=serve, daemon=True) for _ in range(3)]\n"
        "for thread in threads: thread.start()\n")
    files = [("argument", str(tmp_path / "policy.toml"), f'preset = "open"\nos_ring = "require"\n[setup]\nfiles = ["{tmp_path}/tools.py"]\n')]
    with Guard(policy_file=files, cwd=work) as guard:
        guard.execute("import os, socket\n"
                      f"tasks.put(lambda: open({str(tmp_path / 'outside' / 'new')!r}, 'w'))\n"
                      "tasks.put(lambda: socket.socket())\n"
                      "tasks.put(lambda: [line.split()[1] for line in open('/proc/thread-self/status') if line.startswith(('CapEff', 'CapBnd'))])\n"
                      "tasks.put(lambda: open('new', 'w').write('x'))")
        answers = guard.execute("print(sorted(answers.get(timeout=5) for _ in range(4)))").stdout
    assert "Read-only file system" in answers and "Operation not permitted" in answers
    assert "['0000000000000000', " in answers
    assert not (tmp_path / "outside" / "new").exists() and (work / "new").exists()


def test_what_was_inherited_is_closed(tmp_path):
    """A launcher leaves a folder, a file and a socket open without meaning to."""
    opened = 'exec 77</ 78>/dev/null 79<>/dev/tcp/127.0.0.1/$PORT; exec "$@"'
    with socket.create_server(("127.0.0.1", 0)) as server:
        command = ["bash", "-c", opened.replace("$PORT", str(server.getsockname()[1])), "bash", *Guard.command(None)]
        with start(cwd=tmp_path, command=command) as guard:
            seen = guard.execute("import os\nprint(sorted(map(int, os.listdir('/proc/self/fd'))))").stdout
    assert not {77, 78, 79} & set(json.loads(seen))
