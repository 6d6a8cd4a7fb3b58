"""Seed 003, safe-py-runner (rows S01–S14): run_code() on this machine, and `safepyrun run` below it."""

import json
import os
import subprocess
import sys
import time

import pytest
from guard_client import BUILD, LIBRARY

sys.path.insert(0, str(LIBRARY))  # the package that is tested; loading it guards nothing

from safepyrun import ExecutionOutcome, LocalEngine, RunnerPolicy, RunnerResult, run_code  # noqa: E402

PROGRAM = BUILD / "bin/safepyrun"


@pytest.fixture(autouse=True)
def nobodys_settings(tmp_path_factory, monkeypatch):
    """The policy file of whoever runs the tests must not count."""
    monkeypatch.setenv("HOME", str(tmp_path_factory.mktemp("home")))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)


@pytest.fixture(scope="module")
def engine():
    """The environment of the tests: it is there and has no packages to install."""
    return LocalEngine(venv_dir=sys.prefix, venv_manager="python")


@pytest.fixture
def run(engine):
    return lambda code, **options: run_code(code, engine=engine, **options)


def program(*words, text="", folder=None):
    return subprocess.run([PROGRAM, "run", *words], input=text, capture_output=True, text=True, timeout=60, cwd=folder)


# ---- S01-S04: a process for each run, and its limits -----------------------------------------------


def test_s01_a_run_that_crashes_ends_itself_alone(run):
    crashed = run("import os\nos._exit(7)", policy=RunnerPolicy(blocked_imports=[]))
    assert (crashed.ok, crashed.exit_code) == (False, 7) and "exit status 7" in crashed.error
    assert run("result = 1").result == 1


def test_s01_nothing_of_a_run_is_there_in_the_next(run):
    assert run("result = x = 5").result == 5
    assert run("x").error.startswith("NameError")


def test_s02_time_is_limited_to_five_seconds_unless_the_policy_says_otherwise(run):
    assert RunnerPolicy().timeout_seconds == 5
    begun = time.monotonic()
    late = run("print('begun')\nwhile True: pass", policy=RunnerPolicy(timeout_seconds=1))
    assert (late.ok, late.timed_out, late.exit_code, late.stdout) == (False, True, 124, "begun\n")
    assert "timed out after 1s" in late.error
    assert time.monotonic() - begun < 20


def test_s02_who_swallows_the_interrupt_is_killed(run):
    late = run("while True:\n    try:\n        while True: pass\n    except BaseException: pass",
               policy=RunnerPolicy(timeout_seconds=1))
    assert late.timed_out and not late.ok


def test_s03_memory_is_limited(run):
    assert RunnerPolicy().memory_limit_mb == 256
    greedy = run("a = bytearray(10 ** 9)")
    assert (greedy.ok, greedy.resource_exceeded, greedy.timed_out, greedy.exit_code) == (False, True, False, 2)
    assert run("result = len(bytearray(10 ** 8))").result == 10 ** 8


def test_s04_output_is_capped(run):
    loud = run("print('é' * 100_000)\nimport sys\nprint('x' * 100_000, file=sys.stderr)", policy=RunnerPolicy(max_output_kb=1))
    assert loud.ok and loud.stdout == "é" * 512 and loud.stderr == "x" * 1024


# ---- S05-S07: the two modes ------------------------------------------------------------------------


def test_what_an_answer_holds_is_bounded(run):
    whole = run("result = 'x' * (8 * 1024 * 1024 - 2)")
    assert whole.ok and len(whole.result) == 8 * 1024 * 1024 - 2
    large = run("result = 'x' * (8 * 1024 * 1024 - 1)")
    assert (large.ok, large.result, large.resource_exceeded, large.exit_code) == (False, None, True, 2)
    assert "8388609 bytes" in large.error and "write it to a file" in large.error
    for code in ("raise ValueError('ä' * 5_000_000)", "import sys\nsys.exit('ä' * 5_000_000)"):
        failed = run(code)
        text, _, rest = failed.error.partition(" [")
        assert failed.exit_code == 1 and 65_000 < len(text.encode()) <= 65_536
        assert int(rest.split()[0]) == len(text.split(":")[0]) + 2 + 10_000_000 - len(text.encode())
        assert rest.endswith(" bytes that follow are left out]")


def test_an_error_hides_behind_no_large_result(run):
    failed = run("result = 'x' * 9_000_000\n1 / 0")
    assert (failed.error, failed.resource_exceeded, failed.exit_code) == ("ZeroDivisionError: division by zero", False, 1)


