"""mk_audit: what the program itself makes from text and runs in a scope is guarded code; guarded code makes none."""

import concurrent.futures
import contextvars
import marshal
import os
import types

from host_tools import refused

from safepyrun import mk_audit

WRITE = "open('/root/x', 'w')"


def test_the_host_runs_cells_in_a_scope(tmp_path):
    space = {}
    with mk_audit([tmp_path])():
        exec("a = 1\nb = [a + x for x in range(3)]", space)
        assert eval("sum(b)", space) == 6
        exec(compile("c = a", "<cell>", "exec"), space)
        eval(compile("c", "<cell>", "eval"), space)
        exec(marshal.loads(marshal.dumps(compile("d = c", "<cell>", "exec"))), space)
    assert space["d"] == 1


def test_what_it_runs_is_guarded(tmp_path):
    with mk_audit([tmp_path])():
        for code in (WRITE, f"(lambda: {WRITE})()", f"[{WRITE} for _ in '1']", "import os; os.system('true')"):
            with refused():
                exec(code, {})
        exec(f"open({str(tmp_path / 'inside')!r}, 'w').close()", {})


def test_what_it_runs_makes_no_code(tmp_path):
    with mk_audit([tmp_path])():
        for code in ("exec('1')", "eval('1')", "compile('1', 'x', 'eval')", "list(map(eval, ['1']))",
                     "import functools; functools.partial(exec, '1')()", "import marshal; marshal.loads(b'N')",
                     "(lambda: eval('1'))()", "[eval('1') for _ in '1']", "def f():\n    eval('1')\nf()",
                     "class C:\n    eval('1')", "import functools; f = functools.lru_cache(eval); f('1')"):
            with refused("make code from text"):
                exec(code, {})


def test_code_that_was_made_before_is_guarded_code(tmp_path):
    """What ran once in a scope stays what it is, in a scope of its own or in none."""
    code = compile("eval('1')\n" + WRITE, "<cell>", "exec")
    with mk_audit([tmp_path])():
        with refused("make code from text"):
            exec(code, {})
    space = {}
    with mk_audit([tmp_path])():
        exec(f"f = lambda: {WRITE}\ng = lambda: eval('1')", space)
    with refused("open for writing"):
        contextvars.Context().run(space["f"])
    with mk_audit([tmp_path])():
        with refused("make code from text"):
            space["g"]()


def test_text_that_guarded_code_hands_to_the_host(tmp_path):
    def calculate(text):
        return eval(text)

    with mk_audit([tmp_path])():
        exec("assert calculate('1 + 1') == 2", {"calculate": calculate})
        for text in (WRITE, "eval('1')"):
            with refused():
                exec("calculate(text)", {"calculate": calculate, "text": text})


def test_functions_are_not_made_of_code(tmp_path):
    """Such code would never be seen to run: a file name of a library would make it one."""
    code = compile("0", os.__file__, "eval")
    with mk_audit([tmp_path])():
        with refused("make code from text"):
            types.FunctionType(code, {})


def test_no_frame_asks(tmp_path):
    """exec() itself as the function of an executor: the pool's frame asks, and what runs is guarded."""
    with concurrent.futures.ThreadPoolExecutor() as pool:
        pool.submit(int).result()
        with mk_audit([tmp_path])():
            with refused():
                exec("pool.submit(exec, text).result()", {"pool": pool, "text": WRITE})
