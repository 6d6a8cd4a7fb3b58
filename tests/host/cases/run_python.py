"""RunPython: what a call returns, what it exports, what it shows of errors. Numbers are rows of tests/conformance."""

import asyncio
import linecache
import os
import subprocess
import sys
import termios
import traceback
import types

from host_tools import raises, refused, refuses, run

import safepyrun
from safepyrun import RunPython, find_var, srcfn

_sentinel_of_this_program = True


def test_c001_c017_the_namespace_of_the_nearest_caller_that_has_the_name():
    space = {"_here": 1, "RunPython": RunPython, "asyncio": asyncio}
    exec("def f():\n    return RunPython(sentinel='_here')\nasyncio.run(f()('made = 5'))", space)
    assert space["made"] == 5


def test_c002_c003_find_var():
    assert find_var("_sentinel_of_this_program") is True
    assert find_var("_nobody_has_this_name") is None


def test_c012_sources_are_kept_under_ten_names():
    names = [srcfn(f"{number}\n") for number in range(12)]
    assert names[:2] == ["<pyrun_0>", "<pyrun_1>"]
    assert len(set(names)) == 10
    assert linecache.getline(names[11], 1) == "11\n"


def test_c013_generators_see_the_names_of_the_cell():
    assert run("name=10\nsum(x+name for x in [1,2])") == 23


def test_c014_falsy_results():
    assert run("[]") == []
    assert run("0") == 0
    assert run("x = 1") is None


async def test_c015_top_level_await():
    async def f():
        return 1

    assert await RunPython(g={"f": f})("await f()") == 1
    assert await RunPython(g={"f": f})("f()") == 1
    assert await RunPython(g={"f": f})("x = await f()\nx + await f()") == 2


def test_c016_an_empty_namespace_is_one():
    space = {}
    run("_ns_test_var = 42", g=space)
    assert space == {"_ns_test_var": 42}
    assert "_ns_test_var" not in globals()


def test_c017_names_go_to_the_program_without_a_namespace():
    asyncio.run(RunPython()("made_by_a_cell = 5"))
    assert globals().pop("made_by_a_cell") == 5


def test_c028_c045_state_persists():
    space = {}
    runner = RunPython(g=space)
    asyncio.run(runner("a = 1"))
    asyncio.run(runner("a += 2"))
    assert asyncio.run(runner("a")) == 3
    asyncio.run(runner("a_ = 3; aa_ = '33'"))
    assert asyncio.run(runner("a_, len(aa_)")) == (3, 2)


def test_functions_see_what_later_cells_change():
    runner = RunPython(g={})
    asyncio.run(runner("x = 1; f = lambda: x"))
    asyncio.run(runner("x = 2"))
    assert asyncio.run(runner("f()")) == 2


def test_what_the_host_deletes_is_gone():
    space = {"x": 1}
    runner = RunPython(g=space)
    asyncio.run(runner("y = x"))
    del space["x"]
    with raises(NameError):
        asyncio.run(runner("x"))


def test_what_a_cell_deletes_is_gone():
    space = {"x": 1, "f": len, "types": types}
    runner = RunPython(g=space)
    asyncio.run(runner("del x, f, types\ny = 1"))
    assert space == {"f": len, "types": types, "y": 1}
    asyncio.run(runner("del y"))
    assert space == {"f": len, "types": types}
    space["z"] = 1
    with raises(ZeroDivisionError):
        asyncio.run(runner("del z\n1 / 0"))
    run("del z", g=space, export="suffix")
    assert space["z"] == 1


def test_a_cell_that_fails_exports_nothing():
    space = {"x": 1}
    with raises(ZeroDivisionError):
        run("x = 2; 1 / 0", g=space)
    assert space == {"x": 1}


def test_r11_a_callable_or_module_of_the_host_is_not_replaced():
    def allow():
        return "host"

    space = {"allow": allow, "types": types, "value": 1, "helper_": allow}
    runner = RunPython(g=space)
    asyncio.run(runner("allow = types = value = helper_ = 5"))
    assert (space["allow"], space["types"]) == (allow, types)
    assert (space["value"], space["helper_"]) == (5, 5)
    # what a cell made may be made anew by another
    asyncio.run(runner("own = lambda: 1"))
    asyncio.run(runner("own = lambda: 2"))
    assert space["own"]() == 2


def test_r11_export_suffix():
    space = {}
    runner = RunPython(g=space, export="suffix")
    asyncio.run(runner("a = 1; b_ = 2; _c_ = 3; f_ = lambda: a"))
    assert sorted(space) == ["b_", "f_"]
    assert asyncio.run(runner("f_() + b_")) == 3
    with raises(NameError):
        asyncio.run(runner("a"))