def test_s05_restrict_blocks_what_is_listed_and_ignores_the_other_lists(run):
    policy = RunnerPolicy(blocked_imports=["json"], blocked_builtins=["len"], allowed_imports=[], allowed_builtins=[])
    assert run("import math\nresult = math.sqrt(81)", policy=policy).result == 9.0
    assert "json" in run("import json", policy=policy).error
    assert "uses len" in run("len('a')", policy=policy).error
    assert run("result = max(1, 2)", policy=policy).result == 2


def test_s05_the_default_blocks_the_usual(run):
    for code in ("import os", "import subprocess", "import socket", "import ctypes", "open('a')", "eval('1')", "breakpoint()"):
        blocked = run(code)
        assert not blocked.ok and "PermissionError" in blocked.error and blocked.denials, code


def test_s05_allow_permits_what_is_listed_and_ignores_the_other_lists(run):
    policy = RunnerPolicy(mode="allow", allowed_imports=["math"], allowed_builtins=["print"], blocked_imports=["math"],
                          blocked_builtins=["print"])
    allowed = run("import math\nprint(math.pi)", policy=policy)
    assert allowed.ok and allowed.stdout.startswith("3.14")
    assert not run("import json", policy=policy).ok


def test_s06_allow_mode_lacks_what_is_not_listed(run):
    policy = RunnerPolicy(mode="allow", allowed_globals=["rate"], extra_globals={"rate": 2, "secret": 3})
    assert "print" in run("print(1)", policy=policy).error
    assert run("result = rate", policy=policy, input_data={"rate": 1, "hidden": 4}).result == 2
    for name in ("secret", "hidden"):
        hidden = run(f"result = {name}", policy=policy, input_data={"hidden": 4})
        assert not hidden.ok, name


def test_s06_restrict_mode_keeps_blocked_globals_away(run):
    policy = RunnerPolicy(blocked_globals=["secret", "also"], extra_globals={"secret": 3, "rate": 1})
    assert run("result = rate", policy=policy).result == 1
    assert run("result = secret", policy=policy).error.startswith("NameError")
    assert run("result = also", policy=policy, input_data={"also": 1}).error.startswith("NameError")


@pytest.mark.parametrize("policy", [RunnerPolicy(blocked_imports=[]), RunnerPolicy(mode="allow", allowed_imports=["importlib"])],
                         ids=["restrict", "allow"])
def test_s07_importlib_is_blocked_in_both_modes(run, policy):
    for code in ("import importlib", "from importlib import import_module", "import importlib.util"):
        assert "importlib" in run(code, policy=policy).error


# ---- S08, S09, S14: policies and results -----------------------------------------------------------


def test_s08_a_policy_comes_from_a_file(run, tmp_path):
    path = tmp_path / "policy.toml"
    path.write_text('[policy]\ntimeout_seconds = 9\nblocked_imports = ["json"]\n[policy.extra_globals]\nrate = 0.5\n')
    read = RunnerPolicy.from_file(str(path))
    assert (read.timeout_seconds, read.blocked_imports, read.blocked_builtins) == (9, ["json"], [])
    assert run("result = rate", policy_file=str(path)).result == 0.5
    assert run("result = rate", policy=RunnerPolicy(config_path=str(path))).result == 0.5
    with pytest.raises(ValueError, match="either 'policy' or 'policy_file'"):
        run("1", policy=read, policy_file=str(path))


@pytest.mark.parametrize("text", ["mode = 'other'", "blocked_imports = 'os'", "timeout = 3", "timeout_seconds = 'long'", "= 3"])
def test_s08_a_file_with_a_mistake_is_an_error(tmp_path, text):
    path = tmp_path / "policy.toml"
    path.write_text(f"[policy]\n{text}\n")
    with pytest.raises(ValueError):
        RunnerPolicy.from_file(str(path))


def test_s09_the_fields_of_a_result(run):
    assert run("import sys\nprint('out')\nprint('err', file=sys.stderr)\nresult = [1, {'a': None}]") == RunnerResult(
        ok=True, result=[1, {"a": None}], stdout="out\n", stderr="err\n", timed_out=False, resource_exceeded=False, error=None,
        exit_code=0, denials=[])
    failed = run("print('before')\n1 / 0")
    assert (failed.ok, failed.exit_code, failed.error) == (False, 1, "ZeroDivisionError: division by zero")
    assert failed.stdout == "before\n" and "line 2" in failed.stderr
    assert run("def f(:").error.startswith("SyntaxError")


def test_s09_a_result_is_the_variable_or_else_the_last_value_in_json(run):
    assert run("result = 1\n2").result == 1
    assert run("1 + 1").result == 2
    assert run("result = (1, {2}, {3: b'x'}, float('nan'))").result == [1, "{2}", {"3": "eA=="}, None]
    assert run("x = 1").result is None
    assert run("result = 10 ** 30").result == 10 ** 30


