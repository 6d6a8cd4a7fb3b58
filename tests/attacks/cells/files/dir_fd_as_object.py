# The descriptor as an object with __index__: read by the call, not by whoever looks for an int.
import os
there = os.open(outside, os.O_RDONLY)
Sly = type("Sly", (), {"__index__": lambda self: there})
refused = 0
for attempt in (lambda: os.open("evil", os.O_CREAT | os.O_WRONLY, 0o600, dir_fd=Sly()),
                lambda: os.mkfifo("evil", dir_fd=Sly()), lambda: os.mkdir("evil", dir_fd=Sly()),
                lambda: os.unlink("victim", dir_fd=Sly()), lambda: os.mknod("evil", dir_fd=Sly())):
    try:
        attempt()
        print("ESCAPED")
    except PermissionError:
        refused += 1
assert refused == 5
attempt()
