# Libraries that load libraries: their own call is judged as the cell's, and none comes out of a write root.
# needs: cffi
# says: native library
import ctypes
import glob
import os
import shutil
import sysconfig

import _cffi_backend
import cffi
import numpy
import threadpoolctl

here = os.getcwd()
path = here + "/own.so"
shutil.copyfile(sorted(glob.glob(sysconfig.get_config_var("DESTSHARED") + "/_asyncio*.so"))[0], path)
controllers = threadpoolctl.ThreadpoolController()
attempts = [lambda: numpy.ctypeslib.load_library("own", here), lambda: numpy.ctypeslib.load_library("own.so", here),
            lambda: ctypes.cdll.LoadLibrary(path), lambda: ctypes.cdll["./own.so"], lambda: ctypes.PyDLL(path),
            lambda: cffi.FFI().dlopen(path), lambda: _cffi_backend.FFI().dlopen(path), lambda: _cffi_backend.load_library(path),
            lambda: threadpoolctl.OpenBLASController(filepath=path, prefix="libopenblas", parent=controllers)]
refused = 0
for attempt in attempts:
    try:
        attempt()
    except PermissionError:
        refused += 1
print("ESCAPED" if path in open("/proc/self/maps").read() else "")
assert refused == len(attempts), refused
attempts[0]()
