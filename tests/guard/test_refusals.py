"""What a refusal looks like: the card before the error, the DENIAL frame of each, and %guard."""

import json
import pathlib
import re
import shutil
import subprocess
import sys

import jsonschema
import pytest
from guard_client import Guard
from ipython_session import ipython, strict_ipython  # noqa: F401

MIME = "application/vnd.safepyrun.refusal+json"
SCHEMA = json.loads((pathlib.Path(__file__).resolve().parents[2] / "docs/refusal.schema.json").read_text())


@pytest.fixture(scope="module")
def guarded(host, tmp_path_factory):
    """A guard of each host under the default policy."""
    with Guard(python=host, cwd=tmp_path_factory.mktemp("work")) as running:
        yield running


@pytest.fixture
def own(tmp_path):
    """The same, of the test's own: nothing was refused in it yet."""
    with Guard(cwd=tmp_path) as running:
        yield running


def card(outcome):
    """The one card, which stands just before the error."""
    assert outcome.names[-3:] == ["DISPLAY_DATA", "ERROR", "REPLY"]
    (shown,) = outcome.all("DISPLAY_DATA")
    return shown["data"]


REFUSED = [
    ("open('/srv/x', 'w')", "open", "ok_dests", "/srv/x"),
    ("import os\nos.remove('/srv/x')", "os.remove", "ok_dests", "/srv/x"),
    ("import os\nos.mkfifo('/srv/x')", "posix.mkfifo", "ok_dests", "/srv/x"),
    ("import os\nos.system('true')", "os.system", "interpreter ring", "true"),
    ("import socket", "cell", "ban_imports", "imports socket"),
    ("x = 1\nclass A: pass", "cell", "ban_defs", None),
    ("eval('1')", "cell", "user-code rules", "uses eval"),
]


# The cell itself goes on, as it does without a guard.
@pytest.mark.parametrize("cell, rule", [
    ("%run script.py", "ban_defs"),
    ("get_ipython().events.register('post_run_cell', lambda result: open('/srv/x', 'w'))", "ok_dests"),
    ("from ipykernel.comm import Comm\ncomm = Comm('x')\ncomm.on_msg(lambda message: open('/srv/x', 'w'))", "ok_dests"),
])
def test_an_error_beside_the_cells_own_has_a_card_too(strict_ipython, tmp_path, cell, rule):  # noqa: F811
    (tmp_path / "script.py").write_text("def f(): pass\n")
    answer = strict_ipython.run(cell)
    if "comm" in cell:
        comm_id = strict_ipython.run("comm.comm_id").result["data"]["text/plain"].strip("'")
        answer = strict_ipython.comm("comm_msg", {"comm_id": comm_id, "data": {}})
    assert [name for name, _ in answer.messages if name != "comm_open"] == ["display_data", "error"]
    assert answer.one("display_data")["data"][MIME]["rule"] == rule
    assert answer.one("error")["ename"] == "PermissionError"


def test_native_code_says_what_would_allow_it(tmp_path):
    with Guard(cwd=tmp_path, policy_file="ban_imports = []\n") as guard:
        outcome = guard.execute("import ctypes\nctypes.CFUNCTYPE(None)(1)()")
    assert 'preset = "open" in the policy file' in outcome.all("DENIAL")[0]["remedy"], outcome.reply


@pytest.mark.parametrize("command, remedy, subject", [
    ("[sys.executable, '-m', 'pip', 'install', 'x']", "install packages in a terminal", "python"),
    ("('/usr/bin/python', '-P', '-m', 'uv', 'pip')", "install packages in a terminal", "python"),
    ("['python', '-m', 'json.tool']", "write the code into a cell", "python"),
    ("['sh', '-c', 'python -m pip']", "install packages in a terminal", "python"),
    ("['git', '-m', 3, None]", "run git in a terminal", "git"),
    ("['python', '-m']", "write the code into a cell", "python"),
    ("['python', '-m', '\\udc80']", "write the code into a cell", "python"),
])
def test_a_command_that_is_a_list_is_known_by_its_module(own, command, remedy, subject):
    denial = own.execute(f"import subprocess, sys\nsubprocess.Popen({command})").all("DENIAL")[0]
    assert denial["remedy"].startswith(remedy) and denial["subject"].startswith(subject), denial


@pytest.mark.parametrize("code", ["multiprocessing.Value('i', 1)", "multiprocessing.get_context('spawn').Lock()",
                                  "import multiprocessing.shared_memory as m; m.SharedMemory(create=True, size=9)"])
