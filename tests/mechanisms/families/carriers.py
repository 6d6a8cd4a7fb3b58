# Functions that call what they are given: the caller on the stack is a library, a built-in, or nobody.
import os, sys, functools, operator, itertools
command = " ".join(touch)

# %% map
list(map(os.system, [command]))

# %% filter
list(filter(os.system, [command]))

# %% sort key
sorted([command], key=os.system)

# %% max key
max([command], key=os.system)

# %% partial
functools.partial(os.system, command)()

# %% partial method
type("Sly", (), {"go": functools.partialmethod(lambda self: os.system(command))})().go()

# %% reduce
functools.reduce(lambda one, other: os.system(other), [0, command])

# %% comparison key — cmp_to_key
sorted([1, 2], key=functools.cmp_to_key(lambda one, other: os.system(command)))

# %% lru cache — a wrapper written in C
functools.lru_cache(os.system)(command)

# %% cached property
type("Sly", (), {"x": property(functools.partial(lambda self: os.system(command)))})().x

# %% single dispatch
functools.singledispatch(os.system)(command)

# %% starmap
list(itertools.starmap(os.system, [(command,)]))

# %% takewhile
list(itertools.takewhile(os.system, [command]))

# %% accumulate
list(itertools.accumulate(["", command], lambda one, other: os.system(other)))

# %% groupby
list(itertools.groupby([command], os.system))

# %% iter with a sentinel
next(iter(functools.partial(os.system, command), 1))

# %% operator.call
operator.call(os.system, command)

# %% default factory
import collections
collections.defaultdict(functools.partial(os.system, command))["x"]

# %% regular expression callback
import re
re.sub(".+", lambda match: str(os.system(match[0])), command)

# %% scanner — re.Scanner calls actions
import re
re.Scanner([(".+", lambda scanner, text: os.system(text))]).scan(command)

# %% json hook
import json
json.loads('{"x": 1}', object_hook=lambda unused: os.system(command))

# %% json float hook — parse_float is called by the C scanner
import json
json.loads("[1.5]", parse_float=lambda unused: os.system(command))

# %% json default
import json
json.dumps(object(), default=lambda unused: os.system(command))

# %% xml handler — expat calls back
import xml.parsers.expat
parser = xml.parsers.expat.ParserCreate()
parser.StartElementHandler = lambda *unused: os.system(command)
parser.Parse("<x/>")

# %% xml tree builder — a target of one's own
import xml.etree.ElementTree as tree
tree.XMLParser(target=type("T", (), {"start": lambda *unused: os.system(command), "close": lambda self: 0})()).feed("<x/>")

# %% sqlite function — SQL calls Python
import sqlite3
base = sqlite3.connect(":memory:")
base.create_function("evil", 1, os.system)
base.execute("select evil(?)", (command,)).fetchall()

# %% sqlite row factory
import sqlite3
base = sqlite3.connect(":memory:")
base.row_factory = lambda *unused: os.system(command)
base.execute("select 1").fetchall()

# %% sqlite collation
import sqlite3
base = sqlite3.connect(":memory:")
base.create_collation("evil", lambda one, other: os.system(command))
base.execute("select x from (select 'a' x union select 'b') order by x collate evil").fetchall()

# %% sqlite progress handler
import sqlite3
base = sqlite3.connect(":memory:")
base.set_progress_handler(functools.partial(os.system, command), 1)
base.execute("select 1").fetchall()

# %% sqlite trace callback
import sqlite3
base = sqlite3.connect(":memory:")
base.set_trace_callback(lambda text: os.system(command))
base.execute("select 1").fetchall()

# %% sqlite adapter and converter
import sqlite3
sqlite3.register_converter("evil", lambda text: os.system(text))
base = sqlite3.connect(":memory:", detect_types=sqlite3.PARSE_DECLTYPES)
base.execute("create table t (x evil)")
base.execute("insert into t values (?)", (command,))
base.execute("select x from t").fetchall()

