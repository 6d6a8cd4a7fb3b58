# ctypes in a thread whose first function is built in: there is no Python frame at all.
# says: ctypes
import sys
from concurrent.futures import ThreadPoolExecutor
pool = ThreadPoolExecutor(1)
call = lambda function, *arguments, **keywords: pool.submit(function, *arguments, **keywords).result()
builtin = vars(sys.modules["builtins"])

import ctypes, _thread, time, functools
found = []
call(_thread.start_new_thread, functools.partial(list.extend, found), (map(ctypes.string_at, [id(1)]),))
call(_thread.start_new_thread, functools.partial(list.extend, found), (map(functools.partial(ctypes.c_char.from_address), [id(1)]),))
call(_thread.start_new_thread, functools.partial(list.extend, found), (map(ctypes.memmove, [0], [0], [0]),))
call(_thread.start_new_thread, builtin["exec"], ("import ctypes; ctypes.CDLL(None).system(b'touch %s/evil')" % outside, {"__builtins__": builtin}))
time.sleep(0.2)
assert not found, print("ESCAPED", found)
ctypes.CDLL(None)
