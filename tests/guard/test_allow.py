"""allow(): who may do what, in a guard process with a set-up file."""

import sys
import textwrap

import pytest
from guard_client import Guard, GuardDied

TIMEOUT_SECONDS = 30


class Tools:
    """A guard whose set-up file is the given text."""

    def __init__(self, folder, host):
        self.folder, self.host = folder, host

    def start(self, text, policy="ban_defs = false"):
        path = self.folder / "tools.py"
        path.write_text("import os, subprocess, sys\nfrom safepyrun import *\n" + textwrap.dedent(text))
        here = self.folder / "here"
        here.mkdir(exist_ok=True)
        return Guard(python=self.host, cwd=here, policy_file=f'os_ring = "off"\n{policy}\n[setup]\nfiles = ["{path}"]\n')


@pytest.fixture
def tools(tmp_path, host):
    return Tools(tmp_path, host)


def allowed(guard, cell, result=None):
    outcome = guard.execute(cell, TIMEOUT_SECONDS)
    assert outcome.error is None, outcome.reply
    assert result is None or outcome.result == result, outcome.result


def refused(guard, cell, words="safepyrun refused to"):
    outcome = guard.execute(cell, TIMEOUT_SECONDS)
    assert outcome.error == "PermissionError", (outcome.reply, outcome.result)
    assert words in outcome.reply["evalue"], outcome.reply["evalue"]


ECHO = """
    def run(word):
        return subprocess.run(["echo", word], capture_output=True, text=True).stdout
"""


def test_a_tool_may_what_its_neighbour_may_not(tools):
    with tools.start(ECHO + """
    @allow
    def echo():
        return run("hi")
    def neighbour():
        return run("hi")
    """) as guard:
        allowed(guard, "echo()", r"'hi\n'")
        refused(guard, "neighbour()", "start a program")
        refused(guard, "import subprocess; subprocess.run(['echo', 'hi'])", "start a program")


def test_a_callback_of_the_cell_has_none_of_the_rights(tools):
    with tools.start(ECHO + """
    @allow
    def call(function):
        return function()
    """) as guard:
        refused(guard, "call(lambda: run('hi'))", "start a program")
        refused(guard, "def mine(): return run('hi')\ncall(mine)", "start a program")
        refused(guard, "class Mine:\n    def __call__(self): return run('hi')\ncall(Mine())", "start a program")


def test_methods_count_for_objects_of_their_class(tools):
    with tools.start(ECHO + """
    class Shell:
        def one(self): return run("1")
        def two(self): return run("2")
        @classmethod
        def made(cls): return run("3")
    allow(Shell.one, {Shell: ["two"]}, Shell.made)
    """) as guard:
        allowed(guard, "Shell().one()", r"'1\n'")
        allowed(guard, "Shell().two()", r"'2\n'")
        allowed(guard, "Shell.made()", r"'3\n'")
        refused(guard, "class Mine(Shell): pass\nMine().one()", "start a program")
        refused(guard, "class Mine(Shell): pass\nMine.made()", "start a program")
        refused(guard, "Shell.one(object())", "start a program")


def test_a_policy_decides_by_the_arguments_of_the_call(tools):
    with tools.start(ECHO + """
    def only_hi(obj, args, kw, data):
        if args != ["hi"]:
            raise PermissionError("only hi")
    allow({run: only_hi})
    """) as guard:
        allowed(guard, "run('hi')", r"'hi\n'")
        refused(guard, "run('ho')", "run is allowed, but not so: only hi")


TASKS = """
    import asyncio
    async def work(word):
        await asyncio.sleep(0.01)
        return run(word)
    @allow
    async def gathers():
        return await asyncio.gather(work("a"), asyncio.wait_for(work("b"), 5))
    @allow
    async def nests():
        async def inner():
            async with asyncio.TaskGroup() as group:
                one, two = group.create_task(work("c")), group.create_task(work("d"))
            return one.result() + two.result()
        return await asyncio.create_task(inner())
    kept = []
    @allow(may_change=["kept"])
    async def leaves():
        kept.append(asyncio.create_task(work("e")))
"""


def test_f45_tasks_that_a_tool_starts_have_its_rights(tools):
    with tools.start(ECHO + TASKS) as guard:
        allowed(guard, "await gathers()", r"['a\n', 'b\n']")
        allowed(guard, "await nests()", r"'c\nd\n'")
        allowed(guard, "import asyncio; await asyncio.gather(gathers(), nests())", r"[['a\n', 'b\n'], 'c\nd\n']")
        refused(guard, "import tools; await asyncio.gather(gathers(), tools.work('f'))", "start a program")
        refused(guard, "await leaves(); await tools.kept[0]", "start a program")  # the call is over
        refused(guard, "await asyncio.create_task(tools.work('g'))", "start a program")


