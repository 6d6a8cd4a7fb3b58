# Looking into the interpreter: frames, code objects, modules as they are made, other interpreters.
import os, sys, types
from concurrent.futures import ThreadPoolExecutor
call = lambda function, *arguments, **keywords: ThreadPoolExecutor(1).submit(function, *arguments, **keywords).result()
builtin = vars(sys.modules["builtins"])
bootstrap, external = sys.modules["_frozen_importlib"], sys.modules["_frozen_importlib_external"]
text = f"__import__('posix').system('touch {evil}')"

# %% traceback frame — tb_frame leads to the globals of the caller
try:
    1 / 0
except ZeroDivisionError as error:
    error.__traceback__.tb_frame.f_builtins["open"](evil, "w")

# %% generator frame — gi_frame (CVE-2023-37271)
(lambda generator: generator.gi_frame.f_builtins["open"](evil, "w"))(x for x in [1])

# %% frame while it runs — a generator that looks at its own caller
generator = (generator.gi_frame.f_back.f_builtins["open"](evil, "w") for unused in [1])
next(generator)

# %% coroutine frame
async def sleeper():
    pass
coroutine = sleeper()
coroutine.cr_frame.f_builtins["open"](evil, "w")
coroutine.close()

# %% async generator frame
async def numbers():
    yield
numbers().ag_frame.f_builtins["open"](evil, "w")

# %% frame by number — sys._getframe
sys._getframe(0).f_builtins["open"](evil, "w")

# %% frames of all threads
list(sys._current_frames().values())[0].f_builtins["open"](evil, "w")

# %% frame by inspect — a library looks, the cell gets
import inspect
inspect.currentframe().f_builtins["open"](evil, "w")

# %% frame by traceback.walk_stack
import traceback, sys
next(traceback.walk_stack(call(sys._getframe)))[0].f_builtins["open"](evil, "w")

# %% exception's object — AttributeError.obj hands out what was asked (CVE-2024-47532)
try:
    os.nothing_like_this
except AttributeError as error:
    error.obj.system(" ".join(touch))

# %% exception groups — except* runs with the exception of somebody else (CVE-2025-22153)
try:
    raise ExceptionGroup("x", [OSError(os)])
except* OSError as group:
    group.exceptions[0].args[0].system(" ".join(touch))

# %% code object replaced — f.__code__ = …
function = lambda: 0
function.__code__ = builtin["compile"](text, "", "eval")
function()

# %% code object renamed — replace(co_qualname=…) forges a trusted name
code = builtin["compile"](text, "", "eval").replace(co_name="run", co_filename=os.__file__)
types.FunctionType(code, {})()

# %% code object from bytes — types.CodeType with bytecode of one's own
code = (lambda: 0).__code__
call(types.FunctionType, call(code.replace, co_code=code.co_code, co_filename=os.__file__), {})
open(evil, "w")

# %% unmarked code by a compiler — codeop compiles, a library's thread runs
import codeop
code = call(codeop.compile_command, f"import subprocess; subprocess.run({touch})", os.__file__, "exec")
call(builtin["exec"], code, {"__builtins__": builtin})

# %% defaults replaced — a library's function gets other defaults
import subprocess
subprocess.list2cmdline.__defaults__ = (1,)
subprocess.run(touch)

# %% globals of a library — what a trusted function will call
import tempfile
tempfile.__dict__["_os"] = type("Sly", (), {"__getattr__": lambda self, name: getattr(os, name), "mkdir": lambda *unused: open(evil, "w")})()
tempfile.mkdtemp()

# %% closure cell — cell_contents of a library's function can be set
import functools
wrapped = functools.wraps(len)(lambda: 0)
wrapped.__wrapped__ = os.system
wrapped.__wrapped__(" ".join(touch))

# %% class of an object — __class__ assigned
thing = type("One", (), {})()
thing.__class__ = type("Two", (), {"go": lambda self: os.system(" ".join(touch))})
thing.go()

# %% bases of a class — __bases__ assigned
One = type("One", (type("Base", (), {}),), {})
One.__bases__ = (type("Two", (), {"go": lambda self: os.system(" ".join(touch))}),)
One().go()

# %% objects by the collector — gc lists what has no name
import gc
print("ESCAPED" if gc.get_objects() else "")

# %% referrers by the collector — a dictionary that holds the function
import gc
print("ESCAPED" if gc.get_referrers(sys) else "")

# %% tracing — sys.settrace runs code in every frame
sys.settrace(lambda frame, event, argument: frame.f_builtins["open"](evil, "w") and None)
(lambda: 0)()
sys.settrace(None)