def test_what_several_processes_would_share_is_said_to_be_for_threads(own, code):
    """No key of a policy gives any of it: a write root in /dev/shm would not."""
    denial = own.execute(f"import multiprocessing\n{code}").all("DENIAL")[0]
    assert denial["remedy"].startswith("use threads: ") and "ok_dests" not in denial["remedy"], denial


@pytest.mark.parametrize("code, event, rule, subject", REFUSED)
def test_each_ring_and_rule_has_its_card(guarded, code, event, rule, subject):
    outcome = guarded.execute(code)
    said = card(outcome)[MIME]
    assert (said["event"], said["rule"]) == (event, rule)
    assert subject is None or said["subject"] == subject
    assert said["what"] and said["why"] and said["remedy"]
    assert all(said[name] in said["message"] for name in ("what", "why", "remedy"))
    assert said["message"] in outcome.all("ERROR")[0]["evalue"]
    (frame,) = outcome.all("DENIAL")
    assert {"version": 1, **frame} == said


DATABASE = "import sqlite3\nbase = sqlite3.connect(':memory:')\n"


@pytest.mark.parametrize("statement", ["attach '/srv/x.db' as b", "vacuum into '/srv/x.db'"])
def test_a_database_that_is_refused_has_its_card(guarded, statement):
    """sqlite3 says "not authorized" in an error of its own."""
    outcome = guarded.execute(DATABASE + f'base.execute("{statement}")')
    assert card(outcome)[MIME]["subject"] == "/srv/x.db"
    outcome = guarded.execute("base.execute('select nothing')")
    assert outcome.names[-2:] == ["ERROR", "REPLY"] and not outcome.all("DISPLAY_DATA")


@pytest.mark.parametrize("code, event, rule, subject", REFUSED)
def test_the_card_keeps_its_schema(guarded, code, event, rule, subject):
    outcome = guarded.execute(code)
    jsonschema.validate(card(outcome)[MIME], SCHEMA)
    jsonschema.validate(outcome.all("DENIAL")[0], SCHEMA)


def test_the_text_says_what_why_and_what_helps(guarded):
    lines = card(guarded.execute("open('/srv/x', 'w')"))["text/plain"].splitlines()
    assert lines[0] == "Refused: open for writing: /srv/x"
    assert lines[1].startswith("  why: it is outside the write roots")
    assert lines[2].startswith("  what helps: ")


def test_the_html_is_escaped(guarded):
    html = card(guarded.execute("""open('/srv/<script>alert(1)</script> & "\\'', 'w')"""))["text/html"]
    assert "<script" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; &quot;&#x27;" in html
    assert set(re.findall(r"</?(\w+)", html)) == {"div", "span", "code"}


def test_a_name_that_is_no_text(guarded):
    said = card(guarded.execute(r"open(b'/srv/\xff\xc3(\xed\xa0\x80\x00'[:-1] + b'\n\"', 'w')"))[MIME]
    assert said["subject"] == "/srv/\ufffd\ufffd(\ufffd\ufffd\ufffd\n\""


def test_a_very_long_name(guarded):
    said = card(guarded.execute("open('/srv/' + 'é' * 1000, 'w')"))[MIME]
    assert said["subject"].endswith("é…") and len(said["subject"].encode()) < 1100


@pytest.mark.parametrize("code", ["1/0", "raise PermissionError(13, 'no')", "open('/nowhere/at/all')",
                                  "raise PermissionError('safepyrun refused to open')", "raise KeyboardInterrupt"])
def test_other_errors_have_no_card(own, code):
    own.execute("try:\n    open('/srv/x', 'w')\nexcept OSError:\n    pass")
    outcome = own.execute(code)
    assert outcome.error and "DISPLAY_DATA" not in outcome.names


def test_a_swallowed_refusal_has_no_card_but_a_frame(guarded):
    outcome = guarded.execute("try:\n    open('/srv/x', 'w')\nexcept OSError:\n    pass")
    assert outcome.names == ["DENIAL", "REPLY"]


@pytest.mark.parametrize("code", ["import sys\nsys.addaudithook(print)",
                                  "import tempfile\ntempfile.tempdir = None\ntempfile.gettempdir()"])
def test_what_libraries_swallow_is_told(tmp_path, code):
    with Guard(cwd=tmp_path, environment={"TMPDIR": "/srv"}) as guard:
        assert guard.execute(code).all("DENIAL")


def test_a_silent_cell_shows_nothing(guarded):
    assert guarded.execute("open('/srv/x', 'w')", silent=True).names == ["DENIAL", "REPLY"]


