"""Rows of the faces over RunPython: the magic and the extension of IPython (C073), a script on the command line (C074)."""

import os
import subprocess
import sys

import pytest
from guard_client import BUILD, LIBRARY

PROGRAM = BUILD / "bin/safepyrun"

BEGIN = """
import asyncio, sys
from IPython.core.interactiveshell import InteractiveShell
import safepyrun
shell = InteractiveShell.instance(history_length=0)
shell.history_manager.enabled = False
"""


def in_ipython(code, folder):
    """The lines that a host program prints in which IPython runs unguarded."""
    environment = {**os.environ, "PYTHONPATH": str(LIBRARY), "IPYTHONDIR": str(folder), "HOME": str(folder)}
    done = subprocess.run([sys.executable, "-P", "-c", BEGIN + code], capture_output=True, text=True, timeout=60,
                          env=environment)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_c073_the_extension_offers_the_runner_allow_and_the_magic(tmp_path):
    lines = in_ipython("""
shell.run_line_magic("load_ext", "safepyrun")
names = shell.user_ns
print(names["allow"] is safepyrun.allow, isinstance(names["python"], safepyrun.RunPython), names["pyrun"] is names["python"])
print(shell.run_line_magic("py", "-o") is names["python"])
print(shell.run_cell_magic("py", "", "a = 20\\na + 1"), names["a"])
print(shell.run_line_magic("py", "a + 2"))
""", tmp_path)
    assert lines == ["True True True", "True", "21 20", "22"]


def test_c073_an_empty_cell_is_nothing(tmp_path):
    assert in_ipython("""
safepyrun.load_ipython_extension(shell)
print(shell.run_cell_magic("py", "", "\\n"), shell.run_line_magic("py", ""))
""", tmp_path) == ["None None"]


def test_c073_the_magic_is_guarded_and_the_shell_around_it_is_not(tmp_path):
    target = tmp_path / "written"
    assert in_ipython(f"""
safepyrun.create_pyrun_magic(shell)
try:
    shell.run_cell_magic("py", "", "open({str(target)!r}, 'w')")
except PermissionError as error:
    print("refused", error.__context__)     # nothing of our own in its traceback
open({str(target)!r}, "w").close()
print("written")
""", tmp_path) == ["refused None", "written"]


def test_c073_the_options_of_the_runner_go_through_the_magic(tmp_path):
    target = tmp_path / "written"
    assert in_ipython(f"""
safepyrun.create_pyrun_magic(shell, ok_dests=[{str(tmp_path)!r}])
print(shell.run_cell_magic("py", "", "open({str(target)!r}, 'w').write('abc')"))
""", tmp_path) == ["3"]


def test_c073_a_cell_may_await_at_a_terminal_and_inside_of_a_loop(tmp_path):
    target = tmp_path / "written"
    assert in_ipython(f"""
safepyrun.load_ipython_extension(shell)
cell = "import asyncio\\nawait asyncio.sleep(0.01)\\n7"
print(shell.run_cell_magic("py", "", cell))
async def notebook():
    print(shell.run_cell_magic("py", "", "1 + 1"))
    waiting = shell.run_cell_magic("py", "", cell)
    open({str(target)!r}, "w").close()              # the cell waits; its guard is not around us
    print(await waiting)
    late = shell.run_cell_magic("py", "", cell + "\\nopen({str(target)!r}, 'a')")
    try:
        await late
    except PermissionError:
        print("refused")
asyncio.run(notebook())
""", tmp_path) == ["7", "2", "7", "refused"]


def test_c073_the_names_of_upstream_are_there(tmp_path):
    assert in_ipython("print(safepyrun.create_python_magic is safepyrun.create_pyrun_magic)", tmp_path) == ["True"]


@pytest.fixture(autouse=True)
def nobodys_settings(tmp_path, monkeypatch):
    """The config.py of whoever runs the tests must not count."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)


def script(*words, text="", folder=None):
    return subprocess.run([PROGRAM, *words], input=text, capture_output=True, text=True, timeout=60, cwd=folder)


@pytest.mark.parametrize("text, printed", [("1 + 1", "2\n"), ("'abc'", "abc\n"), ("print(1)", "1\n"), ("x = 3", ""),
                                           ("None", ""), ("print('first')\n[1]", "first\n[1]\n")])
def test_c074_a_script_prints_its_last_value_unless_it_is_none(text, printed, tmp_path):
    (tmp_path / "script.py").write_text(text)
    by_name, by_stdin = script("script.py", folder=tmp_path), script("-", text=text)
    for done in (by_name, by_stdin):
        assert (done.stdout, done.stderr, done.returncode) == (printed, "", 0)


def test_c074_errors_are_told_without_a_traceback(tmp_path):
    for text, message in (("1 / 0", "ZeroDivisionError: division by zero"), ("{}['x']", "KeyError: 'x'"), ("assert False", "AssertionError"), ("import os; os.unlink('/foo/bar')", "safepyrun refused to delete")):
        done = script("-", text=text)
        assert done.stderr.startswith("Error: ") and message in done.stderr and "Traceback" not in done.stderr
        assert (done.stdout, done.returncode) == ("", 1)
        assert ("safepyrun run --policy FILE" in done.stderr) == ("refused" in message)  # RunPython's advice needs somewhere to follow it
    done = script(str(tmp_path / "missing.py"))
    assert done.stderr.startswith("Error: ") and "missing.py" in done.stderr and done.returncode == 1


def test_c074_an_error_that_cannot_be_told_has_a_name():
    done = script("-", text="raise type('Odd', (Exception,), {'__notes__': property(lambda self: open('/srv/x', 'w'))})")
    assert (done.stderr, done.returncode) == ("Error: Odd\n", 1)


def test_c074_what_is_printed_at_the_end_is_guarded_too(tmp_path):
    target = tmp_path / "written"
    done = script("-", text=f"type('T', (), {{'__str__': lambda self: open({str(target)!r}, 'w').name}})()")
    assert not target.exists() and done.returncode == 1, done


def test_a_word_that_is_neither_command_nor_script_is_told(tmp_path):
    done = script("nothing", folder=tmp_path)
    assert done.returncode == 2 and "no command nothing" in done.stderr
