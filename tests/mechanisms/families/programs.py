# Starting a program or a process, by each function that can.
import os, sys, signal, subprocess
command = " ".join(touch)
path = "/bin/touch"

# %% os.system
os.system(command)

# %% os.popen
os.popen(command).read()

# %% subprocess.run
subprocess.run(touch)

# %% subprocess with a shell
subprocess.getoutput(command)

# %% fork_exec — what subprocess calls; it raises no event
import _posixsubprocess
_posixsubprocess.fork_exec([path.encode()], [b"touch", evil.encode()], True, (), None, None,
                           -1, -1, -1, -1, -1, -1, *os.pipe(), False, False, *([0] if sys.version_info >= (3, 11) else []),
                           None, None, None, -1, None, *([False] if sys.version_info < (3, 14) else []))

# %% os.execv — the process becomes the program
os.execv(path, touch)

# %% os.execve with a descriptor
os.execve(os.open(path, os.O_RDONLY), touch, {})

# %% os.execvp by the path
os.execvp("touch", touch)

# %% os.spawnv
os.spawnv(os.P_WAIT, path, touch)

# %% os.spawnlp
os.spawnlp(os.P_WAIT, "touch", *touch)

# %% os.posix_spawn
os.waitpid(os.posix_spawn(path, touch, {}), 0)

# %% os.posix_spawnp
os.waitpid(os.posix_spawnp("touch", touch, {"PATH": "/bin"}), 0)

# %% posix_spawn file actions — a file is opened by the child, before the program runs
os.waitpid(os.posix_spawn("/bin/true", ["true"], {}, file_actions=[(os.POSIX_SPAWN_OPEN, 1, evil, os.O_CREAT | os.O_WRONLY, 0o600)]), 0)

# %% os.fork — a copy of the process that nobody watches
pid = os.fork()
if not pid:
    open(evil, "w").close()
    os._exit(0)
os.waitpid(pid, 0)

# %% os.forkpty
pid, terminal = os.forkpty()
if not pid:
    open(evil, "w").close()
    os._exit(0)
os.waitpid(pid, 0)

# %% pty.spawn
import pty
pty.spawn(touch)

# %% multiprocessing process
import multiprocessing
process = multiprocessing.get_context("fork").Process(target=open, args=(evil, "w"))
process.start()
process.join()

# %% multiprocessing forkserver — a server process that stays
import multiprocessing.forkserver
multiprocessing.forkserver.ensure_running()

# %% multiprocessing resource tracker — a helper process that semaphores start
import multiprocessing.resource_tracker
multiprocessing.resource_tracker.ensure_running()

# %% multiprocessing pool
import multiprocessing.pool
multiprocessing.get_context("fork").Pool(1).apply(os.system, (command,))

# %% process pool executor
import concurrent.futures, multiprocessing
with concurrent.futures.ProcessPoolExecutor(1, multiprocessing.get_context("fork")) as pool:
    pool.submit(os.system, command).result()

# %% asyncio subprocess
import asyncio
await (await asyncio.create_subprocess_exec(*touch)).wait()

# %% asyncio shell
import asyncio
await (await asyncio.create_subprocess_shell(command)).wait()

# %% asyncio loop subprocess — the transport below
import asyncio
await asyncio.get_running_loop().subprocess_exec(asyncio.SubprocessProtocol, *touch)
await asyncio.sleep(0.2)

# %% webbrowser — a browser is a command line
import webbrowser
webbrowser.GenericBrowser(touch[:1] + ["%s"]).open(evil)

# %% webbrowser registered — one's own browser class
import webbrowser
webbrowser.register("evil", None, webbrowser.BackgroundBrowser(touch))
webbrowser.get("evil").open("x")

# %% pydoc pipe pager — a pager is a program
import pydoc
pydoc.pipepager("x", command)

# %% pydoc temporary file pager
import pydoc
pydoc.tempfilepager("x", command + ";")

# %% shutil archive — a format registered by the cell runs what it is given
import shutil
shutil.register_archive_format("evil", lambda *unused, **more: os.system(command))
shutil.make_archive("x", "evil", ".")

# %% mailcap — a command from a table of types
import warnings
warnings.simplefilter("ignore")
mailcap = __import__("mailcap") if sys.version_info < (3, 13) else type("M", (), {"subst": lambda *unused: command})
os.system(mailcap.subst(command, "text/plain", "x"))

# %% ctypes.util — find_library runs compilers
import ctypes.util
ctypes.util.os.popen(command).read()

