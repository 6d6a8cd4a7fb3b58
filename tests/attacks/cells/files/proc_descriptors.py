# Reopening a read-only descriptor for writing through /proc, /dev/fd and the magic links of folders.
import os
fd = os.open(outside + "/victim", os.O_RDONLY)
there = os.open(outside, os.O_RDONLY)
refused = 0
for name in (f"/proc/self/fd/{fd}", f"/dev/fd/{fd}", f"/proc/{os.getpid()}/fd/{fd}", f"/proc/self/fd/{there}/evil",
             f"/proc/self/root{outside}/evil", f"/proc/self/cwd/../outside/evil", f"/proc/thread-self/fd/{fd}",
             f"/proc/self/task/{os.getpid()}/fd/{fd}", "/proc/self/mem", "/proc/self/oom_score_adj"):
    try:
        open(name, "r+")
        print("ESCAPED", name)
    except PermissionError:
        refused += 1
assert refused == 10
os.symlink(f"/proc/self/fd/{fd}", "sly")
open("sly", "w")