def test_r01_r02_r03_capture():
    assert run("1+1", capture=True) == {"result": 2}
    assert run("print('hello'); 1+1", capture=True) == {"result": 2, "stdout": "hello\n"}
    shown = run("import warnings\nwarnings.warn('look')\n'ok'", capture=True)
    assert shown["result"] == "ok" and "look" in shown["stderr"]
    assert sys.stdout.__class__.__name__ == "TextIOWrapper"


def test_capture_leaves_nothing_behind_at_the_end():
    code = "import asyncio\nfrom safepyrun import RunPython\nasyncio.run(RunPython(capture=True)('print(1)'))"
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True,
                          env={**os.environ, "PYTHONPATH": sys.path[1]})
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


async def test_capture_is_of_the_task():
    async def one(number):
        runner = RunPython(g={}, capture=True)
        return await runner(f"import asyncio\nprint({number})\nawait asyncio.sleep(0.01)\nprint({number})")

    shown = await asyncio.gather(one(1), one(2))
    assert [each["stdout"] for each in shown] == ["1\n1\n", "2\n2\n"]


def test_c018_c019_c020_c021_user_code_rules():
    refuses("import socket", "line 1 imports socket")
    refuses("from importlib import util", "importlib")
    refuses("import safepyrun")
    refuses("exec('1')", "uses exec")
    refuses("eval('1')")
    refuses("class A: pass", "defines class A")
    refuses("def f(): pass", "defines def f")
    refuses("async def f(): pass", "defines async def f")
    assert run("import json; json.dumps([1])") == "[1]"


def test_c022_functions_and_classes_where_they_are_permitted():
    assert run("class A:\n    def f(self): return 7\nA().f()", ban_defs=False) == 7
    assert run("async def f():\n    return 8\nawait f()", ban_defs=False) == 8


def test_a_slip_that_would_guard_less_is_an_error():
    for slip in ({"deny_reads": ["/etc"]}, {"ok_dest": []}, {"ban_imports": "socket"}, {"ok_dests": "/tmp"}):
        with raises(TypeError, next(iter(slip)).rstrip("s")):
            RunPython(g={}, **slip)
    assert run("1", anything="else") == 1


def test_names_are_listed_before_they_are_asked_for():
    assert {"RunPython", "mk_audit", "allow"} <= set(dir(safepyrun))


def test_ban_imports():
    refuses("import json", "ban_imports", ban_imports={"json"})
    refuses("import json.decoder", "ban_imports", ban_imports={"json"})


def test_c025_the_traceback_begins_at_the_cell():
    try:
        run("x = 1\nimport os\nos.unlink('/foo/bar')")
    except PermissionError as error:
        frames = [frame for frame in traceback.extract_tb(error.__traceback__)]
    own = [frame for frame in frames if frame.filename.startswith("<pyrun_")]
    assert own and own[0].line == "os.unlink('/foo/bar')"
    assert not [frame for frame in frames if "safepyrun" in frame.filename]


def test_c024_a_wrapped_refusal_is_unwrapped():
    space = {}
    exec(compile("import os\nclass Wrapped(Exception): pass\ndef wrap():\n    try: os.unlink('/foo/bar')\n"
                 "    except OSError as error: raise Wrapped('cannot connect') from error\n", "/a/library.py", "exec"), space)
    with refused("delete a file"):
        run("wrap()", g={"wrap": space["wrap"]})


async def test_c048_gather_and_for_loops():
    async def fetch(number):
        return number * 10

    async def numbers():
        yield 1
        yield 2

    space = {"fetch": fetch, "numbers": numbers}
    assert await RunPython(g=space)("import asyncio\nawait asyncio.gather(fetch(1), fetch(2), fetch(3))") == [10, 20, 30]
    assert await RunPython(g=space)("[each async for each in numbers()]") == [1, 2]


async def test_background_tasks_are_awaited():
    async def later():
        await asyncio.sleep(0.02)
        done.append(1)

    done = []
    await RunPython(g={"later": later})("import asyncio\nt = asyncio.create_task(later())\nNone")
    assert done == [1]


async def test_refusals_of_background_tasks_are_raised():
    async def later():
        import os
        await asyncio.sleep(0.01)
        os.unlink("/foo/bar")

    with refused("delete a file"):
        await RunPython(g={"later": later})("import asyncio\nt = asyncio.create_task(later())\nNone")


async def test_the_call_is_a_coroutine_to_asyncio():
    assert await asyncio.create_task(RunPython(g={})("1 + 1")) == 2
    assert await asyncio.gather(RunPython(g={})("1"), RunPython(g={})("2")) == [1, 2]
    assert await asyncio.wait_for(RunPython(g={})("3"), 1) == 3
    with raises(asyncio.TimeoutError):
        await asyncio.wait_for(RunPython(g={})("import asyncio\nawait asyncio.sleep(5)"), 0.05)
    call = RunPython(g={})("1")
    await call
    with raises(RuntimeError):
        await call


