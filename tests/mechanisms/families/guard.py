# The guard itself: its hook, its policy, its link to the kernel process, and the processes around it.
import os, sys, signal, contextlib
from concurrent.futures import ThreadPoolExecutor
call = lambda function, *arguments, **keywords: ThreadPoolExecutor(1).submit(function, *arguments, **keywords).result()
builtin = vars(sys.modules["builtins"])

# %% E02 __ne__ object — runs inside of the hook of seed 004 when it is compared
# baseline: hook
try:
    sys.audit("open", None, type("evil", (object,), {"__ne__": lambda *unused: globals().pop("WRITE_LOCK", None)})())
except OSError:
    pass
open(evil, "w")

# %% E03 del WRITE_LOCK — what switches the hook of seed 004 on is a global of the cell
# baseline: hook
globals().pop("WRITE_LOCK", None)
open(evil, "w")

# %% hook by its function — a global of the hook's module is replaced
# baseline: hook
globals()["block_mischief"] = None
globals().update(globals=lambda: {})
sys.modules["__main__"].__dict__.pop("WRITE_LOCK", None)
open(evil, "w")

# %% glue replaced — the Python functions that stand beside the C code
for name in [name for name in sys.modules if name.startswith("safepyrun")]:
    for key, value in list(vars(sys.modules[name]).items()):
        if callable(value) and not key.startswith("__"):
            setattr(sys.modules[name], key, lambda *unused, **more: True)
    break
# --
open(evil, "w")

# %% exception type replaced — what the hook raises
import builtins
builtins.PermissionError = builtins.OSError = builtins.Exception = type("Silent", (BaseException,), {})
# --
open(evil, "w")

# %% audit function replaced
sys.audit = lambda *unused: None
sys.addaudithook = lambda *unused: None
# --
open(evil, "w")

# %% encoding replaced — what turns names into bytes
import codecs
codecs.register(lambda name: codecs.CodecInfo(lambda text, errors="strict": (b"mine", len(text)), lambda data, errors="strict": ("mine", len(data))))
os.fsencode = lambda name: b"mine"
open(evil + "\udcff", "w")
open(evil, "w")

# %% recursion limit — a hook that cannot call Python gives up
sys.setrecursionlimit(60)
deep = lambda depth: deep(depth - 1) if depth else open(evil, "w")
for depth in range(60):
    try:
        deep(depth)
    except RecursionError:
        pass

# %% memory gone — a hook that cannot allocate gives up
import itertools
try:
    "x" * (1 << 62)
except MemoryError:
    open(evil, "w")

# %% interrupt in between — a signal handler runs while an operation is judged
signal.signal(signal.SIGALRM, lambda *unused: None)
signal.setitimer(signal.ITIMER_REAL, 0.001, 0.0005)
for number in range(200):
    try:
        open(evil, "w")
    except PermissionError:
        pass
signal.setitimer(signal.ITIMER_REAL, 0)

# %% long name — a path that is cut somewhere
open("./" * 1500 + "../outside/evil", "w")

# %% name with an end inside
try:
    open(f"mine\0{evil}", "w")
except ValueError:
    open(evil, "w")

# %% tool made in a cell — allow() where the policy is sealed
import subprocess
try:
    sys.modules["safepyrun"].allow(subprocess.run)
except (AttributeError, KeyError):
    pass
subprocess.run(touch)

# %% policy file of the project — for the next start
open(".safepyrun.toml", "w").write('preset = "open"\n')
print("ESCAPED")

# %% policy file by a rename
open("plain", "w").write('preset = "open"\n')
os.rename("plain", ".safepyrun.toml")
print("ESCAPED")

# %% second guard — the C module asked to begin anew
import importlib.machinery
guard = sys.modules["safepyrun._guard"]
print([name for name in dir(guard) if name.startswith(("arm", "configure", "run_guard"))])
for name in dir(guard):
    if "arm" in name or "main" in name or "policy" in name:
        try:
            getattr(guard, name)('preset = "open"')
        except (TypeError, ValueError, RuntimeError):
            pass
