"""Modules made by Cython for the limited API compile a text to add a line to a traceback, and crash where they cannot."""

import pytest
from guard_client import BUILD, Guard
from pythons import PYTHONS

MODULE = {"SAFEPYRUN_PYTHONPATH": str(BUILD / "tests/packages")}
SHOW = """import functools, native_tracebacks, traceback
try:
    {call}
except KeyError as error:
    print(traceback.format_exc())"""
CALLS = {"a cell": "native_tracebacks.pop('key')", "a library": "functools.singledispatch(native_tracebacks.pop)('key')"}
#: the same text, asked for in Python; the names are put together because the rules for user code know them
TEXTS = {
    "compile": "call('compile')(b'_getframe()', 'x.pyx', 'eval')",
    "eval": "call('eval')(b'_getframe()', {'_getframe': list})",
    "exec": "call('exec')(b'_getframe()', {'_getframe': list})",
}


@pytest.mark.parametrize("python", [None, *PYTHONS.values()])
def test_a_native_function_adds_its_line(python, tmp_path):
    with Guard(python=python, cwd=tmp_path, environment=MODULE) as guard:
        for name, call in CALLS.items():
            outcome = guard.execute(SHOW.format(call=call))
            assert outcome.error is None and "line 157, in native_tracebacks.pop" in outcome.stdout, (name, outcome.reply, outcome.stdout)
            assert not outcome.all("DENIAL"), name


@pytest.mark.parametrize("name", TEXTS)
def test_python_code_does_not_get_it_compiled(name, tmp_path):
    with Guard(cwd=tmp_path) as guard:
        guard.execute("import builtins\ncall = lambda name: vars(builtins)[name]")
        outcome = guard.execute(TEXTS[name])
        assert outcome.error == "PermissionError" and "make code from text" in outcome.reply["evalue"], outcome.reply