def test_values_that_a_coroutine_could_mix_up():
    assert run("(1, 2)") == (1, 2)
    assert isinstance(run("StopIteration(3)"), StopIteration)
    assert run("ValueError") is ValueError


def test_errors_are_the_cells_own():
    with raises(ZeroDivisionError):
        run("1/0")
    with raises(SyntaxError):
        run("1 +")
    with raises(TypeError):
        run(5)


def test_c034_c035_c036_c038_denials():
    refuses("import os; os.system('ls')")
    refuses("import os; os.unlink('/foo/bar')")
    refuses("import subprocess; subprocess.run(['echo', 'hi'])")

    def raises_event():
        sys.audit("pyrun.testevent")

    refuses("f()", "pyrun.testevent", g={"f": raises_event})


def test_c050_to_c061_write_roots(tmp_path):
    inside = tmp_path / "inside"
    inside.mkdir()
    write = "from pathlib import Path; Path({!r}).write_text('hello')"
    assert run(write.format(str(inside / "a.txt")), ok_dests=[inside]) == 5
    refuses(write.format(str(tmp_path / "b.txt")), ok_dests=[inside])
    refuses(write.format(str(inside / "c.txt")))
    refuses(write.format("../escape.txt"), ok_dests=["."])
    assert run(write.format("dot.txt"), ok_dests=["."]) == 5
    assert run(write.format(str(tmp_path / "any.txt")), ok_dests=None) == 5
    assert len(run("open('/etc/passwd').read(10)")) == 10


def test_r12_two_runners_and_the_host_do_not_meet(tmp_path):
    async def main():
        strict, wide = RunPython(g={}), RunPython(g={}, ok_dests=[tmp_path])
        write = f"import asyncio\nawait asyncio.sleep(0.01)\nopen({str(tmp_path / 'x')!r}, 'w').write('x')"
        results = await asyncio.gather(strict(write), wide(write), return_exceptions=True)
        assert isinstance(results[0], PermissionError) and results[1] == 1
        (tmp_path / "host").write_text("the host writes what it likes")

    asyncio.run(main())


def test_cells_do_not_change_the_terminal_of_the_program():
    terminal = os.openpty()[1]
    before = termios.tcgetattr(terminal)
    for call in ("tcsetattr(fd, 0, [0, 0, 0, 0, 0, 0, [b''] * 32])", "tcflush(fd, 0)", "tcflow(fd, 0)", "tcsendbreak(fd, 0)"):
        refuses(f"import termios; fd = {terminal}; termios.{call}", "change a terminal")
    refuses(f"import tty; tty.setraw({terminal})", "change a terminal")
    assert termios.tcgetattr(terminal) == before


def test_advice_names_nothing_that_a_program_does_not_have():
    for code in ("import socket", "import safepyrun", "import importlib", "def f(): pass", "import os\nos.system('curl x')",
                 "import os\nos.system('ls')", "import urllib.request\nurllib.request.urlopen('http://x.y')", "import ctypes\nctypes.CDLL(None)",
                 "open('/etc/x', 'w')", "import os\nos.fork()", "exec('1')"):
        text = ""
        try:
            run(code)
        except PermissionError as error:
            text = str(error)
        assert text
        for words in ("policy file", "network.allow", "[setup]", "outside=True", "on_deny", "%guard"):
            assert words not in text, text


def test_a_refusal_that_a_library_swallowed_is_told_beside_its_error():
    with raises(OSError, "out of pty devices"):
        run("import pty\npty.fork()")
    try:
        run("import pty\npty.fork()")
    except OSError as error:
        assert error.__notes__[0].startswith("Before that, safepyrun refused to copy the process: "), error.__notes__
    try:
        run("import os\ntry:\n    os.unlink('/foo')\nexcept OSError:\n    1 / 0")
    except ZeroDivisionError as error:
        assert not hasattr(error, "__notes__")
    try:
        run("open('/nonexistent')")
    except OSError as error:
        assert not hasattr(error, "__notes__")


def test_the_folder_of_temporary_files_is_the_programs(tmp_path):
    code = """if 1:
        import asyncio, os, sys, tempfile
        from safepyrun import RunPython
        os.chdir(sys.argv[1])
        for roots in ([], ["."]):
            try:
                asyncio.run(RunPython(g={}, ok_dests=roots)("import tempfile\\ntempfile.NamedTemporaryFile()"))
            except PermissionError as error:
                assert "open for writing" in str(error), error
        assert tempfile.gettempdir() != sys.argv[1]"""
    done = subprocess.run([sys.executable, "-P", "-c", code, tmp_path], capture_output=True, text=True,
                          env={**os.environ, "PYTHONPATH": sys.path[1]})
    assert done.returncode == 0, done.stderr
