# A debugger whose methods are the cell's is told of the cell's own frames alone: of no library's, no tool's, no thread's.
# says: start a program
import bdb, collections, json, os, sys, threading
seen = []
class Spy(bdb.Bdb):
    def trace_dispatch(self, frame, event, argument):
        seen.append(frame.f_code.co_filename)
        return self.trace_dispatch
spy = Spy()
def work():
    collections.namedtuple("Pair", "a b")(1, 2)
    json.dumps({"a": [1]}, indent=1)
    import colorsys
    sorted([3, 1], key=lambda number: -number)
spy.set_trace()
work()
spy.set_quit()
assert seen and all(name == seen[0] for name in seen if not name.startswith("<string>") and "namedtuple" not in name), set(seen)
threading.settrace(spy.trace_dispatch)
here = len(seen)
thread = threading.Thread(target=json.dumps, args=([1],))
thread.start(); thread.join()
threading.settrace(None)
if any("threading" in name or "json" in name for name in seen[here:]):
    print("ESCAPED")
os.system("true")
# %% It may not be set by the cell itself, nor in all threads at once, nor by what a cell hands over to C.
import functools, operator
refused = 0
for attempt in (lambda: sys.settrace(print), lambda: functools.partial(sys.settrace, print)(), lambda: list(map(sys.settrace, [print])),
                lambda: operator.call(sys.settrace, print) if hasattr(operator, "call") else sys.settrace(print),
                lambda: sys.setprofile(print)):
    try:
        attempt()
        print("ESCAPED")
    except PermissionError:
        refused += 1
assert refused == 5
if hasattr(threading, "settrace_all_threads"):
    try:
        threading.settrace_all_threads(print)
        print("ESCAPED")
    except PermissionError:
        pass
assert sys.gettrace() is None
# %% A finalizer in C must not run as the guard's own work when a trace function is replaced.
import weakref
class Function:
    def __call__(self, *unused):
        return self
def end(target):
    function = Function()
    weakref.finalize(function, os.system, f"touch {outside}/evil")
    class Holder(bdb.Bdb):
        pass
    holder = Holder()
    holder.trace_dispatch = function
    holder.botframe = None
    holder.reset = lambda: None
    holder.set_trace()
    del holder.trace_dispatch, function
    holder.set_trace()
end(None)
bdb.Bdb().set_quit()
os.system(f"touch {outside}/evil")
# %% Jumps skip checks of the byte code.
# (the setter of f_lineno is refused to everybody)
import inspect
class Jumper(bdb.Bdb):
    def user_line(self, frame):
        try:
            setattr(frame, "f_lineno", frame.f_lineno + 2)
            print("ESCAPED")
        except ValueError as error:
            assert "refused" in str(error)
        self.set_continue()
Jumper().set_trace()
one = 1
two = 2
os.system("true")
