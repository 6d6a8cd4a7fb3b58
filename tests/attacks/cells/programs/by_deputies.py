# A library that calls what it is given: executors, exit stacks, pickles, sort keys, weak references, signals.
# says: start a program
import os, contextlib, functools, pickle, concurrent.futures, weakref, threading, asyncio, signal, sched, time, contextvars, operator, gc
touch = f"touch {outside}/evil"
Reducer = type("Reducer", (), {"__reduce__": lambda self: (os.system, (touch,))})
stack = contextlib.ExitStack()
stack.callback(os.system, touch)
attempts = [stack.close, lambda: pickle.loads(pickle.dumps(Reducer())), lambda: list(map(os.system, [touch])),
            lambda: sorted([touch], key=os.system), lambda: functools.partial(os.system, touch)(),
            lambda: functools.reduce(lambda a, f: f(touch), [0, os.system]), lambda: contextvars.Context().run(os.system, touch),
            lambda: concurrent.futures.ThreadPoolExecutor(1).submit(os.system, touch).result(),
            lambda: operator.methodcaller("system", touch)(os), lambda: max([touch], key=os.system),
            lambda: operator.call(os.system, touch), lambda: sys_call(os.system, (touch,))]
import sys
sys_call = sys.call_tracing
assert refused(attempts) == len(attempts)
Thing = type("Thing", (), {})
thing = Thing()
kept = weakref.finalize(thing, os.system, touch), weakref.ref(thing, lambda unused: os.system(touch))
del thing
Dying = type("Dying", (), {"__del__": lambda self: os.system(touch)})
Dying()
gc.callbacks.append(lambda *unused: os.system(touch))
gc.collect()
gc.callbacks.clear()
threading.Thread(target=os.system, args=(touch,)).start()
signal.signal(signal.SIGALRM, lambda *unused: os.system(touch))
signal.setitimer(signal.ITIMER_REAL, 0.01)
try:
    time.sleep(0.1)
except PermissionError:
    pass
sys.excepthook = sys.unraisablehook = sys.displayhook = lambda *unused: os.system(touch)
# %%
os.system(touch)
