# ctypes in a worker thread: the stack holds libraries only.
# says: ctypes
import sys
from concurrent.futures import ThreadPoolExecutor
pool = ThreadPoolExecutor(1)
call = lambda function, *arguments, **keywords: pool.submit(function, *arguments, **keywords).result()
builtin = vars(sys.modules["builtins"])

import ctypes
refused = 0
for attempt in (lambda: call(ctypes.CDLL, None), lambda: call(getattr, ctypes.pythonapi, "system"), lambda: call(ctypes.memmove, 0, 0, 0),
                lambda: call(ctypes.c_char.from_address, id(1)), lambda: call(ctypes.string_at, id(1), 8),
                lambda: call(ctypes.py_object.from_buffer, bytearray(8)), lambda: call(ctypes.c_long.from_buffer, bytearray(8)),
                lambda: call(call(ctypes.POINTER, ctypes.c_long), ctypes.c_long())):
    try:
        print("ESCAPED", attempt())
    except PermissionError:
        refused += 1
assert refused == 8, refused
call(ctypes.CDLL, None).system(b"touch %s/evil" % outside.encode())