def test_s14_every_request_has_a_policy_of_its_own(run):
    assert not run("import math", policy=RunnerPolicy(blocked_imports=["math"])).ok
    assert run("import math", policy=RunnerPolicy(blocked_imports=[])).ok


# ---- S10, S11 --------------------------------------------------------------------------------------


@pytest.mark.parametrize("argument, ok, code, error, stderr", [
    ("", True, 0, None, ""), ("0", True, 0, None, ""), ("None", True, 0, None, ""), ("2", False, 2, "SystemExit: 2", ""),
    ("1", False, 1, "SystemExit: 1", ""), ("'bye'", False, 1, "SystemExit: bye", "bye\n")])
def test_s10_system_exit(run, argument, ok, code, error, stderr):
    done = run(f"print('out')\nimport sys\nsys.exit({argument})")
    assert (done.ok, done.exit_code, done.error, done.stdout, done.stderr) == (ok, code, error, "out\n", stderr)


def test_s11_input_is_there_as_a_whole_and_by_its_keys(run):
    data = {"x": 81, "nested": {"a": [1, None, {"b": "ü"}]}, "not a name": 1, "_private": 2, "input_data": 3}
    done = run("result = [x, nested['a'][2]['b'], input_data['not a name'], '_private' in globals()]", input_data=data)
    assert done.result == [81, "ü", 1, False]


def test_s11_input_has_to_be_json(run):
    for value in ({"x": object()}, {"x": float("nan")}):
        with pytest.raises((TypeError, ValueError)):
            run("1", input_data=value)


# ---- S12, S13: engines -----------------------------------------------------------------------------


def test_s12_an_engine_is_named_and_never_guessed():
    with pytest.raises(TypeError):
        run_code("1")
    with pytest.raises(TypeError, match="engine"):
        run_code("1", engine=None)


def test_s12_whatever_an_engine_answers_is_no_result_unless_it_is_one():
    class Broken:
        def execute(self, request):
            return ExecutionOutcome("no JSON", "words", 3, False)
    assert run_code("1", engine=Broken()) == RunnerResult(ok=False, error="the run gave no answer", stderr="words", exit_code=3)