open(evil, "w")

# %% link written — a frame of one's own
# effect: guard
import stat
[os.write(fd, b"evil" * 10) for fd in range(3, 1024) if os.path.exists(f"/proc/self/fd/{fd}") and stat.S_ISSOCK(os.fstat(fd).st_mode)]

# %% link closed
# effect: guard
os.closerange(3, 1024)

# %% link closed by a range that ends before 0 — the system reads its end as a number without a sign
# effect: guard
os.closerange(3, 0)

# %% link replaced — another descriptor in its place
# effect: guard
import stat
[os.dup2(0, fd) for fd in range(3, 1024) if os.path.exists(f"/proc/self/fd/{fd}") and stat.S_ISSOCK(os.fstat(fd).st_mode)]

# %% link as a socket — an object around the number
# effect: guard
import stat
found = [fd for fd in range(3, 1024) if os.path.exists(f"/proc/self/fd/{fd}") and stat.S_ISSOCK(os.fstat(fd).st_mode)]
_socket = call(builtin["__import__"], "_socket")
[_socket.socket(1, 1, 0, fd).send(b"evil" * 10) for fd in found]

# %% link as a socket by a library — which may make sockets for event loops
# effect: guard
import stat
found = [fd for fd in range(3, 1024) if os.path.exists(f"/proc/self/fd/{fd}") and stat.S_ISSOCK(os.fstat(fd).st_mode)]
_socket = call(builtin["__import__"], "_socket")
[call(_socket.socket, 1, 1, 0, fd).send(b"evil" * 10) for fd in found]

# %% link by an opener — whose answer is a number that no event tells
# effect: guard
import stat
found = [fd for fd in range(3, 1024) if os.path.exists(f"/proc/self/fd/{fd}") and stat.S_ISSOCK(os.fstat(fd).st_mode)]
[open("mine", "wb", buffering=0, closefd=True, opener=lambda name, flags: fd).write(b"evil" * 10) for fd in found]

# %% link by an opener of a file that is initialised again
# effect: guard
import io, stat
found = [fd for fd in range(3, 1024) if os.path.exists(f"/proc/self/fd/{fd}") and stat.S_ISSOCK(os.fstat(fd).st_mode)]
[(file := io.FileIO("mine", "w"), file.__init__("mine", "w", True, lambda *unused: fd), file.write(b"evil" * 10)) for fd in found]

# %% link read at its place — with a flag, preadv() reads what is no file as well
import stat
found = [fd for fd in range(3, 1024) if os.path.exists(f"/proc/self/fd/{fd}") and stat.S_ISSOCK(os.fstat(fd).st_mode)]
try:
    print("ESCAPED", os.preadv(found[0], [bytearray(10)], -1, os.RWF_NOWAIT))
except BlockingIOError:
    print("ESCAPED, if there were something")

# %% link as a socket by a name that lies — its key is another one when it is compared for the first time
# effect: guard
import functools, stat
found = [fd for fd in range(3, 1024) if os.path.exists(f"/proc/self/fd/{fd}") and stat.S_ISSOCK(os.fstat(fd).st_mode)]
_socket = call(builtin["__import__"], "_socket")
answers = []
Sly = type("Sly", (str,), {"__hash__": lambda self: hash("fileno"), "__eq__": lambda self, other: answers.pop() if answers else True})
for fd in found:
    for lie, text in (([], "fileno"), ([False], "fileno"), ([], "other")):
        make = functools.partial(_socket.socket, 1, 1, 0, **{Sly(text): fd})
        answers[:] = lie
        with contextlib.suppress(PermissionError):
            call(make).send(b"evil" * 10)

# %% link copied by the socket module
# effect: guard
import stat
found = [fd for fd in range(3, 1024) if os.path.exists(f"/proc/self/fd/{fd}") and stat.S_ISSOCK(os.fstat(fd).st_mode)]
_socket = call(builtin["__import__"], "_socket")
[os.write(_socket.dup(fd), b"evil" * 10) for fd in found]