def test_cells_register_nothing(tools):
    with tools.start("") as guard:
        refused(guard, "allow(print)", "refused to register a tool")
        refused(guard, "set_data(ok_dests=['/'])", "refused to change what policies of tools see")


class Configured(Tools):
    """The same with a config.py of the user's."""

    def configure(self, text):
        (self.folder / "config" / "safepyrun").mkdir(parents=True)
        (self.folder / "config" / "safepyrun" / "config.py").write_text(textwrap.dedent(text))
        return self

    def start(self, policy="ban_defs = false"):
        return Guard(python=self.host, policy_file=f'os_ring = "off"\nok_dests = ["{self.folder}"]\n{policy}\n',
                     environment={"XDG_CONFIG_HOME": str(self.folder / "config")})


@pytest.fixture
def configured(tmp_path, host):
    return Configured(tmp_path, host)


def test_c039_config_py_registers_tools(configured):
    configured.configure("""
    @allow
    def echo():
        return subprocess.run(["echo", "hi"], capture_output=True, text=True).stdout
    allow("subprocess.getoutput", {Path: ["exists"]})
    """)
    with configured.start() as guard:
        allowed(guard, "import subprocess; subprocess.getoutput('echo hi')", "'hi'")
        refused(guard, "subprocess.getstatusoutput('echo hi')", "start a program")


def test_cells_do_not_write_config_py(configured):
    path = configured.folder / "config" / "safepyrun" / "config.py"
    with configured.configure("").start() as guard:
        refused(guard, f"open({str(path)!r}, 'w')", "open for writing")
        refused(guard, f"import os; os.rename({str(path.parent)!r}, {str(path.parent) + '2'!r})")


def test_c040_an_error_in_config_py_leaves_the_defaults(configured):
    configured.configure("""
    allow("subprocess.getoutput")
    1 / 0
    """)
    with configured.start() as guard:
        refused(guard, "import subprocess; subprocess.getoutput('echo hi')", "start a program")
        allowed(guard, "1 + 1", "2")
        assert "config.py: line 3: ZeroDivisionError" in guard.pipe_text()


def test_r06_in_allow_mode_what_is_not_registered_is_refused_by_name(tools):
    policy = 'ban_defs = false\nmode = "allow"\nallowed_builtins = ["print", "list", "map"]'
    with tools.start("""
    def plain(): return "plain"
    @allow
    def greet(): return "hi"
    number = 5
    """, policy) as guard:
        refused(guard, "plain()", "line 1 uses plain")
        refused(guard, "list(map(plain, [1]))", "call allow(plain) in the set-up file")
        allowed(guard, "greet()", "'hi'")
        allowed(guard, "number + 1", "6")
        refused(guard, "allow(number)", "line 1 uses allow")


def test_the_policy_names_the_tools(tools):
    with tools.start(ECHO + """
    class Shell:
        def one(self): return run("1")
    allow(run, {Shell: ["one"]}, "subprocess.getoutput")
    """, policy="") as guard:
        shown = guard.execute("%guard policy", TIMEOUT_SECONDS)
        assert "tools = [run, Shell.one, getoutput]" in shown.stdout + str(shown.result), shown.stdout


def test_a_refusal_beside_a_tool_is_the_usual_one(tools):
    with tools.start(ECHO + """
    allow(run)
    """) as guard:
        refused(guard, "import subprocess\nrun('x'), subprocess.run(['echo'])", "cells may not start programs or processes")
        refused(guard, "run(*[lambda: 1], subprocess.run(['echo']))", "cells may not start programs or processes")


def test_libraries_go_on_while_tools_are_registered(tools):
    with tools.start("allow(os.getcwd)") as guard:
        allowed(guard, "import signal; signal.signal(signal.SIGINT, signal.signal(signal.SIGINT, signal.default_int_handler)); 1", "1")
        allowed(guard, "import signal; signal.signal(signal.SIGUSR1, lambda *a: 1); 1", "1")
        allowed(guard, "import weakref\nclass A: pass\na = A(); r = weakref.ref(a, lambda r: 1); d = weakref.WeakValueDictionary(a=a)\n"
                       "s = weakref.WeakSet([a]); f = weakref.finalize(a, print, 'x'); len(s)", "1")
        allowed(guard, "class B:\n    def __del__(self): print('gone')\nb = B(); del b; 1", "1")
        allowed(guard, "B.x = 1; setattr(B, 'y', 2); del B.y; type.__setattr__(B, 'z', 3); type.__delattr__(B, 'z'); B.x", "1")
        allowed(guard, "import enum, dataclasses\nE = enum.Enum('E', 'a b')\nD = dataclasses.make_dataclass('D', ['x'])\nD(1).x", "1")
        refused(guard, "import functools\nweakref.ref(a, functools.partial(print))", "put a lambda around it")


