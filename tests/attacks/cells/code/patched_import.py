# A library's import runs what a cell has put into the standard library: no frame of the cell is above the module's.
# expect: any
import sys
from concurrent.futures import ThreadPoolExecutor
pool = ThreadPoolExecutor(1)
call = lambda function, *arguments, **keywords: pool.submit(function, *arguments, **keywords).result()
builtin = vars(sys.modules["builtins"])

import ctypes, threading, functools
lock = threading.Lock
threading.Lock = functools.partial(ctypes.CDLL, None)
sys.modules.pop("mimetypes", None), sys.modules.pop("tempfile", None), sys.modules.pop("random", None)
found = []
try:
    for name in ("queue", "tempfile", "_strptime", "zipfile"):
        sys.modules.pop(name, None)
        call(builtin["__import__"], name)
except Exception as error:
    print(type(error), error)
threading.Lock = lock
found = [value for name in ("tempfile", "_strptime", "zipfile") for value in vars(sys.modules.get(name, sys)).values() if isinstance(value, ctypes.CDLL)]
print(len(found))
threading.Lock = functools.partial(getattr, found[0], "system") if found else None
try:
    sys.modules.pop("tempfile", None)
    call(builtin["__import__"], "tempfile")
finally:
    threading.Lock = lock
print([value for value in vars(sys.modules["tempfile"]).values() if "FuncPtr" in type(value).__name__])
ctypes.CDLL(None)