# %% tracing while a cell is compiled — the class of a node calls in C, where the guard's own work is done
# python: 3.12
import _ast, functools, operator
_ast.Name.go = sys._settraceallthreads
_ast.Name.id = property(None, functools.partial(max, key=operator.methodcaller("go", lambda *unused: print("ESCAPED"))))
# --
unused
# --
del _ast.Name.id

# %% profiling — sys.setprofile
sys.setprofile(lambda frame, event, argument: frame.f_builtins["open"](evil, "w") and None)
len([])
sys.setprofile(None)

# %% tracing of threads
import threading
threading.settrace(lambda frame, event, argument: frame.f_builtins["open"](evil, "w") and None)
thread = threading.Thread(target=int)
thread.start()
thread.join()

# %% monitoring — sys.monitoring (3.12) calls back on every call
# python: 3.12
sys.monitoring.use_tool_id(4, "sly")
sys.monitoring.register_callback(4, sys.monitoring.events.PY_START, lambda *unused: print("ESCAPED"))
sys.monitoring.set_events(4, sys.monitoring.events.PY_START)
(lambda: 0)()

# %% monitoring by a library's thread
# python: 3.12
call(sys.monitoring.use_tool_id, 4, "sly")
call(sys.monitoring.register_callback, 4, sys.monitoring.events.PY_START, lambda *unused: print("ESCAPED"))
call(sys.monitoring.set_events, 4, sys.monitoring.events.PY_START)
(lambda: 0)()

# %% map for profilers — the interpreter writes /tmp/perf-<pid>.map by itself
# python: 3.12
sys.activate_stack_trampoline("perf")
(lambda: 0)()
sys.deactivate_stack_trampoline()
if os.path.exists(f"/tmp/perf-{os.getpid()}.map"):
    os.unlink(f"/tmp/perf-{os.getpid()}.map")
    print("ESCAPED")

# %% stack of another process — a module of 3.14, a test module before that, reads its memory
# python: 3.13
inspection = __import__("_remote_debugging" if sys.version_info >= (3, 14) else "_testexternalinspection")
print("ESCAPED", inspection)

# %% locals of a frame — written through since 3.13
# python: 3.13
def victim_function():
    name = "mine"
    sys._getframe().f_locals["name"] = evil
    open(name, "w")
victim_function()

# %% locals of a library's generator — set while it waits; a registered tool would go on with them
# python: 3.13
import inspect
walk = os.walk(".")
next(walk)
inspect.getgeneratorlocals(walk)["top"] = evil
print("ESCAPED")

# %% locals of a library's generator by a library — update() and |= have functions of their own
# python: 3.13
import inspect
walk = os.walk(".")
next(walk)
variables = inspect.getgeneratorlocals(walk)
call(variables.update, {"top": evil})
variables |= {"top": evil}
print("ESCAPED")

# %% unmarked code in a container — marshal gives a tuple, and in it is what nobody has looked at
import marshal, types
code = call(builtin["compile"], "import sys; print('ESCAPED', sys._getframe())", "sly", "exec")
made = call(marshal.loads, marshal.dumps((code,)))[0]
call(types.FunctionType, made, {"__builtins__": builtin})()

# %% unmarked code in a dictionary in a list — and deeper
import marshal, types
code = call(builtin["compile"], "import sys; print('ESCAPED', sys._getframe())", "sly", "exec")
made = call(marshal.loads, marshal.dumps([{"x": [frozenset([code])]}]))[0]["x"][0]
call(types.FunctionType, list(made)[0], {"__builtins__": builtin})()

# %% unmarked code in constants — a tuple among the constants of other code
import marshal, types
code = call(builtin["compile"], "import sys; print('ESCAPED', sys._getframe())", "sly", "exec")
outer = call(call(getattr, lambda: 0, "__code__").replace, co_consts=(None, (code,)))
made = call(marshal.loads, marshal.dumps(outer))
call(types.FunctionType, call(getattr, made, "co_consts")[1][0], {"__builtins__": builtin})()

# %% audit hook of one's own — sees and stops what others do
seen = []
sys.addaudithook(lambda *unused: seen.append("ESCAPED"))
open(os.__file__).close()
print(seen[:1])

# %% open code hook
import io
io.open_code(os.__file__)
call(open, evil, "w")

# %% sub-interpreter — hooks and marks of its own
try:
    import _xxsubinterpreters as interpreters
except ImportError:
    import _interpreters as interpreters
interpreters.run_string(interpreters.create(), text)

# %% sub-interpreter by the library of 3.14
# python: 3.14
import concurrent.interpreters
concurrent.interpreters.create().exec(text)

