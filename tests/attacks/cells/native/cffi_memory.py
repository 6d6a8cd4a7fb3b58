# cffi again: reaching memory by numbers, from the raw backend and by a library's thread.
# needs: cffi
import sys
from concurrent.futures import ThreadPoolExecutor
pool = ThreadPoolExecutor(1)
call = lambda function, *arguments, **keywords: pool.submit(function, *arguments, **keywords).result()
builtin = vars(sys.modules["builtins"])

import _cffi_backend as backend, cffi
refused = 0
ffi = cffi.FFI()
for attempt in (lambda: backend.load_library(None), lambda: ffi.cast("char *", id(1))[0], lambda: call(ffi.cast, "char *", id(1))[0],
                lambda: backend.FFI().cast("char *", id(1))[0], lambda: call(backend.load_library, None), lambda: backend.FFI().dlopen(None),
                lambda: call(backend.FFI().cast, "char *", 1), lambda: ffi.memmove(ffi.new("char[1]"), b"x", 1) or backend.FFI().dlopen(None)):
    try:
        print("ESCAPED", attempt())
    except PermissionError:
        refused += 1
assert refused == 8, refused
backend.load_library(None)