# %% exit stack
import contextlib
with contextlib.ExitStack() as stack:
    stack.callback(os.system, command)

# %% context manager from a generator
import contextlib
contextlib.contextmanager(lambda: (os.system(command) for unused in [1]))().__enter__()

# %% scheduler
import sched
plan = sched.scheduler()
plan.enter(0, 0, os.system, (command,))
plan.run()

# %% context run — contextvars.Context().run, outside of any guard that lives in a context
import contextvars
contextvars.Context().run(os.system, command)

# %% thread
import threading
thread = threading.Thread(target=os.system, args=(command,))
thread.start()
thread.join()

# %% timer
import threading
timer = threading.Timer(0.01, os.system, (command,))
timer.start()
timer.join()

# %% thread started directly — without the module threading
import _thread, time
_thread.start_new_thread(os.system, (command,))
time.sleep(0.2)

# %% thread excepthook
import threading
threading.excepthook = lambda unused: os.system(command)
thread = threading.Thread(target=lambda: 1 / 0)
thread.start()
thread.join()

# %% executor
import concurrent.futures
concurrent.futures.ThreadPoolExecutor(1).submit(os.system, command).result()

# %% executor initializer
import concurrent.futures
concurrent.futures.ThreadPoolExecutor(1, initializer=os.system, initargs=(command,)).submit(int)
import time
time.sleep(0.1)

# %% future callback
import concurrent.futures
future = concurrent.futures.Future()
future.add_done_callback(lambda unused: os.system(command))
future.set_result(1)

# %% thread pool of multiprocessing
import multiprocessing.pool
multiprocessing.pool.ThreadPool(1).apply(os.system, (command,))

# %% asyncio callback
import asyncio
asyncio.get_running_loop().call_soon(os.system, command)
await asyncio.sleep(0.05)

# %% asyncio task in another context
import asyncio, contextvars
asyncio.get_running_loop().call_soon(os.system, command, context=contextvars.Context())
await asyncio.sleep(0.05)

# %% asyncio to_thread
import asyncio
await asyncio.to_thread(os.system, command)

# %% asyncio executor
import asyncio
await asyncio.get_running_loop().run_in_executor(None, os.system, command)

# %% asyncio exception handler
import asyncio
asyncio.get_running_loop().set_exception_handler(lambda *unused: os.system(command))
asyncio.get_running_loop().call_soon(lambda: 1 / 0)
await asyncio.sleep(0.05)

# %% asyncio task factory
import asyncio
loop = asyncio.get_running_loop()
loop.set_task_factory(lambda *unused, **more: os.system(command) or asyncio.Future())
asyncio.ensure_future(asyncio.sleep(0))
loop.set_task_factory(None)

# %% asyncio reader — the loop calls when a pipe has something
import asyncio
reader, writer = os.pipe()
asyncio.get_running_loop().add_reader(reader, os.system, command)
os.write(writer, b"x")
await asyncio.sleep(0.05)

# %% asyncio loop of one's own — in a thread
import asyncio, threading
loop = asyncio.new_event_loop()
thread = threading.Thread(target=loop.run_until_complete, args=(asyncio.sleep(0.1),))
loop.call_soon(os.system, command)
thread.start()
thread.join()

# %% async generator finalizer
import sys, asyncio
hooks = sys.get_asyncgen_hooks()
sys.set_asyncgen_hooks(firstiter=lambda unused: os.system(command))
async def numbers():
    yield 1
async for number in numbers():
    pass
sys.set_asyncgen_hooks(*hooks)

# %% awaitable of one's own — __await__
await type("Sly", (), {"__await__": lambda self: iter([os.system(command)] * 0)})()
os.system(command)

# %% left for after the cell — a task that runs between cells
import asyncio
asyncio.get_running_loop().call_later(0.01, os.system, command)
# --
import asyncio
await asyncio.sleep(0.1)

# %% weak reference callback
import weakref
kind = type("Sly", (), {})
thing = kind()
kept = weakref.ref(thing, lambda unused: os.system(command))
del thing

