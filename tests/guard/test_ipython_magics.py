"""Magics, payloads and history; what magics must not get around."""

import json
import sys

import pytest

pytest_plugins = ["ipython_session"]


@pytest.mark.parametrize("cell", [
    "%time import socket",
    "%%time\nimport socket",
    "%timeit -n1 -r1 import socket",
    "%%timeit -n1 -r1 import socket\npass",
    "%prun -s cumulative -l 5 import socket",
    "%%prun\nimport socket",
    "%%capture taken\nimport socket",
    "get_ipython().run_cell('import socket')",
    "get_ipython().ex('import socket')",
])
def test_magics_do_not_go_around_the_rules(strict_ipython, cell):
    refused = strict_ipython.run(cell)
    assert refused.one("error")["ename"] == "PermissionError"
    assert "socket" in refused.one("error")["evalue"]
    assert strict_ipython.run("'socket' in dir()").result["data"]["text/plain"] == "False"


def test_timing_magics(ipython):
    cell = ipython.run("%time 6 * 7")
    assert "Wall time" in cell.stdout and cell.result["data"]["text/plain"] == "42"
    assert "per loop" in ipython.run("%timeit -n2 -r2 6 * 7").stdout
    assert "per loop" in ipython.run("%%timeit -n2 -r2 x = 1\nx + 1").stdout


def test_who_lists_only_the_users_names(ipython):
    ipython.run("alpha = 1")
    assert ipython.run("%who").stdout.split() == ["alpha"]


def test_unknown_magic_is_one_line(ipython):
    cell = ipython.run("%no_such_magic")
    assert cell.reply["ename"] == "UsageError"
    assert cell.reply["traceback"] == ["UsageError: Line magic function `%no_such_magic` not found."]


@pytest.mark.parametrize("line, words", [("%rewind 0", "from 1: not '0'"), ("%rewind two", "not 'two'"), ("x = 1\n%rewind", "alone in its cell")])
def test_rewind_says_what_is_wrong(ipython, line, words):
    assert words in ipython.run(line).reply["evalue"]


def test_guard_lists_its_commands(ipython):
    usage = ipython.run("%guard nonsense").stdout
    for command in ("status", "%guard reset", "%rewind [n]", "%%trial"):
        assert command in usage


# All harmless, should a broken guard let them run.
@pytest.mark.parametrize("cell", ["!true", "files = !true", "%system true", "%%bash\ntrue",
                                  "%%script true\n1"])
def test_programs_are_refused(ipython, cell):
    refused = ipython.run(cell)
    assert refused.reply["status"] == "error" and refused.reply["ename"] == "PermissionError"
    assert refused.stdout == ""


@pytest.mark.parametrize("cell, program", [("%%script perl -w\n1", "perl"), ("%%bash -e\ntrue", "bash"), ("%%script\n1", "script")])
def test_a_refused_program_is_named(ipython, cell, program):
    assert ipython.run(cell).reply["evalue"].endswith(f": '{program}'")


def test_edit_needs_a_file(ipython):
    assert ipython.run("%edit").reply["evalue"] == "Missing filename."
    (payload,) = ipython.run("%edit notes.txt 7").reply["payload"]
    assert payload == {"source": "edit_magic", "filename": "notes.txt", "line_number": 7}


@pytest.mark.parametrize("cell", ["%pip --version", "!pip --version", "!python -m pip --version",
                                  "!uv pip --version"])
def test_installing_says_what_to_do_instead(ipython, cell):
    refused = ipython.run(cell)
    assert refused.reply["ename"] == "PermissionError"
    assert refused.reply["evalue"].endswith(f" In a terminal: {sys.executable} -m pip install ...")


def test_question_mark_pages(ipython):
    (payload,) = ipython.run("zip?").reply["payload"]
    assert payload["source"] == "page" and "Docstring" in payload["data"]["text/plain"]
    assert ipython.run("1").reply["payload"] == []


