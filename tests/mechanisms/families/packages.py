# Native code of packages, and of the interpreter, that does by itself what Python would be refused: it asks nobody. The interpreter ring cannot
# see it, so these are shown to work and are held by the OS ring alone (or by not installing the package).
here = "127.0.0.1"

# %% zeromq — sockets of its own
# needs: zmq
# only: os ring
import zmq, time
sock = zmq.Context().socket(zmq.PUSH)
sock.connect(f"tcp://{here}:{port}")
time.sleep(0.2)

# %% psutil — priorities of other processes
# needs: psutil
# only: os ring
import psutil
psutil.Process(bystander).nice(7)

# %% numpy by an interface — __array_interface__ names any address
# needs: numpy
# only: os ring
import numpy
text = "ESCA" + "PED"
print(bytes(numpy.asarray(type("Sly", (), {"__array_interface__": {"shape": (64,), "typestr": "|u1", "data": (id(text), True), "version": 3}})())))

# %% numpy by strides — as_strided goes beyond the end
# needs: numpy
# only: os ring
import numpy
found = numpy.lib.stride_tricks.as_strided(numpy.zeros(1, dtype="u1"), (100000,), (1,))
print("ESCAPED", int(found[50000]))

# %% cffi by arithmetic — a pointer plus a number is a pointer
# needs: cffi
# only: os ring
import _cffi_backend as backend
pointer = backend.newp(backend.new_pointer_type(backend.new_primitive_type("long")), 1) + 100
print("ESCAPED", pointer[0])

# %% buffer that is freed — a file in Python keeps the memory into which it is asked to read (a defect of CPython)
# only: os ring
import io
kept = []
Sly = type("Sly", (io.RawIOBase,), {"readable": lambda self: True, "readinto": lambda self, space: kept.append(space) or 1})
io.BufferedReader(Sly(), 1 << 15).read(1)
found = [None] * (1 << 12)
print("ESCAPED", kept[0].cast("Q")[8])