# %% weak finalizer
import weakref
kind = type("Sly", (), {})
thing = kind()
weakref.finalize(thing, os.system, command)
del thing

# %% weak finalizer at exit
import weakref
weakref.finalize(weakref.WeakSet, os.system, command)

# %% destructor
thing = type("Sly", (), {"__del__": lambda self: os.system(command)})()
del thing

# %% destructor by the collector — a cycle, found later
import gc
kind = type("Sly", (), {"__del__": lambda self: os.system(command)})
thing = kind()
thing.me = thing
del thing
gc.collect()

# %% generator close — finally of a generator that is thrown away
def sly():
    try:
        yield
    finally:
        os.system(command)
next(sly())

# %% collector callback
import gc
gc.callbacks.append(lambda *unused: os.system(command))
gc.collect()

# %% atexit
import atexit
atexit.register(os.system, command)

# %% multiprocessing finalizer
import multiprocessing.util
multiprocessing.util.Finalize(None, os.system, (command,), exitpriority=1)

# %% logging handler — emit() of a handler of one's own, and shutdown
import logging
handler = type("Sly", (logging.Handler,), {"emit": lambda self, record: os.system(command)})()
logging.getLogger("x").addHandler(handler)
logging.getLogger("x").error("y")

# %% warning display
import warnings
warnings.showwarning = lambda *unused, **more: os.system(command)
warnings.warn("x")

# %% signal handler
import signal, time
signal.signal(signal.SIGALRM, lambda *unused: os.system(command))
signal.setitimer(signal.ITIMER_REAL, 0.01)
time.sleep(0.1)

# %% codec — an encoding of one's own
import codecs
codecs.register(lambda name: os.system(command) and None)
try:
    "x".encode("sly")
except LookupError:
    pass

# %% codec error handler
import codecs
codecs.register_error("sly", lambda error: (str(os.system(command)), error.end))
"\xe4".encode("ascii", "sly")

# %% path hook — sys.path_hooks are called by imports
sys.path_hooks.insert(0, lambda path: os.system(command))
sys.path.insert(0, "/nowhere")
try:
    import nothing_of_this_name
except ImportError:
    pass

# %% meta path — sys.meta_path as well
sys.meta_path.insert(0, type("Sly", (), {"find_spec": lambda *unused: os.system(command) and None})())
try:
    import nothing_of_this_name
except ImportError:
    pass

# %% abstract class hook — __subclasshook__
import abc
isinstance(1, abc.ABCMeta("Sly", (), {"__subclasshook__": classmethod(lambda *unused: os.system(command))}))

# %% locale function — a sort key written in C
import heapq
heapq.nlargest(1, [command], key=os.system)

# %% bisect key
import bisect
bisect.bisect([command], 1, key=os.system)

# %% statistics of objects — __float__ and kin
import math
math.sqrt(type("Sly", (), {"__float__": lambda self: float(os.system(command))})())

# %% numpy callback — a function called once a row
# needs: numpy
import numpy
numpy.vectorize(os.system)(numpy.array([command], dtype=object))

# %% numpy frompyfunc
# needs: numpy
import numpy
numpy.frompyfunc(os.system, 1, 1)(numpy.array([command], dtype=object))

# %% numpy object array operators
# needs: numpy
import numpy
numpy.array([type("Sly", (), {"__add__": lambda self, other: os.system(command)})()], dtype=object) + 1

# %% numpy array function protocol
# needs: numpy
import numpy
numpy.concatenate([type("Sly", (), {"__array_function__": lambda *unused: os.system(command)})()])

# %% pandas apply
# needs: pandas
import pandas
pandas.Series([command]).apply(os.system)

# %% pandas query — text with @ names
# needs: pandas
import pandas
pandas.DataFrame({"a": [1]}).eval("@os.system(@command)")

# %% pandas pipe
# needs: pandas
import pandas
pandas.DataFrame({"a": [command]}).a.pipe(lambda column: os.system(column[0]))