def test_set_next_input_and_load(ipython, tmp_path):
    (payload,) = ipython.run("get_ipython().set_next_input('x = 1')").reply["payload"]
    assert payload == {"source": "set_next_input", "text": "x = 1", "replace": False}
    script = tmp_path / "script.py"
    script.write_text("y = 2\n")
    (payload,) = ipython.run(f"%load {script}").reply["payload"]
    assert payload["source"] == "set_next_input" and "y = 2" in payload["text"]


def test_exit_asks_the_front_end(ipython):
    (payload,) = ipython.run("exit").reply["payload"]
    assert payload == {"source": "ask_exit", "keepkernel": False}


def test_history_of_the_session(ipython):
    ipython.run("first = 1")
    ipython.run("second = 2")
    assert ipython.run("%history -n").stdout.splitlines()[:2] == ["   1: first = 1", "   2: second = 2"]
    (payload,) = ipython.run("%recall 1").reply["payload"]
    assert payload["text"] == "first = 1"
    assert "first = 1" in ipython.run("%history -g first*").stdout


def test_cells_that_are_not_stored_leave_no_trace(ipython):
    ipython.run("shown = 1")
    ipython.run("hidden = 2", store_history=False)
    assert ipython.run("In").result["data"]["text/plain"] == "['', 'shown = 1', 'In']"


def test_autoreload_loads(ipython):
    assert ipython.run("%load_ext autoreload\n%autoreload 2").reply["status"] == "ok"


def test_values_in_magic_lines(ipython):
    ipython.run("name = 'alpha'")
    assert ipython.run("%env SAFEPYRUN_TEST={name.upper()}").stdout == "env: SAFEPYRUN_TEST=ALPHA\n"


def test_events_surround_each_cell(ipython):
    ipython.run("log = []\n"
                "get_ipython().events.register('pre_run_cell', lambda info: log.append(info.raw_cell))\n"
                "get_ipython().events.register('post_run_cell', lambda done: log.append(done.success))")
    ipython.run("1 / 0")
    assert ipython.run("log").result["data"]["text/plain"] == "[True, '1 / 0', False, 'log']"


def test_libraries_recognise_a_notebook(ipython):
    cell = ipython.run("shell = get_ipython()\n"
                       "('IPKernelApp' in shell.config, str(type(shell)), shell.kernel.shell is shell)")
    assert cell.result["data"]["text/plain"] == '(True, "<class \'ipykernel.zmqshell.ZMQInteractiveShell\'>", True)'


def test_files_are_listed_and_printed_without_a_program(ipython, tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "one.txt").write_text("first line\n")
    assert ipython.run("%ls data").stdout == "one.txt\n"
    assert "data/" in ipython.run("%ls").stdout.splitlines()
    assert ipython.run("%cat data/*.txt").stdout == "first line\n"
    (tmp_path / ".hidden").touch()
    at_length = ipython.run("%ls -la").stdout
    assert at_length.startswith("-rw") and ".hidden\n" in at_length and " data/\n" in at_length
    assert "'nope'" in ipython.run("%ls nope").one("error")["evalue"]


def test_autosave_fails_no_cell(ipython):
    assert ipython.run("%autosave 60").reply["status"] == "ok"


def test_store_says_what_to_do_instead(ipython):
    assert "pickle.dump" in ipython.run("x = 1\n%store x").one("error")["evalue"]


def test_the_session_is_written_to_a_notebook_that_nobody_has_signed(ipython, tmp_path):
    ipython.run("alpha = 1")
    ipython.run("alpha + 1")
    cell = ipython.run("%notebook written.ipynb")
    assert cell.reply["status"] == "ok", cell.reply
    written = json.loads((tmp_path / "written.ipynb").read_text())
    assert written["metadata"]["kernelspec"]["name"] == "safepyrun"
    assert ["".join(cell["source"]) for cell in written["cells"]] == ["alpha = 1", "alpha + 1"]
    assert ipython.run("%guard log").stdout.startswith("Nothing was refused")
    refused = ipython.run("%notebook ../outside.ipynb").one("error")
    assert refused["ename"] == "PermissionError" and "outside.ipynb" in refused["evalue"]