def test_s12_an_engine_that_is_away_names_the_one_that_is_there(tmp_path, monkeypatch):
    from safepyrun import ContainerEngine, ContainerError
    for name in ("docker", "podman"):
        (tmp_path / name).write_text("#!/bin/sh\necho no daemon >&2; exit 1\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    with pytest.raises(ContainerError, match='no daemon; podman is there, too: command="podman"'):
        ContainerEngine().check()


def test_s13_packages_are_pinned(tmp_path):
    for package in ("numpy", "numpy>=1", "numpy==1 --index-url=x", "-r file", "a==1;b"):
        with pytest.raises(ValueError, match="pinned"):
            LocalEngine(venv_dir=tmp_path / "venv", venv_manager="python", packages=[package])
    assert not (tmp_path / "venv").exists()


def test_s12_a_manager_that_is_not_there_is_an_error_and_no_other(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(RuntimeError, match="there is no program uv"):
        LocalEngine(venv_dir=tmp_path / "venv")
    with pytest.raises(ValueError, match="venv_manager"):
        LocalEngine(venv_dir=tmp_path / "venv", venv_manager="conda")
    with pytest.raises(ValueError, match="venv_dir"):
        LocalEngine(venv_dir=" ")


def test_a_local_engine_makes_its_environment_and_runs_in_it(tmp_path):
    local = LocalEngine(venv_dir=str(tmp_path / "venv"), venv_manager="python")
    assert run_code("import sys\nresult = sys.prefix", engine=local).result == str(tmp_path / "venv")


# ---- the program -----------------------------------------------------------------------------------


def test_the_program_runs_a_script_and_its_exit_status_is_the_scripts(tmp_path):
    (tmp_path / "script.py").write_text("import sys\nprint(x)\nprint('err', file=sys.stderr)\nx + 1")
    done = program("--input", '{"x": 1}', "script.py", folder=tmp_path)
    assert (done.stdout, done.stderr, done.returncode) == ("1\n2\n", "err\n", 0)
    assert program("-", text="import sys; sys.exit(3)").returncode == 3
    failed = program("-", text="1 / 0")
    assert failed.returncode == 1 and "Error: ZeroDivisionError" in failed.stderr


@pytest.mark.parametrize("named", ["./env/bin/python", "env/bin/python", "env-python"])
def test_the_python_may_be_named_from_here_or_on_the_path(tmp_path, monkeypatch, named):
    """CPython 3.11 ends with a broken heap when it is told that its executable is "./…"."""
    bin_folder = tmp_path / "env" / "bin"
    bin_folder.mkdir(parents=True)
    (tmp_path / "env" / "pyvenv.cfg").write_text(f"home = {os.path.dirname(os.path.realpath(sys.executable))}\n")
    for name in ("python", "env-python"):
        (bin_folder / name).symlink_to(os.path.realpath(sys.executable))
    monkeypatch.setenv("PATH", str(bin_folder), prepend=os.pathsep)
    done = program("--python", named, "-", text="import sys; sys.prefix", folder=tmp_path)
    assert (done.stdout, done.stderr) == (f'"{tmp_path}/env"\n', "")


def test_the_programs_limits_come_from_the_command_line_or_the_policy(tmp_path):
    (tmp_path / "policy.toml").write_text("[limits]\ntimeout_seconds = 1\n")
    for words in (["--timeout", "1"], ["--policy", "policy.toml"], ["--policy-file", "policy.toml", "--timeout", "30"]):
        done = program("--json", *words, "-", text="while True: pass", folder=tmp_path)
        assert json.loads(done.stdout)["timed_out"] and done.returncode == 124, words
    done = program("--json", "--memory", "64", "-", text="x = bytearray(10 ** 8)")
    assert json.loads(done.stdout)["resource_exceeded"]


def test_what_the_program_writes_lies_in_the_roots_alone(tmp_path):
    (tmp_path / "here").mkdir()
    done = program("-", text="open('inside', 'w').close()\nopen('../outside', 'w')", folder=tmp_path / "here")
    assert done.returncode == 1 and "ok_dests" in done.stderr
    assert (tmp_path / "here/inside").exists() and not (tmp_path / "outside").exists()


def test_a_request_writes_nowhere_unless_it_has_roots(run, tmp_path):
    policy = RunnerPolicy(blocked_builtins=[])
    assert not run(f"open({str(tmp_path / 'a')!r}, 'w')", policy=policy).ok and not (tmp_path / "a").exists()


def test_the_last_request_may_lack_its_line_end():
    done = program("--request", "--serve", text='{"code": "1"}\n{"code": "2"}')
    assert [json.loads(line)["result"] for line in done.stdout.splitlines()] == [1, 2]


def test_a_pipe_that_does_not_wait_loses_nothing():
    """A launcher may have made the pipe non-blocking that it shares with the program."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    with subprocess.Popen([PROGRAM, "run", "-"], stdin=subprocess.PIPE, stdout=writing, text=True) as process:
        os.close(writing)
        process.stdin.write("print('x' * 1_000_000)")
        process.stdin.close()
        time.sleep(1)       # the pipe is full by now
        with open(reading) as output:
            assert output.read() == "x" * 1_000_000 + "\n"
    assert process.returncode == 0


@pytest.mark.parametrize("words", [["--bogus", "-"], ["--timeout", "x", "-"], ["--timeout", "-1", "-"], [], ["-", "-"],
                                   ["--input", "{", "-"], ["--request", "-"]])
def test_arguments_that_make_no_sense(words):
    done = program(*words, text="1")
    assert done.returncode == 2 and done.stderr and not done.stdout


@pytest.mark.parametrize("request_text", ["", "[]", "{}", '{"code": 1}', '{"code": "1", "policy": {"mode": "x"}}',
                                          '{"code": "1", "policy": {"blocked_imports": [1]}}', '{"code": "1", "policy": []}',
                                          '{"code": "1", "policy": {"blocked_import": ["os"]}}', '{"code": "1", "polcy": {}}',
                                          '{"code": "1", "policy": {"mode": 1}}', '{"code": "1", "policy": {"blocked_globals": "x"}}',
                                          '{"code": "1", "policy": {"extra_globals": ["x"]}}'])
def test_requests_that_make_no_sense(request_text):
    done = program("--request", text=request_text)
    assert done.returncode == 2 and not done.stdout


def test_a_list_cannot_say_more_than_names(run):
    """The policy becomes the text of a policy file: a name that tries to be more of it is only a name."""
    done = run("open('/tmp/never', 'w')", policy=RunnerPolicy(blocked_builtins=[], blocked_imports=['x"]\npreset = "open"\n#']))
    assert not done.ok and not os.path.exists("/tmp/never")


def test_nothing_is_left_behind_by_a_run(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    local = LocalEngine(venv_dir=sys.prefix, venv_manager="python")
    assert run_code("import tempfile\ntempfile.mkdtemp()", engine=local, policy=RunnerPolicy(blocked_imports=[])).ok
    run_code("while True: pass", engine=local, policy=RunnerPolicy(timeout_seconds=1))
    local.close()
    assert list(tmp_path.iterdir()) == []