# %% sysconfig — reads what a program says
import sysconfig
sysconfig.os.spawnv(os.P_WAIT, path, touch)

# %% venv — makes a folder and starts programs in it
import venv
venv.create(evil, with_pip=False)

# %% timeit — runs text
import timeit
timeit.timeit(f"__import__('os').system({command!r})", number=1)

# %% profile — so does this
import profile
profile.run(f"__import__('os').system({command!r})")

# %% trace — … and this
import trace
trace.Trace(count=0, trace=0).run(f"__import__('os').system({command!r})")

# %% doctest — runs examples in a text
import doctest
doctest.run_docstring_examples(f">>> import os\n>>> os.system({command!r})", {})

# %% code module — an interpreter in the interpreter
import code
code.InteractiveInterpreter().runsource(f"__import__('os').system({command!r})")

# %% runpy — runs a file as a program
open("program.py", "w").write(f"__import__('os').system({command!r})")
import runpy
runpy.run_path("program.py")

# %% zipapp and runpy — … an archive
import zipfile, runpy
with zipfile.ZipFile("program.zip", "w") as archive:
    archive.writestr("__main__.py", f"__import__('os').system({command!r})")
runpy.run_path("program.zip")

# %% bdb — a debugger runs text as well
import bdb
bdb.Bdb().runeval(f"__import__('os').system({command!r})")

# %% typing forward references — annotations are evaluated
import typing
typing.get_type_hints(type("Sly", (), {"__annotations__": {"x": f"__import__('os').system({command!r})"}}))

# %% inspect signature from text — __text_signature__ is parsed and evaluated
import inspect
inspect.signature(type("Sly", (), {"__init__": lambda self, x: 0, "__annotations__": {}}), eval_str=True)
inspect.get_annotations(type("Sly", (), {"__annotations__": {"x": f"__import__('os').system({command!r})"}}), eval_str=True)

# %% dataclass by text — field names and types end in exec()
import dataclasses
dataclasses.make_dataclass("Sly", [("x", "int", dataclasses.field(default_factory=lambda: os.system(command)))])()

# %% namedtuple with a lying module — text from strings with methods of their own
import collections
collections.namedtuple("Sly", "x", module=type("Text", (str,), {})("os"))(os.system(command))

# %% gettext plural — a formula in a catalogue becomes a function
import gettext
gettext.c2py("n")(1)
gettext.os.system(command)

# %% string template — a class whose pattern is code
import string
type("Sly", (string.Template,), {"braceidpattern": None})("$x").substitute(type("Map", (dict,), {"__missing__": lambda self, key: os.system(command)})())

# %% logging configuration — '()' names a factory
import logging.config
logging.config.dictConfig({"version": 1, "formatters": {"x": {"()": "os.system", "command": command}}})

# %% logging file configuration — args are evaluated
import logging.config, configparser
text = configparser.ConfigParser()
text.read_string(f"[loggers]\nkeys=root\n[handlers]\nkeys=h\n[formatters]\nkeys=\n[logger_root]\nhandlers=h\n"
                 f"[handler_h]\nclass=StreamHandler\nargs=(__import__('os').system({command!r}),)")
logging.config.fileConfig(text)

# %% unittest discovery — imports what it finds
open("test_x.py", "w").write(f"__import__('os').system({command!r})")
import unittest
unittest.TestLoader().discover(".")

# %% pickle — a reduce that calls
import pickle
pickle.loads(b"cos\nsystem\n(S'" + command.encode() + b"'\ntR.")

# %% pickle by an unpickler of one's own — find_class answers what it likes
import pickle, io
type("Sly", (pickle._Unpickler,), {"find_class": lambda self, module, name: os.system})(io.BytesIO(b"cx\ny\n(S'" + command.encode() + b"'\ntR.")).load()

# %% copy — __reduce_ex__ of an object that is copied
import copy
copy.copy(type("Sly", (), {"__reduce_ex__": lambda self, version: (os.system, (command,))})())

# %% shelve — a pickle in a database
import shelve
base = shelve.open("shelf")
base.dict[b"x"] = b"cos\nsystem\n(S'" + command.encode() + b"'\ntR."
base["x"]

# %% multiprocessing reduction — picklers of connections
import multiprocessing.reduction
multiprocessing.reduction.ForkingPickler.loads(b"cos\nsystem\n(S'" + command.encode() + b"'\ntR.")

# %% marshal — code from bytes
import marshal, types
types.FunctionType(marshal.loads(marshal.dumps(compile(f"__import__('os').system({command!r})", "", "exec"))), {})()
