"""Somebody else's process, of the same user: everything about it that an attack could change can be looked at."""

import ctypes
import mmap
import os
import signal
import sys

import _posixshmem

libc = ctypes.CDLL(None, use_errno=True)
libc.shmat.restype = ctypes.c_void_p

memory = ctypes.create_string_buffer(b"as it was", mmap.PAGESIZE)
segment = libc.shmget(0, 4096, 0o1600)
ctypes.memmove(libc.shmat(segment, None, 0), b"as it was", 9)
name = f"/isolation-{os.getpid()}"
descriptor = _posixshmem.shm_open(name, os.O_CREAT | os.O_RDWR, mode=0o600)
os.write(descriptor, b"as it was")
signals = open(sys.argv[1], "ab", buffering=0)
signal.signal(signal.SIGUSR1, lambda *_: signals.write(b"x"))
os.chdir(sys.argv[2])
print(ctypes.addressof(memory), segment, name[1:], flush=True)
while sys.stdin.read(1):
    pass
_posixshmem.shm_unlink(name)
libc.shmctl(segment, 0, None)
