# ctypes from a cell, and the ready-made functions in it.
# says: ctypes
import ctypes, _ctypes
library = ctypes.pythonapi
refused = 0
for attempt in (lambda: ctypes.CDLL(None), lambda: ctypes.CDLL("libc.so.6"), lambda: library.PyRun_SimpleString, lambda: ctypes.memmove(0, 0, 0),
                lambda: ctypes.memset(0, 0, 0), lambda: ctypes.string_at(id(1), 8), lambda: ctypes.cast(id(1), ctypes.py_object),
                lambda: ctypes.c_char.from_address(id(1)), lambda: (ctypes.c_char * 8).from_address(id(1)), lambda: ctypes.POINTER(ctypes.c_long)(ctypes.c_long()),
                lambda: ctypes.PYFUNCTYPE(ctypes.c_int)(_ctypes._memmove_addr)(), lambda: _ctypes.call_function(_ctypes._memmove_addr, (0, 0, 0)),
                lambda: _ctypes.dlopen(None, 0), lambda: _ctypes.dlsym(library._handle, "system"), lambda: _ctypes.PyObj_FromPtr(id(1)),
                lambda: _ctypes.Py_INCREF(1), lambda: ctypes.py_object.from_buffer(bytearray(8)), lambda: ctypes.memmove.__call__(0, 0, 0)):
    try:
        attempt()
        print("ESCAPED")
    except PermissionError:
        refused += 1
assert refused == 18, refused
ctypes.memmove(0, 0, 0)
