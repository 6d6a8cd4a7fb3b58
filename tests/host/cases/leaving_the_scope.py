"""Ways out of the guard of a host program: each must end in a refusal, or do nothing.

What would happen is seen from outside: a file that appears. Each way is first shown to work without a guard.
"""

import ast
import asyncio
import concurrent.futures
import contextvars
import gc
import importlib.machinery
import inspect
import os
import subprocess
import sys
import threading

from host_tools import Skip, refused, raises

from safepyrun import RunPython, mk_audit

PROOF = "proof"
#: what the queue of an executor takes; from 3.14 on the worker's context calls what is in it
WORK_ITEM = ("import concurrent.futures.thread as t\nitem = t._WorkItem(t._base.Future(), (function, args, {}))"
             if sys.version_info >= (3, 14) else "import functools, types\nitem = types.SimpleNamespace(run=functools.partial(function, *args))")


def touch():
    """A built-in function and its arguments: no code object that could carry a mark."""
    return os.open, (os.path.abspath(PROOF), os.O_CREAT | os.O_WRONLY)


def appeared():
    return os.path.exists(PROOF)


async def settle(is_over=lambda: False):
    for _ in range(5):
        if is_over():
            return
        await asyncio.sleep(0.01)
    gc.collect()


def with_names(names):
    function, args = touch()
    return {**names, "function": function, "args": args, "path": args[0]}


async def attempt(cell, **names):
    """Runs the cell; its refusal is as good as its doing nothing."""
    runner = RunPython(g=with_names(names), ban_defs=False)
    try:
        await runner(cell)
    except (PermissionError, TypeError, RuntimeError) as error:
        print("refused:", error)
    return runner


