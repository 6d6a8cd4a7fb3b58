# Tracing and profiling run code in the frames of libraries; audit hooks of one's own hide events.
import sys, threading
refused = 0
for attempt in (lambda: sys.settrace(print), lambda: sys.setprofile(print)):
    try:
        attempt()
        print("ESCAPED")
    except PermissionError:
        refused += 1
assert refused == 2
sys.addaudithook(lambda *unused: None)
open(outside + "/evil", "w")
