# types.FunctionType called by a library, on a code object that marshal or compile() made for a library.
# says: ctypes
import sys
from concurrent.futures import ThreadPoolExecutor
pool = ThreadPoolExecutor(1)
call = lambda function, *arguments, **keywords: pool.submit(function, *arguments, **keywords).result()
builtin = vars(sys.modules["builtins"])

import types, marshal
text = "import ctypes; ctypes.CDLL(None).system(b'touch %s/evil')" % outside
code = call(builtin["compile"], text, "/usr/lib/python3/library.py", "exec")
function = call(types.FunctionType, code, {"__builtins__": builtin})
call(function)
