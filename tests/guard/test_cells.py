"""A cell from source to reply."""

import pytest
from guard_client import Guard


def test_value_of_last_expression(guard):
    outcome = guard.execute("x = 20\nx + 1")
    assert outcome.names == ["EXECUTE_RESULT", "REPLY"]
    assert outcome.result == "21"
    assert outcome.reply == {"status": "ok", "execution_count": guard.count, "user_expressions": {}, "payload": []}


@pytest.mark.parametrize("code", ["1;", "1 ;  # said", "(1\n # ;\n);", "'a';", "x = 1", "None", "", "# only a comment"])
def test_nothing_to_show(guard, code):
    assert guard.execute(code).names == ["REPLY"]


@pytest.mark.parametrize("code, shown", [("'a;'", "'a;'"), ("1; 2", "2"), ("(3  # ;\n)", "3"), ("'äö' # ;", "'äö'"),
                                         ("'ä'; 'ö'", "'ö'")])
def test_semicolons_that_do_not_hide(guard, code, shown):
    assert guard.execute(code).result == shown


def test_names_of_earlier_results(guard):
    guard.execute("41")
    assert guard.execute("_ + 1").result == "42"
    assert guard.execute("__").result == "41"
    assert guard.execute("Out[max(Out)], In[-2], _i, _ii").result == "(41, '__', '__', '_ + 1')"


def test_error_shows_the_cell_and_nothing_above(guard):
    outcome = guard.execute("def f():\n    return 1 / 0\nf()")
    assert outcome.names == ["ERROR", "REPLY"]
    error = outcome.all("ERROR")[0]
    assert (error["ename"], error["evalue"]) == ("ZeroDivisionError", "division by zero")
    lines = error["traceback"]
    assert "cell" in lines[1] and "line 3" in lines[1] and "return 1 / 0" in "".join(lines)
    assert "safepyrun" not in "".join(lines)
    assert {key: outcome.reply[key] for key in error} == error
    assert outcome.reply["status"] == "error" and outcome.reply["payload"] == []


def test_syntax_error(guard):
    outcome = guard.execute("a b c")
    assert outcome.error == "SyntaxError"
    assert "a b c" in "".join(outcome.reply["traceback"])


@pytest.mark.parametrize("code, told", [("%matplotlib inline", True), ("x = 1\n!ls", True), ("1 %", False)])
def test_whose_magics_are_is_told(guard, code, told):
    assert ("without IPython" in "".join(guard.execute(code).reply["traceback"])) == told


def test_why_there_is_no_ipython_is_told(tmp_path):
    with Guard("auto", cwd=tmp_path) as guard:      # Debian's Python, as the guard embeds it; where it has an IPython there is nothing to be told
        reply = guard.execute("%time 1").reply
        assert reply["status"] == "ok" or "IPython is not installed; in a terminal: " in "".join(reply["traceback"])
    with Guard("plain", cwd=tmp_path) as guard:
        assert "(--shell plain)" in "".join(guard.execute("%time 1").reply["traceback"])
        said = "".join(guard.execute("%rewind two").reply["traceback"])
        assert "the only thing in their cell" in said and "IPython" not in said


def test_output_comes_before_error_and_reply(guard):
    assert guard.execute("print('a')\n1/0").names == ["STDOUT", "ERROR", "REPLY"]


@pytest.mark.parametrize("content", [{"code": 5}, {"code": None}, {"code": "1", "silent": "no"},
                                     {"code": "1", "user_expressions": [1]}, {"code": "1", "allow_stdin": 3}])
def test_ill_typed_fields_are_answered(guard, content):
    outcome = guard.execute(**content)
    assert outcome.names == ["REPLY"] and outcome.reply["status"] == "error"
    assert outcome.reply["ename"] == "ValueError" and outcome.reply["traceback"]


def test_content_that_is_no_json(guard):
    guard.cell += 1
    guard.send("EXECUTE", guard.cell, b'{"code": "1', b"{}")
    assert guard.collect(guard.cell).reply["status"] == "error"
    assert guard.execute("1").result == "1"