@pytest.mark.parametrize("cell", ["%%bash", "%%sh\n", "%%script", "%%script true", "%%python"])
def test_an_empty_script_is_a_mistake_and_no_refusal(ipython, cell):
    answer = ipython.run(cell)
    assert answer.reply["ename"] == "UsageError" and "the cell body is empty" in answer.reply["evalue"]
    assert ipython.run("%guard log").stdout.startswith("Nothing was refused")


@pytest.mark.parametrize("place, words", [("script.py", "may define functions and classes: import script)"),
                                          ("sub/script.py", "may define functions and classes)"),
                                          ("a-script.py", "may define functions and classes)")])
def test_a_script_that_defines_something_is_told_of_modules(strict_ipython, tmp_path, place, words):
    (tmp_path / "sub").mkdir()
    (tmp_path / place).write_text("def f():\n    return 6 * 7\n")
    assert strict_ipython.run(f"%run {place}").one("error")["evalue"].endswith(words)
    assert "ban_defs" in strict_ipython.run("def f(): pass").one("error")["evalue"]
    if place == "script.py":
        assert strict_ipython.run("import script; script.f()").result["data"]["text/plain"] == "42"


def test_a_refused_script_is_named(ipython, tmp_path):
    (tmp_path / "script.py").write_text("x = 1\nimport socket\n")
    assert f"(a line of {tmp_path}/script.py)" in ipython.run("%run script.py").one("error")["evalue"]


def test_reset_empties_the_namespace(ipython):
    ipython.run("alpha = 1")
    ipython.run("%reset -f")
    assert ipython.run("alpha").reply["ename"] == "NameError"
    assert ipython.run("6 * 7").result["data"]["text/plain"] == "42"


def test_scripts_run_in_the_session(ipython, tmp_path):
    (tmp_path / "script.py").write_text("made = 6 * 7\n")
    ipython.run("%run script.py")
    assert ipython.run("made").result["data"]["text/plain"] == "42"
    (tmp_path / "forbidden.py").write_text("import socket\n")
    assert "socket" in ipython.run("%run forbidden.py").one("error")["evalue"]


@pytest.mark.parametrize("cell, expected", [
    ("x = %pwd\nisinstance(x, str)", "True"),
    ("if True:\n    %pwd\n", None),
    ("x = 1 # 50% off, really?\nx", "1"),
    ("x = 7 % 4\nx != 4", "True"),
    ("x = (1\n  , 2\n  )\nx", "(1, 2)"),
    ("/len 'four'", "4"),
    (",len one two", None),
    ("    ;str five", "'five'"),
    ("str?", None),
])
def test_cells_are_transformed_as_ipython_does(ipython, cell, expected):
    """Cells without a sign of magics are not tokenized; those with one must be, wherever it stands."""
    same = ("from IPython.core.inputtransformer2 import TransformerManager as Original\n"
            f"Original().transform_cell({cell!r}) == get_ipython().transform_cell({cell!r})")
    assert ipython.run(same).result["data"]["text/plain"] == "True"
    if expected is not None:
        assert ipython.run(cell).result["data"]["text/plain"] == expected


def test_a_transformer_of_the_users_is_asked(ipython):
    ipython.run("from types import SimpleNamespace as Made\n"
                "asked = []\n"
                "manager = get_ipython().input_transformer_manager\n"
                "manager.token_transformers.append(Made(find=lambda tokens: asked.append(len(tokens))))")
    assert ipython.run("len(asked) > 0").result["data"]["text/plain"] == "True"
    ipython.run("_ = manager.token_transformers.pop()")
