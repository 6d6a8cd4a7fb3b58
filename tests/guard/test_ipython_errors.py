"""Tracebacks as IPython shows them, and short where they should be."""

import re

import pytest

pytest_plugins = ["ipython_session"]

COLOURS = re.compile(r"\x1b\[[0-9;]*m")


def plain(lines):
    return COLOURS.sub("", "\n".join(lines))


def test_frames_name_their_cells(ipython):
    ipython.run("def divide(number):\n    return number / 0")
    cell = ipython.run("divide(1)")
    text = plain(cell.reply["traceback"])
    assert cell.reply["ename"] == "ZeroDivisionError"
    assert "Cell In[2], line 1" in text and "Cell In[1], line 2" in text
    assert "----> 2     return number / 0" in text
    assert "safepyrun" not in text
    assert cell.one("error")["traceback"] == cell.reply["traceback"]


@pytest.mark.parametrize("code, shown", [
    ("%run no_such_file.py", "run_line_magic"),         # the cell's own line, as IPython has transformed it
    ("%load_ext no_such_module", "run_line_magic"),
    ("%time 1 / 0", "1 / 0"),
    ("%%time\n1 / 0", "1 / 0"),
])
def test_errors_of_magics_do_not_show_how_they_were_called(ipython, code, shown):
    text = plain(ipython.run(code).reply["traceback"])
    assert shown in text and "_ipython_shell" not in text and "skipping hidden" not in text, text


def test_chained_errors(ipython):
    text = plain(ipython.run("try:\n    1 / 0\nexcept ZeroDivisionError as error:\n"
                             "    raise KeyError('k') from error").reply["traceback"])
    assert "direct cause" in text and text.index("ZeroDivisionError") < text.index("KeyError: 'k'")


def test_syntax_errors_point_at_the_place(ipython):
    cell = ipython.run("x = = 1")
    text = plain(cell.reply["traceback"])
    assert cell.reply["ename"] == "SyntaxError"
    assert "Cell In[1], line 1" in text and "x = = 1" in text and "^" in text
    assert "safepyrun" not in text


def test_interrupts_show_the_cell_only(ipython):
    text = plain(ipython.run("import contextlib\n@contextlib.contextmanager\ndef stop():\n"
                             "    raise KeyboardInterrupt\n    yield\n"
                             "with stop(): pass").reply["traceback"])
    assert "contextlib.py" not in text and "Cell In[1], line 6" in text


def test_refusals_show_the_cell_only(ipython):
    cell = ipython.run("import pathlib\npathlib.Path('/etc/hostname').write_text('x')")
    text = plain(cell.reply["traceback"])
    assert cell.reply["ename"] == "PermissionError"
    assert "pathlib.py" not in text and "Cell In[1], line 2" in text


def test_what_a_library_met_before_is_not_shown(ipython):
    """It tried something else first, and failed; what the cell itself had caught before is shown."""
    code = "import shutil\nshutil.rmtree('/srv')"
    assert "During handling" not in "\n".join(ipython.run(code).one("error")["traceback"])
    code = "import nbformat\nnbformat.write(nbformat.v4.new_notebook(), '/srv/x.ipynb')"
    lines = "\n".join(ipython.run(code).one("error")["traceback"])
    assert "PermissionError" in lines and "AttributeError" not in lines and "During handling" not in lines
    code = "try: 1/0\nexcept ZeroDivisionError: open('/srv/x', 'w')"
    assert "ZeroDivisionError" in "\n".join(ipython.run(code).one("error")["traceback"])


def test_cells_that_may_not_run_get_one_sentence(strict_ipython):
    (line,) = strict_ipython.run("import socket").reply["traceback"]
    assert plain([line]).startswith("PermissionError: [Errno 13] safepyrun refused to run this cell: line 1")


def test_groups_are_shown_whole(ipython):
    cell = ipython.run("raise ExceptionGroup('both', [ValueError('one'), KeyError('two')])")
    text = plain(cell.reply["traceback"])
    assert "ValueError: one" in text and "KeyError: 'two'" in text


def test_errors_that_cannot_be_formatted_are_named(ipython):
    cell = ipython.run("class Odd(Exception):\n    def __str__(self): raise RuntimeError\nraise Odd")
    assert cell.reply["status"] == "error" and cell.reply["ename"] == "Odd"


def test_errors_of_events_are_shown_beside_the_cell(ipython):
    ipython.run("def fail(result): raise ValueError('in the event')\n"
                "get_ipython().events.register('post_run_cell', fail)")
    cell = ipython.run("get_ipython().events.unregister('post_run_cell', fail)\n1")
    assert cell.reply["status"] == "ok"


def test_last_error_can_be_shown_again(ipython):
    ipython.run("1 / 0")
    assert "ZeroDivisionError" in plain(ipython.run("%tb").one("error")["traceback"])
    minimal = ipython.run("%xmode Minimal\n%tb").one("error")["traceback"]
    assert plain(minimal).strip() == "ZeroDivisionError: division by zero"


def test_libraries_may_show_errors_themselves(ipython):
    ipython.run("def shown(kind, error, lines): print('mine:', kind.__name__)\n"
                "get_ipython()._showtraceback = shown")
    cell = ipython.run("1 / 0")
    assert cell.stdout == "mine: ZeroDivisionError\n" and cell.reply["traceback"] == []
    assert cell.reply["ename"] == "ZeroDivisionError"


def test_handlers_of_chosen_errors(ipython):
    ipython.run("def handle(shell, kind, error, tb, tb_offset=None): print('handled:', error)\n"
                "get_ipython().set_custom_exc((KeyError,), handle)")
    assert ipython.run("raise KeyError('k')").stdout == "handled: 'k'\n"
    assert ipython.run("1 / 0").reply["traceback"] != []


def test_syntax_errors_of_modules_show_the_way_there(ipython, tmp_path):
    (tmp_path / "broken.py").write_text("x = = 1\n")
    text = plain(ipython.run("import broken").reply["traceback"])
    assert "Cell In[1], line 1" in text and "broken.py" in text and "x = = 1" in text
    assert "safepyrun" not in text
