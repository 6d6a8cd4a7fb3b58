# A function that a library may call returns what its restype says: types that say something else of themselves.
# needs: threadpoolctl
# says: BLAS and OpenMP
import ctypes
import numpy
import threadpoolctl

known = threadpoolctl.ThreadpoolController().lib_controllers[0]
assert known.get_num_threads() > 0
[function] = [each for name, each in vars(known.dynlib).items() if "get_num_threads" in name]
ran = []


class Tells(type(ctypes.c_int)):
    def __getattribute__(self, name):
        ran.append(name)
        return super().__getattribute__(name)


class Number(ctypes.c_int):
    def __del__(self):
        ran.append("__del__")


made = {kind: type("Made", (kind,), {}) for kind in (ctypes.c_void_p, ctypes.py_object, ctypes.c_long)}
for kind in made.values():
    kind._type_ = "i"
refused = 0
for restype in (*made.values(), Number, Tells("Told", (ctypes.py_object,), {"_type_": "O"})):
    function.restype = restype
    ran.clear()
    try:
        print("ESCAPED", known.get_num_threads())
    except PermissionError:
        refused += 1
    assert not ran, ran
assert refused == 5, refused
function.restype = type("Plain", (ctypes.c_int,), {})
assert known.get_num_threads().value > 0
function.restype = ctypes.py_object
known.get_num_threads()