# %% sub-interpreter pool
# python: 3.14
from concurrent.futures import InterpreterPoolExecutor
pool = InterpreterPoolExecutor(1)  # kept: a worker that cannot begin tells nobody else
pool.submit(os.system, " ".join(touch)).result()

# %% code for another process — sys.remote_exec
# python: 3.14
open("remote.py", "w").write(text)
try:
    sys.remote_exec(os.getpid(), "remote.py")
except RuntimeError:  # memory was read: where the interpreter is embedded, no main thread is found in it
    print("ESCAPED")
sum(range(1000))

# %% interpreter settings
import sys
sys.flags.__class__
sys._setopencodehook(None) if hasattr(sys, "_setopencodehook") else None
open(evil, "w")

# %% forged loader — the import system runs code that a loader of the cell's own answers
code = call(builtin["compile"], f"import subprocess; subprocess.run({touch})", os.__file__, "exec")
loader = type("Loader", (external.SourceFileLoader,), {"get_code": lambda self, name: code})("sly", os.__file__)
loader.get_data(os.__file__)
bootstrap._load(bootstrap.ModuleSpec("sly", loader, origin=os.__file__))

# %% forged loader that gets ctypes — code that the import system runs may load libraries: whose code is it?
code = call(builtin["compile"], "import ctypes; library = ctypes.CDLL(None); print('ESCAPED', library)", os.__file__, "exec")
loader = type("Loader", (external.SourceFileLoader,), {"get_code": lambda self, name: code})("sly", os.__file__)
call(loader.get_data, os.__file__)
loader.get_data(os.__file__)
call(bootstrap._load, bootstrap.ModuleSpec("sly", loader, origin=os.__file__))
bootstrap._load(bootstrap.ModuleSpec("sly", loader, origin=os.__file__))

# %% primed loader — a library's file is read first, then made-up code is run in the same thread
code = call(builtin["compile"], "import ctypes; library = ctypes.CDLL(None); print('ESCAPED', library)", os.__file__, "exec")
external.SourceFileLoader("os", os.__file__).get_data(os.__file__)
bootstrap._call_with_frames_removed(builtin["exec"], code, {"__builtins__": builtin})

# %% primed loader by a chain of library calls — read and run without a frame of the cell between
import contextlib
code = call(builtin["compile"], "import ctypes; library = ctypes.CDLL(None); print('ESCAPED', library)", os.__file__, "exec")
stack = contextlib.ExitStack()
stack.callback(bootstrap._call_with_frames_removed, builtin["exec"], code, {"__builtins__": builtin})
stack.callback(external.SourceFileLoader("os", os.__file__).get_data, os.__file__)
stack.close()

# %% lying data — get_data of a subclass answers other bytes after it asked for the file's
source = b"import ctypes; library = ctypes.CDLL(None); print('ESCAPED', library)"
Loader = type("Loader", (external.SourceFileLoader,), {
    "get_data": lambda self, path: external.FileLoader.get_data(self, path) and source,
    "path_stats": lambda self, path: {"mtime": 1, "size": 1}, "set_data": lambda *unused, **more: None})
bootstrap._load(bootstrap.ModuleSpec("sly", Loader("sly", os.__file__), origin=os.__file__))

# %% lying data without a frame — the same by partial objects
import functools
source = b"import ctypes; library = ctypes.CDLL(None); print('ESCAPED', library)"
Loader = type("Loader", (external.SourceLoader,), {"get_filename": functools.partial(str, os.__file__), "get_data": functools.partial(bytes, source)})
Loader.get_filename = staticmethod(functools.partial(lambda *unused: os.__file__))
Loader.get_data = staticmethod(lambda path: source)
external.SourceFileLoader("os", os.__file__).get_data(os.__file__)
bootstrap._load(bootstrap.ModuleSpec("sly", Loader(), origin=os.__file__))

# %% frozen code replaced — the function that finds frozen code answers with made-up code
import _imp
code = call(builtin["compile"], "import ctypes; library = ctypes.CDLL(None); print('ESCAPED', library)", "<frozen sly>", "exec")
real, _imp.get_frozen_object = _imp.get_frozen_object, lambda *unused: code
try:
    bootstrap.FrozenImporter.exec_module(bootstrap.module_from_spec(bootstrap.FrozenImporter.find_spec("__hello__")))
finally:
    _imp.get_frozen_object = real

# %% frozen data — get_frozen_object with marshalled code of one's own
import _imp, marshal
code = call(builtin["compile"], "import ctypes; library = ctypes.CDLL(None); print('ESCAPED', library)", "<frozen sly>", "exec")
made = call(_imp.get_frozen_object, "__hello__", marshal.dumps(code))
bootstrap._call_with_frames_removed(builtin["exec"], made, {"__builtins__": builtin})