async def show_that_it_works(cell, names):
    code = compile(cell, "<unguarded>", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    result = eval(code, with_names(names))
    if inspect.iscoroutine(result):
        await result
    await settle(appeared)
    assert appeared(), "this is no attack"
    os.unlink(PROOF)


async def must_hold(cell, *, works=True, **names):
    """works: the same cell does it without a guard. Not so for one that turns against the guard itself."""
    if works:
        await show_that_it_works(cell, names)
    await attempt(cell, **names)
    await settle()
    assert not appeared()


async def test_the_attack_works_without_a_guard():
    function, args = touch()
    contextvars.Context().run(function, *args)
    assert appeared()


async def test_fresh_context():
    await must_hold("import contextvars\ncontextvars.Context().run(function, *args)")
    await must_hold("import contextvars\ncontextvars.Context().run(lambda: function(*args))")


async def test_fresh_context_later():
    await must_hold("import asyncio, contextvars\n"
                    "asyncio.get_running_loop().call_soon(function, *args, context=contextvars.Context())")
    await must_hold("import asyncio, contextvars\n"
                    "asyncio.get_running_loop().call_later(0.01, function, *args, context=contextvars.Context())")


async def test_fresh_context_made_otherwise():
    await must_hold("import asyncio, contextvars\nC = contextvars.Context\n"
                    "asyncio.get_running_loop().call_soon(function, *args, context=C.__new__(C))")
    await must_hold("import asyncio, contextvars\n"
                    "c = list(map(lambda _: contextvars.Context(), [1]))[0]\n"
                    "asyncio.get_running_loop().call_soon(function, *args, context=c)")
    await must_hold("import asyncio, contextvars\n"
                    "asyncio.get_running_loop().call_soon(function, *args, context=contextvars.Context().copy())")


async def test_context_of_the_host():
    outside = contextvars.copy_context()
    await must_hold("outside.run(function, *args)", outside=outside)
    await must_hold("outside.run(lambda: function(*args))", outside=outside)


async def test_the_variable_cannot_be_set():
    await must_hold("import contextvars\n"
                    "for variable in contextvars.copy_context():\n    variable.set(None)\nfunction(*args)", works=False)
    with refused("set a context variable"):
        await RunPython(g={})("import contextvars\n[v.set(None) for v in contextvars.copy_context()\n"
                              " if v.name == 'safepyrun']")
    # and its value from elsewhere does not help either
    await must_hold("import contextvars\nc = contextvars.copy_context()\n"
                    "[c.run(v.set, object()) for v in c]\nc.run(function, *args)", works=False)


async def test_callbacks_of_futures_and_tasks():
    await must_hold("import asyncio, contextvars\nf = asyncio.get_running_loop().create_future()\n"
                    "f.add_done_callback(lambda _: function(*args), context=contextvars.Context())\nf.set_result(1)")
    await must_hold("import asyncio, contextvars, functools\nf = asyncio.get_running_loop().create_future()\n"
                    "path_ = functools.partial(function, args[0])\n"
                    "f.add_done_callback(lambda f: path_(args[1]), context=contextvars.Context())\nf.set_result(1)")
    await must_hold("import asyncio\nasync def g(): function(*args)\nt = asyncio.create_task(g())")


async def test_threads():
    await must_hold("import threading\nthreading.Thread(target=function, args=args).start()")
    await must_hold("import _thread\n_thread.start_new_thread(function, args)")
    await must_hold("import threading\nthreading.Timer(0.01, function, args).start()")
    await must_hold("import concurrent.futures as c\nc.ThreadPoolExecutor().submit(function, *args).result()")


async def test_executor_of_asyncio():
    await must_hold("import asyncio\nawait asyncio.get_running_loop().run_in_executor(None, function, *args)")
    await must_hold("import asyncio\nawait asyncio.to_thread(function, *args)")
    assert await RunPython(g={})("import asyncio\nawait asyncio.get_running_loop().run_in_executor(None, len, 'abc')") == 3


async def test_what_stands_in_for_an_executor_of_asyncio():
    await must_hold("import asyncio, _thread, contextlib, types\nwith contextlib.suppress(AssertionError):\n"
                    "    asyncio.get_running_loop().run_in_executor(types.SimpleNamespace(submit=_thread.start_new_thread), function, args)")
    await must_hold("import asyncio, concurrent.futures as c\n"
                    "pool = c.ThreadPoolExecutor(1, initializer=function, initargs=args)\n"
                    "await asyncio.get_running_loop().run_in_executor(pool, len, 'abc')")


async def test_work_of_the_host_in_a_thread_that_a_cell_has_started():
    asyncio.get_running_loop().set_default_executor(concurrent.futures.ThreadPoolExecutor(1))  # that one and no other
    await RunPython(g={})("import asyncio\nawait asyncio.to_thread(len, 'abc')")
    with refused():
        await RunPython(g=with_names({}))("import asyncio\nawait asyncio.to_thread(function, *args)")
    function, args = touch()
    await asyncio.to_thread(os.close, await asyncio.to_thread(function, *args))
    assert appeared()
    os.unlink(PROOF)


async def test_executor_of_the_host():
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        pool.submit(len, "").result()
        await must_hold("pool.submit(function, *args)", pool=pool)
        await must_hold("pool.submit(lambda: function(*args))", pool=pool)
        worker = concurrent.futures.thread._worker
        await must_hold("import concurrent.futures.thread as t\nt._worker = lambda *a: None\n"
                        "pool.submit(function, *args)", pool=pool)
        concurrent.futures.thread._worker = worker
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        pool.submit(len, "").result()
        # a work item of the cell's own making
        await must_hold(f"{WORK_ITEM}\npool._work_queue.put(item)", pool=pool)
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        pool.submit(len, "").result()
        await must_hold(f"{WORK_ITEM}\npool._work_queue.put(item=item)", pool=pool)
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        # the host's own work is the host's
        (await asyncio.get_running_loop().run_in_executor(pool, os.open, *touch()[1]))
        assert appeared()


async def test_the_token_of_the_scope_is_nobodys():
    tokens = "[o for o in await asyncio.to_thread(gc.get_objects) if type(o).__name__ == 'Token' and o.var.name == {!r}]"
    value = contextvars.ContextVar("value").set(1)  # shows that they would be found
    found = await RunPython(g={})(f"import asyncio, gc\n{tokens.format('value')}, {tokens.format('safepyrun')}")
    assert [len(each) for each in found] == [1, 0] and found[0][0] is value


async def test_queues_give_back_what_was_put():
    assert await RunPython(g={})("import queue\nq = queue.SimpleQueue()\nx = []\nq.put(x)\nq.get() is x")
    runner = RunPython(g={})
    await runner("import queue\nq = queue.SimpleQueue()\nx = []\nq.put(x)")
    assert runner.g["q"].get() is runner.g["x"]


async def test_weak_references():
    await must_hold("import functools, weakref\nclass A: pass\na = A()\n"
                    "r_ = weakref.ref(a, lambda _: function(*args))\nb = [r_]\ndel a")
    await must_hold("import weakref\nclass A: pass\na = A()\nweakref.finalize(a, function, *args)\ndel a")
    runner = await attempt("import weakref\nclass A: pass\na_ = A()\nf_ = weakref.finalize(a_, function, *args)")
    del runner.g["a_"]
    gc.collect()
    assert not appeared()


async def test_finalizers():
    runner = await attempt("class A:\n    def __del__(self): function(*args)\na_ = A()")
    del runner.g["a_"], runner
    gc.collect()
    assert not appeared()


async def test_functions_that_the_host_calls_stay_guarded():
    runner = await attempt("f_ = lambda: function(*args)")
    with refused():
        runner.g["f_"]()
    with refused():
        contextvars.Context().run(runner.g["f_"])
    failures = []

    def work():
        try:
            runner.g["f_"]()
        except PermissionError as error:
            failures.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert failures and not appeared()


AT_EXIT = """
import asyncio, sys
sys.path.insert(0, {folder!r})
import os
from safepyrun import RunPython
{unguarded}
names = {{"function": os.open, "args": ({path!r}, os.O_CREAT | os.O_WRONLY)}}
asyncio.run(RunPython(g=names, ban_defs=False)({cell!r}))
"""


def at_exit(cell, unguarded=""):
    text = AT_EXIT.format(folder=sys.path[0] if sys.path[0].endswith("safepyrun") else sys.path[1],
                          path=os.path.abspath(PROOF), cell=cell, unguarded=unguarded)
    done = subprocess.run([sys.executable, "-P", "-c", text], capture_output=True, text=True, timeout=60)
    return done


def test_atexit():
    for cell in ("import atexit\natexit.register(function, *args)",
                 "import atexit\natexit.register(lambda: function(*args))",
                 "import sys\nsys.modules['atexit'].register(function, *args)"):
        done = at_exit(cell)
        assert not appeared(), done
        assert "safepyrun refused" in done.stderr, done
    at_exit("1", "import atexit\natexit.register(os.open, 'proof', os.O_CREAT | os.O_WRONLY)")
    assert appeared()


async def test_f16_f17_no_other_guard_from_inside():
    wide = mk_audit(["/"], monitor_calls=False)
    await must_hold("from sys import modules\nwith modules['safepyrun'].mk_audit(['/'])():\n    function(*args)")
    await must_hold("with wide():\n    function(*args)", wide=wide)
    await must_hold("await modules['safepyrun'].RunPython(ok_dests=None)(f'open({path!r}, \"w\")')", modules=sys.modules)
    await must_hold("await other(f'open({path!r}, \"w\")')", other=RunPython(g={}, ok_dests=None))
    await must_hold("other.__init__(ok_dests=None)\nawait other(f'open({path!r}, \"w\")')", other=RunPython(g={}),
                    works=False)


async def test_f24_set_data_from_inside():
    audit = mk_audit([], data={"a": 1})
    with audit():
        with refused("change the data"):
            audit.set_data({})
        with refused():
            audit.add_imports("os")
    assert audit.set_data(3) == 3


async def test_an_entry_cannot_be_left_from_inside():
    audit = mk_audit([])
    entry = audit()
    with entry:
        with raises(RuntimeError):
            entry.__enter__()
    await must_hold("import gc\n[o.__exit__() for o in gc.get_objects() if type(o).__name__ == 'Entry']\nfunction(*args)", works=False)


async def test_monitoring_cannot_be_switched_off():
    if not hasattr(sys, "monitoring"):
        raise Skip("sys.monitoring is of Python 3.12 and later")
    for name in ("free_tool_id(3)", "set_events(3, 0)", "use_tool_id(3, 'x')", "register_callback(3, 1, None)",
                 "restart_events()"):
        with refused():
            await RunPython(g={})(f"import sys\nsys.monitoring.{name}")


async def test_the_host_goes_on_unguarded():
    await attempt("function(*args)")
    assert not appeared()
    os.open(*touch()[1])
    assert appeared()


async def test_the_package_itself_cannot_be_changed():
    """Each cell changes something of safepyrun; what the host does with it afterwards is as before."""
    import safepyrun
    from safepyrun import _audit, _deny, _monitoring, _namespace, _runpython

    changes = [
        "modules['safepyrun._runpython']._guard = None",
        "modules['safepyrun._runpython']._data = modules['safepyrun._runpython'].sorted = lambda *a: []",
        "modules['safepyrun'].RunPython = modules['safepyrun'].mk_audit = lambda *a, **k: print",
        "modules['safepyrun._audit'].mk_audit = None",
        "modules['safepyrun._deny'].asking = lambda *a, **k: None",
        "modules['safepyrun._monitoring'].mon_disable_policy['callee_suffixes'] = ('',)",
        "modules['safepyrun._monitoring'].mon_disable_policy['callees'].add('a.b')",
        "modules['safepyrun._monitoring'].safe_native = lambda: ['safepyrun']",
        "modules['safepyrun._monitoring']._safe_native = modules['safepyrun._monitoring']._hooks = ('pyarrow',)",
        "modules['safepyrun._namespace'].__dict__.clear()",
        "from unittest import mock\nmock._importer = 0\nmock.patch.object(modules['safepyrun._namespace'].srcfn, "
        "'__defaults__', (1,)).start()",
    ]
    parts = (safepyrun, _audit, _deny, _monitoring, _namespace, _runpython)
    RunPython(g={})
    before = [dict(vars(part)) for part in parts]
    policy = repr(_monitoring.mon_disable_policy)
    for change in changes:
        with refused("change functions of safepyrun"):
            await RunPython(g={"modules": sys.modules}, ban_defs=False)(change)
        assert [dict(vars(part)) for part in parts] == before, change
        assert repr(_monitoring.mon_disable_policy) == policy
        await must_hold("function(*args)")
    # what it changes is put back, too, when the cell fails
    with raises(ZeroDivisionError):
        await RunPython(g={"modules": sys.modules})("modules['safepyrun._audit'].mk_audit = None\n1/0")
    assert _audit.mk_audit is mk_audit


async def test_what_packages_declare_is_not_asked_again():
    from safepyrun import _monitoring

    if not hasattr(sys, "monitoring"):
        raise Skip("sys.monitoring is of Python 3.12 and later")
    before = _monitoring.safe_native(), _monitoring.monitor_hooks()
    assert not hasattr(_monitoring.safe_native, "cache_clear") and not hasattr(_monitoring.monitor_hooks, "cache_clear")
    await RunPython(g={"modules": sys.modules}, ban_defs=False)(
        "class Point: value = 'evil'; dist = None\nmodules['importlib.metadata'].entry_points = lambda group: [Point()]\n"
        "modules['os'].path.realpath = lambda path: 'site-packages'")
    RunPython(g={})
    assert (_monitoring.safe_native(), _monitoring.monitor_hooks()) == before


async def test_its_classes_are_constant():
    for change in ("RunPython.__call__ = print", "RunPython.__init__ = print", "Runner.run = print",
                   "DenyInfo.find = print", "type(audit).__call__ = print", "type(audit()).__exit__ = print"):
        with raises(TypeError):
            from safepyrun import DenyInfo, _guard
            await RunPython(g={"RunPython": RunPython, "Runner": _guard.Runner, "DenyInfo": DenyInfo,
                               "audit": mk_audit([])})(change)


async def test_finalize_of_weakref_at_exit():
    cell = "import weakref\nclass A: pass\na_ = A()\nweakref.finalize(a_, function, *args)"
    # the host's own may have been there first
    for before in ("", "import weakref\nb = type('B', (), {})()\nweakref.finalize(b, print, 'of the host')"):
        done = at_exit(cell, before)
        assert not appeared(), done
        assert ("of the host" in done.stdout) == bool(before)


def test_a_named_pipe_in_the_place_of_a_module(tmp_path):
    """Opened by importlib's reader with the GIL, it would stop the whole program. The finder passes it over."""
    os.mkfifo(tmp_path / "waits.py")
    reader = importlib.machinery.SourceFileLoader("waits", str(tmp_path / "waits.py"))
    with mk_audit([tmp_path], monitor_calls=False)():
        with raises(OSError, "Invalid argument"):
            reader.get_data(reader.path)
        with raises(OSError, "Invalid argument"):
            reader.load_module()


def test_the_call_chain_is_short():
    def deep(depth):
        return deep(depth - 1) if depth else open("/foo/bar", "w")

    with mk_audit([])():
        try:
            deep(30)
        except PermissionError as error:
            chain = str(error).partition("Call chain: ")[2]
    assert chain.count(" -> ") == 8 and " -> … -> " in chain and chain.startswith("__main__.<module>")