WRAPPED = {
    "from": "try:\n    open('/srv/x', 'w')\nexcept OSError as error:\n    raise ValueError('wrapped') from error",
    "context": "try:\n    open('/srv/x', 'w')\nexcept OSError:\n    raise ValueError('wrapped')",
    "group": "try:\n    open('/srv/x', 'w')\nexcept OSError as error:\n    kept = error\n"
             "raise ExceptionGroup('wrapped', [ValueError(), ExceptionGroup('inner', [kept])])",
    "later": "try:\n    open('/srv/x', 'w')\nexcept OSError as error:\n    kept = error\nraise kept",
}


@pytest.mark.parametrize("code", WRAPPED.values(), ids=WRAPPED)
def test_a_wrapped_refusal_is_unwrapped(guarded, code):
    assert card(guarded.execute(code))[MIME]["subject"] == "/srv/x"


def test_an_endless_chain_of_causes_ends(guarded):
    code = ("one, two = ValueError(1), ValueError(2)\none.__cause__, two.__cause__ = two, one\n"
            "for i in range(3):\n    two = type(two)(i)\n    two.__context__ = one\nraise one")
    assert guarded.execute(code).error == "ValueError"


def test_the_card_asks_no_object_of_the_cell():
    code = """
class Loud(PermissionError):
    def __getattribute__(self, name):
        print('asked for', name)
        return super().__getattribute__(name)
    def __str__(self):
        return 'quiet'
try:
    open('/srv/x', 'w')
except OSError as error:
    text = error.strerror
loud = Loud(13, text)
"""
    with Guard(policy_file="ban_defs = false\n") as guard:
        assert guard.execute(code).error is None
        outcome = guard.execute("raise loud")
        assert "strerror" not in outcome.stdout
        assert "DISPLAY_DATA" not in outcome.names


def test_a_cell_cannot_change_the_record(own):
    own.execute("try:\n    open('/srv/x', 'w')\nexcept OSError:\n    pass")
    own.execute("import sys\nguard = sys.modules['safepyrun._guard']\n"
                "guard.denials().clear()\nguard.denials()[0].clear()\nguard.policy()['ok_dests'].append('/')\n"
                "guard.policy().clear()\nguard.status()['interpreter_ring'] = False")
    assert "1 refused in this session" in own.execute("%guard log").stdout
    assert '"/"' not in own.execute("%guard policy").stdout
    assert own.execute("open('/srv/x', 'w')").error == "PermissionError"


def test_a_finalizer_is_refused_while_the_record_is_read():
    """It pushes out of the record what is just being told."""
    code = """
import gc
class Noisy:
    def __init__(self):
        self.me = self
    def __del__(self):
        for i in range(300):
            try:
                open(f'/srv/{i}', 'w')
            except OSError:
                pass
gc.set_threshold(3, 1, 1)
import sys
guard = sys.modules['safepyrun._guard']
for i in range(40):
    Noisy()
    told = guard.denials()
    assert len(told) <= 200 and all(set(one) == set(told[0]) for one in told)
gc.set_threshold(700, 10, 10)
gc.collect()
"""
    with Guard(policy_file="ban_defs = false\n") as guard:
        assert guard.execute(code, timeout=60).error is None
        assert card(guard.execute("open('/srv/last', 'w')"))[MIME]["subject"] == "/srv/last"


def test_a_flood_is_counted(own):
    outcome = own.execute("for i in range(20000):\n    try:\n        open('/srv/x', 'w')\n"
                          "    except OSError:\n        pass", timeout=60)
    frames = outcome.all("DENIAL")
    assert sum(frame.get("skipped", 1) for frame in frames) == 20000
    assert "20000 refused in this session, the last 20:" in own.execute("%guard log").stdout


# ---- %guard --------------------------------------------------------------------------------------


def test_guard_status(guarded, host):
    text = guarded.execute("%guard").stdout
    assert text == guarded.execute("%guard status").stdout
    assert re.search(r"^interpreter ring +active$", text, re.M)
    assert re.search(r"^OS ring +(active|missing)", text, re.M)
    assert re.search(rf"^host +{'module' if host else 'embedded'} ", text, re.M)
    assert re.search(r"^preset +workspace$", text, re.M)


def test_guard_policy(tmp_path):
    with Guard(cwd=tmp_path, policy_file='ok_dests = "any"\nban_defs = false\nprotect = ["!*", "x"]\n') as guard:
        lines = [re.sub(" +", " ", line) for line in guard.execute("%guard policy").stdout.splitlines()]
        for line in ('preset = "workspace"', 'ok_dests = "any"', "ban_defs = false", 'protect = ["x"]'):
            assert line in lines