def test_silent(guard):
    before = guard.execute("len(In)").result
    assert guard.execute("7 * 6", silent=True).names == ["REPLY"]
    outcome = guard.execute("1/0", silent=True)
    assert outcome.names == ["REPLY"] and outcome.reply["ename"] == "ZeroDivisionError"
    assert int(guard.execute("len(In)").result) == int(before) + 1


def test_store_history_false(guard):
    assert guard.execute("'not kept'", store_history=False).result == "'not kept'"
    assert "not kept" not in guard.execute("str(Out)").result


def test_what_is_asked_again_and_again_is_kept_once(guard):
    """A request that is not stored, such as a front end sends after each cell; its lines are there all the same."""
    guard.execute("import linecache")
    names = int(guard.execute("len(linecache.cache)").result)
    for silent in (True, False) * 10:
        text = "".join(guard.execute("1 / 0", silent=silent, store_history=False).reply["traceback"])
        assert "1 / 0" in text and "ZeroDivisionError" in text
    assert int(guard.execute("len(linecache.cache)").result) <= names + 2


def test_user_expressions(guard):
    outcome = guard.execute("a = 2", user_expressions={"good": "a * 3", "bad": "1 / 0", "odd": "a b"})
    expressions = outcome.reply["user_expressions"]
    assert expressions["good"] == {"status": "ok", "data": {"text/plain": "6"}, "metadata": {}}
    assert expressions["bad"]["ename"] == "ZeroDivisionError"
    assert expressions["odd"]["ename"] == "SyntaxError"
    assert guard.execute("1/0", user_expressions={"a": "1"}).reply["user_expressions"] == {}


def test_exit_asks_the_front_end(guard):
    for code in ("exit", "exit()", "quit(keep_kernel=False)"):
        assert guard.execute(code).reply["payload"] == [{"source": "ask_exit", "keepkernel": False}]
    assert guard.execute("raise SystemExit(1)").error == "SystemExit"
    assert guard.execute("import sys; sys.exit(0)").error == "SystemExit"


def test_page(guard):
    payload = guard.execute("len?").reply["payload"]
    assert len(payload) == 1 and payload[0]["source"] == "page"
    assert "Return the number of items" in payload[0]["data"]["text/plain"]


def test_future_features_stay(fresh):
    fresh.execute("from __future__ import annotations")
    assert fresh.execute("x: undefined_name = 1\n__annotations__['x']").result == "'undefined_name'"


def test_main_is_the_namespace_of_the_cells(guard):
    guard.execute("shared = 'yes'")
    assert guard.execute("import sys; vars(sys.modules['__main__'])['shared']").result == "'yes'"
    assert guard.execute("__name__").result == "'__main__'"
    assert guard.execute("sys.path[0]").result == "''"


def test_hostile_exceptions(guard):
    code = "class Bad(Exception):\n    def __str__(self): raise ValueError\n    __repr__ = __str__\nraise Bad"
    assert guard.execute(code).reply["ename"] == "Bad"
    assert guard.execute("raise Exception('\\ud800')").reply["evalue"] == "\ufffd"
    deep = "def f(n): f(n + 1)\nf(0)"
    outcome = guard.execute(deep)
    assert outcome.error == "RecursionError" and len("".join(outcome.reply["traceback"])) < 5000


def test_error_in_repr_is_the_cells(guard):
    outcome = guard.execute("class Bad:\n    def __repr__(self): return 1 / 0\nBad()")
    assert outcome.error == "ZeroDivisionError"


def test_traceback_module_shows_cell_lines(guard):
    outcome = guard.execute("import traceback\ntry:\n    1 / 0\nexcept Exception:\n    traceback.print_exc()")
    assert "1 / 0" in outcome.stderr


def test_small_cells_are_quick(guard):
    import time
    start = time.monotonic()
    for _ in range(300):
        guard.execute("pass")
    assert time.monotonic() - start < 1