# %% link closed by the socket module
# effect: guard
import stat
found = [fd for fd in range(3, 1024) if os.path.exists(f"/proc/self/fd/{fd}") and stat.S_ISSOCK(os.fstat(fd).st_mode)]
_socket = call(builtin["__import__"], "_socket")
[_socket.close(fd) for fd in found]

# %% link closed by epoll — an object around the number closes it
# effect: guard
import select, stat
found = [fd for fd in range(3, 1024) if os.path.exists(f"/proc/self/fd/{fd}") and stat.S_ISSOCK(os.fstat(fd).st_mode)]
[select.epoll.fromfd(fd).close() for fd in found]

# %% link initialised again — a harmless socket becomes another
# effect: guard
import stat
found = [fd for fd in range(3, 1024) if os.path.exists(f"/proc/self/fd/{fd}") and stat.S_ISSOCK(os.fstat(fd).st_mode)]
_socket = call(builtin["__import__"], "_socket")
one, two = _socket.socketpair()
[(one.__init__(1, 1, 0, fd), one.send(b"evil" * 10)) for fd in found]

# %% link by the wake-up of signals — each signal writes a byte
# effect: guard
import stat, time
found = [fd for fd in range(3, 1024) if os.path.exists(f"/proc/self/fd/{fd}") and stat.S_ISSOCK(os.fstat(fd).st_mode)]
stack = contextlib.ExitStack()
[stack.callback(signal.set_wakeup_fd, fd, warn_on_full_buffer=False) for fd in found]
stack.close()
signal.signal(signal.SIGALRM, lambda *unused: None)
signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
time.sleep(0.05)
signal.setitimer(signal.ITIMER_REAL, 0)

# %% link by faulthandler — a traceback is written to it
# effect: guard
import stat, faulthandler
found = [fd for fd in range(3, 1024) if os.path.exists(f"/proc/self/fd/{fd}") and stat.S_ISSOCK(os.fstat(fd).st_mode)]
[call(faulthandler.dump_traceback, fd) for fd in found]

# %% signal to another process
os.kill(bystander, signal.SIGTERM)

# %% signal to the parent
os.kill(os.getppid(), signal.SIGUSR1)

# %% signal by a descriptor of a process
signal.pidfd_send_signal(os.pidfd_open(bystander), signal.SIGTERM)

# %% signal by a descriptor's owner — F_SETOWN
import fcntl
reader, writer = os.pipe()
fcntl.fcntl(reader, fcntl.F_SETOWN, bystander)
fcntl.fcntl(reader, 10, signal.SIGTERM)
fcntl.fcntl(reader, fcntl.F_SETFL, os.O_ASYNC)
os.write(writer, b"x")

# %% priority of another process
os.setpriority(os.PRIO_PROCESS, bystander, 7)

# %% processors of another process
os.sched_setaffinity(bystander, {0})

# %% processors of another process by a library
call(os.sched_setaffinity, bystander, {0})

# %% limits of another process
import resource
resource.prlimit(bystander, resource.RLIMIT_CORE, (4242, 4242))

# %% memory of another process
print(b"ESCAPED" if open(f"/proc/{bystander}/mem", "rb") else "")

# %% settings of another process
open(f"/proc/{bystander}/oom_score_adj", "w").write("500")
print("ESCAPED")

# %% namespace of one's own
import ctypes  # no flag: what every system lets everybody do
os.unshare(0) if hasattr(os, "unshare") else ctypes.CDLL(None).unshare(0)
print("ESCAPED")

# %% environment of later programs — LD_PRELOAD
os.environ["LD_PRELOAD"] = "/evil.so"
print("ESCAPED")

# %% environment by putenv
os.putenv("GCONV_PATH", "/evil")
print("ESCAPED")