def test_guard_log_and_why(own):
    for word in ("log", "why"):
        assert own.execute(f"%guard {word}").stdout == "Nothing was refused in this session.\n"
    own.execute("import socket")
    own.execute("open('/srv/x', 'w')")
    log = own.execute("%guard log").stdout.splitlines()
    assert log[0] == "2 refused in this session:"
    assert re.fullmatch(r"\d\d:\d\d:\d\d  In \[3\] +cell  imports socket  \(ban_imports\)", log[1])
    assert re.fullmatch(r"\d\d:\d\d:\d\d  In \[4\] +open  /srv/x  \(ok_dests\)", log[2])
    why = own.execute("%guard why").stdout
    assert re.search(r"^refused +open for writing$", why, re.M)
    assert re.search(r"^rule +ok_dests: write roots", why, re.M)
    assert re.search(r"^subject +/srv/x$", why, re.M)


def test_guard_says_how_it_is_used(guarded):
    assert guarded.execute("%guard nonsense").stdout.startswith("usage: %guard status")


def test_only_a_whole_cell_is_the_plain_magic(guarded):
    assert guarded.execute("guard = 3\n5 %guard").result == "2"
    assert guarded.execute("%guardian").error == "SyntaxError"


def test_open_preset_says_so():
    with Guard(policy_file='preset = "open"\n') as guard:
        assert guard.ready["preset"] == "open"
        assert re.search(r"^interpreter ring +off", guard.execute("%guard").stdout, re.M)


# ---- IPython ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("code,rule", [
    ("import csv", "allowed_imports"), ("from csv import reader", "allowed_imports"), ("import importlib", "ban_imports"),
    ("open", "allowed_builtins"),
])
def test_the_rule_that_allow_mode_names(code, rule):
    policy = 'mode = "allow"\nallowed_imports = ["json"]\n'
    with Guard(policy_file=policy) as guard:
        assert guard.execute(code).all("DENIAL")[0]["rule"] == rule


def test_a_refusal_below_a_library_shows_the_cell_only():
    """In the plain shell too; the lines of the library are there for every other error."""
    with Guard() as guard:
        lines = "".join(guard.execute("import shutil\nshutil.copyfile('/etc/hosts', '/srv/x')").reply["traceback"])
        assert "shutil.copyfile" in lines and "shutil.py" not in lines and "refused" in lines
        lines = "".join(guard.execute("shutil.copyfile('/etc/nothing', 'x')").reply["traceback"])
        assert "shutil.py" in lines
        lines = "".join(guard.execute("try: 1/0\nexcept ZeroDivisionError: open('/srv/x', 'w')").reply["traceback"])
        assert "ZeroDivisionError" in lines and "PermissionError" in lines


def test_ipython_has_the_card_and_the_magic(strict_ipython):  # noqa: F811
    answer = strict_ipython.run("import os\nos.remove('/srv/x')")
    assert [name for name, _ in answer.messages] == ["display_data", "error"]
    assert answer.one("display_data")["data"][MIME]["event"] == "os.remove"
    assert "subject     /srv/x" in strict_ipython.run("%guard why").stdout
    assert "interpreter ring  active" in strict_ipython.run("get_ipython().run_line_magic('guard', '')").stdout


def test_ipython_card_of_a_program(strict_ipython):  # noqa: F811
    answer = strict_ipython.run("!pip install numpy")
    assert "start a program" in answer.one("display_data")["data"][MIME]["what"]
    assert "install packages in a terminal" in answer.one("display_data")["data"][MIME]["remedy"]
    assert "-m pip install" in answer.one("error")["evalue"]


def test_a_program_in_a_list_and_behind_a_shell_is_known(strict_ipython):  # noqa: F811
    for call in ("['git', 'log']", "'git log', shell=True"):
        answer = strict_ipython.run(f"import subprocess\nsubprocess.run({call})")
        assert "run git in a terminal" in answer.one("error")["evalue"]
    assert "ThreadPoolExecutor" in strict_ipython.run("import os\nos.fork()").one("error")["evalue"]


def test_the_card_says_where_the_policy_file_is(strict_ipython):  # noqa: F811
    card = strict_ipython.run("open('/srv/x', 'w')").one("display_data")["data"]
    assert "policy.toml, read when the kernel starts" in card["text/plain"] and "policy.toml" in card["text/html"]
    assert "the policy file" not in strict_ipython.run("import importlib").one("display_data")["data"]["text/plain"]


