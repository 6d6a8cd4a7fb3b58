# Taking '.' along: chdir() and fchdir() to a folder outside, then a relative name.
# says: outside the write roots
import os
refused = 0
for attempt in (lambda: os.chdir(outside), lambda: os.chdir(os.open(outside, os.O_RDONLY)),
                lambda: os.fchdir(os.open(outside, os.O_RDONLY)), lambda: os.chdir(".."), lambda: os.chdir("/proc/self/root")):
    try:
        attempt()
        print("ESCAPED")
    except PermissionError:
        refused += 1
assert refused == 5
open("../outside/evil", "w")