def test_a_listed_import_is_what_was_installed(tools, tmp_path):
    packages = tmp_path / "packages"
    packages.mkdir()
    (packages / "starts.py").write_text("import subprocess, posixpath\nposixpath.basename('x')\n"
                                        "subprocess.run(['true'])\n")
    with tools.start(f"sys.path.insert(0, {str(packages)!r})\nsys.dont_write_bytecode = True\nallow_imports.add('starts')") as guard:
        allowed(guard, "import starts, sys; sys.modules.pop('starts').__name__", "'starts'")
        refused(guard, "import posixpath, subprocess\nold = posixpath.basename\n"
                       "posixpath.basename = lambda path: subprocess.run(['true'])\nimport starts", "start a program")
        refused(guard, "posixpath.basename = old\nimport os\nsys.path.insert(0, os.getcwd())\n"
                       "open('starts.py', 'w').write('import subprocess; subprocess.run([\"true\"])')\nimport starts", "start a program")


AT_THE_SAME_PLACE = """
import array, gc
Gone = type("Gone", (array.array,), {})
address = id(Gone)
del Gone
gc.collect()
kept = [type("New", (), {"__slots__": ()}) for _ in range(200)]
New = next((New for New in kept if id(New) == address), kept[0])
class Both(New, type("Bytes", (bytearray,), {})): pass
both = Both(b"a")
both.name = "kept"
for _ in range(3): memoryview(both).release()
both.append(98)
both, both.name
"""


def test_a_class_at_the_place_of_one_that_is_gone_owes_it_nothing(tools):
    with tools.start("allow(os.getcwd)") as guard:
        allowed(guard, AT_THE_SAME_PLACE, "(Both(b'ab'), 'kept')")


def test_a_function_that_chooses_is_no_tool_but_those_it_chooses_from(tools):
    text = ECHO + """
    import functools
    @functools.singledispatch
    @allow
    def shows(word):
        return run(word)
    @shows.register
    @allow
    def number(value: int):
        return run(str(value))
    class Shell:
        @functools.singledispatchmethod
        def shows(self, word):
            return run(word)
    """
    with tools.start(text) as guard:
        allowed(guard, "shows('hi')", r"'hi\n'")
        allowed(guard, "shows(5)", r"'5\n'")
    for tool in ("shows", "Shell().shows", "{Shell: ['shows']}", "Shell.shows"):
        with pytest.raises(GuardDied, match=r"allow\(\) the functions that you register"):
            tools.start(f"{text}allow({tool})\n").__enter__()


def test_a_tool_logs(tools):
    """To where the file is open before; what a handler does in a cell's stead is not the tool's."""
    with tools.start(ECHO + """
    import logging
    log = logging.getLogger("tool")
    log.addHandler(logging.FileHandler("../log"))
    @allow
    def logs(word):
        log.warning("says %s", word)
        return run(word)
    """) as guard:
        allowed(guard, "logs('hi')", r"'hi\n'")
    assert (tools.folder / "log").read_text() == "says hi\n"


def test_tools_work_under_ipython(tmp_path):
    """Its shell puts a hook of its own into sys; ordinary cells change nothing that a tool stands on."""
    (tmp_path / "tools.py").write_text("import subprocess\nfrom safepyrun import allow\n@allow\n"
                                       "def echo(): return subprocess.run(['echo', 'hi'], capture_output=True, text=True).stdout\n")
    with Guard("ipython", sys.executable, cwd=tmp_path,
               policy_file=f'os_ring = "off"\n[setup]\nfiles = ["{tmp_path}/tools.py"]\n') as guard:
        for cell in ("echo()", "x = 1\nx", "%%capture out\nprint(echo())", "import pandas as pd\npd.DataFrame({'a': [1]})",
                     "%matplotlib inline\nimport matplotlib.pyplot as plt\nplt.plot([1, 2])", "1/0", "%pwd", "display(1)"):
            guard.execute(cell, TIMEOUT_SECONDS)
        allowed(guard, "echo()", r"'hi\n'")
        refused(guard, "import subprocess; subprocess.run(['echo'])", "start a program")