def test_ipython_card_of_a_nested_cell(strict_ipython):  # noqa: F811
    answer = strict_ipython.run("get_ipython().run_cell('import socket')\nprint('on')")
    assert [name for name, _ in answer.messages][:2] == ["display_data", "error"]
    assert answer.stdout == "on\n"


def test_ipython_card_of_what_a_library_wraps(strict_ipython):  # noqa: F811
    answer = strict_ipython.run("import requests\nrequests.get('http://localhost:9/')")
    assert answer.one("display_data")["data"][MIME]["what"] == "use the network"


def test_what_the_system_refused_to_native_code_is_explained(guarded):
    """It raises no audit event, so that the error is the system's and names no key."""
    reply = guarded.execute("import errno\nraise OSError(errno.EROFS, 'Failed to open local file')").reply
    assert "(ok_dests: files outside of the write roots (" in reply["evalue"] and "ok_dests" in reply["traceback"][-1]
    as_duckdb_says_it = guarded.execute("raise Exception('IO Error: Cannot open: Read-only file system')").reply
    assert "(ok_dests: files outside" in as_duckdb_says_it["evalue"]


def test_the_first_line_that_is_refused_is_told_first(guarded):
    reply = guarded.execute("import socket\nx = [lambda: exec('1')]\nimport safepyrun").reply
    assert "line 1 imports socket" in reply["evalue"] and "platform.node()" in reply["evalue"]
    assert "[setup] files" in guarded.execute("from safepyrun import allow\nimport importlib").reply["evalue"]


def test_a_refused_program_is_named_without_its_arguments(guarded):
    reply = guarded.execute("import subprocess\nsubprocess.run(['/usr/bin/git', 'push', 'https://me:secret@host'])").reply
    assert "'git'" in reply["evalue"] and "secret" not in reply["evalue"]


@pytest.fixture
def packages(tmp_path):
    """Those of a virtual environment of the test's own."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "env"], check=True)
    (tmp_path / "work").mkdir()
    found, = tmp_path.glob("env/lib/python*/site-packages")
    return found


def bring_along(packages, name, *places):
    """Copies of a native module, which Python takes for other ones."""
    native = pytest.importorskip(name)
    for place in places:
        (packages / place).mkdir(exist_ok=True)
        shutil.copy(native.__file__, packages / place)


def test_each_copy_of_a_native_module_is_guarded(packages, tmp_path):
    """Its functions are others than those that were guarded first."""
    bring_along(packages, "_cffi_backend", ".", "first", "second")
    with Guard("plain", python=tmp_path / "env/bin/python", cwd=tmp_path / "work") as guard:
        for module in ("_cffi_backend", "first._cffi_backend", "second._cffi_backend"):
            for load in ("load_library('libc.so.6')", "FFI().dlopen('libc.so.6')"):
                outcome = guard.execute(f"import {module} as backend\nbackend.{load}")
                assert outcome.error == "PermissionError" and "cffi" in outcome.reply["evalue"], (module, load, outcome.reply)


def test_a_copy_whose_objects_would_be_taken_for_others_is_not_imported(packages, tmp_path):
    bring_along(packages, "_multiprocessing", "first")
    with Guard("plain", python=tmp_path / "env/bin/python", cwd=tmp_path / "work") as guard:
        assert guard.execute("import multiprocessing; lock = multiprocessing.Lock()").error is None
        outcome = guard.execute("import first._multiprocessing")
        assert outcome.error == "ImportError" and "not those of this Python" in outcome.reply["evalue"]
        assert guard.execute("multiprocessing.Lock()").error is None


@pytest.mark.parametrize("way", ["os.chdir('.git')", "os.fchdir(os.open('.git/hooks/..', os.O_RDONLY))", "os.chdir('.git/hooks'); os.chdir('..')"])
def test_who_steps_into_a_protected_folder_may_not_write_there(way, tmp_path):
    (tmp_path / ".git/hooks").mkdir(parents=True)
    with Guard(cwd=tmp_path, policy_file="ban_defs = false\n" + 'os_ring = "off"\n') as guard:
        assert guard.execute(f"import os; {way}").error is None
        assert guard.execute("open('hooks/pre-commit', 'w')").error == "PermissionError"
        assert guard.execute("os.rename('hooks', 'x')").error == "PermissionError"
    assert [path.name for path in (tmp_path / ".git").rglob("*")] == ["hooks"]