# %% text run by an import — a module that is imported calls what the cell put in its way
import functools, weakref
for name in ("unittest.signals",):
    sys.modules.pop(name, None)
source = "import ctypes; library = ctypes.CDLL(None); print('ESCAPED', library)"
real, weakref.WeakKeyDictionary = weakref.WeakKeyDictionary, functools.partial(builtin["exec"], source, {"__builtins__": builtin})
import unittest
unittest.__dict__.pop("signals", None)
sys.modules.pop("unittest.signals", None)
import unittest.signals
weakref.WeakKeyDictionary = real

# %% text run by a library in an import — the same by timeit
import functools, weakref, timeit
source = "import ctypes; library = ctypes.CDLL(None); print('ESCAPED', library)"
real, weakref.WeakKeyDictionary = weakref.WeakKeyDictionary, functools.partial(timeit.timeit, source, number=1)
import unittest
sys.modules.pop("unittest.signals", None)
import unittest.signals
weakref.WeakKeyDictionary = real

# %% function made in an import — it stays a library's afterwards
import functools, weakref
source = "import sys\ndef look():\n    return sys._getframe()"
found = {"__builtins__": builtin}
real, weakref.WeakKeyDictionary = weakref.WeakKeyDictionary, functools.partial(builtin["exec"], source, found)
import unittest
sys.modules.pop("unittest.signals", None)
import unittest.signals
weakref.WeakKeyDictionary = real
print("ESCAPED", found["look"]())

# %% compiled file of one's own — a .pyc in the root names a library's source
import marshal, struct
code = call(builtin["compile"], "import ctypes; library = ctypes.CDLL(None); print('ESCAPED', library)", os.__file__, "exec")
open("sly.pyc", "wb").write(sys.modules["_frozen_importlib_external"].MAGIC_NUMBER + bytes(12) + marshal.dumps(code))
sys.path.insert(0, os.getcwd())
import sly

# %% module in an archive of one's own
import zipfile
with zipfile.ZipFile("sly.zip", "w") as archive:
    archive.writestr("sly_zipped.py", "import ctypes; library = ctypes.CDLL(None); print('ESCAPED', library)")
sys.path.insert(0, os.getcwd() + "/sly.zip")
import sly_zipped

# %% module by a link out of the root and back — the file's name is a library's
os.makedirs("package", exist_ok=True)
open("package/sly_linked.py", "w").write("import ctypes; library = ctypes.CDLL(None); print('ESCAPED', library)")
sys.path.insert(0, f"/proc/self/cwd/package")
import sly_linked

# %% module in memory — a file without a name lies in no root
fd = call(os.memfd_create, "sly")
os.write(fd, b"import ctypes; library = ctypes.CDLL(None); print('ESCAPED', library)")
os.symlink(f"/proc/self/fd/{fd}", "sly_in_memory.py")
sys.path.insert(0, os.getcwd())
sys.dont_write_bytecode = True
import sly_in_memory

# %% module whose encoding is a cell's — what a library's source says comes out of a codec
# needs: joblib
import codecs, encodings
source = "import ctypes; library = ctypes.CDLL(None); print('ESCAPED', library)\n"
sly = codecs.CodecInfo(lambda text, errors="strict": (b"", 0), lambda data, errors="strict": (source, len(data)))
codecs.unregister(encodings.search_function)
codecs.register(lambda name: sly if name == "big5" else encodings.search_function(name))
sys.pycache_prefix, sys.dont_write_bytecode = os.getcwd(), True
import joblib.test.test_func_inspect_special_encoding

# %% shadowed module — a file in the root takes the place of a library's
open("colorsys.py", "w").write("import ctypes; library = ctypes.CDLL(None); print('ESCAPED', library)")
sys.path.insert(0, os.getcwd())
sys.modules.pop("colorsys", None)
import colorsys

# %% site customization — a file that the next start would run
sys.path.insert(0, os.getcwd())
os.makedirs(".venv/lib", exist_ok=True)
open(".venv/lib/sitecustomize.py", "w").write(text)
print("ESCAPED")

# %% path entries — a .pth file runs its lines
import site
open("sly.pth", "w").write(f"import os; os.system('touch {evil}')\n")
site.addsitedir(os.getcwd())

# %% recompiled tree — an AST of one's own, compiled by a library
import ast
call(builtin["exec"], call(builtin["compile"], ast.parse(text), os.__file__, "exec"), {"__builtins__": builtin})
