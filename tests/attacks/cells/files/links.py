# Symbolic links inside the root: to a file, a folder, in the middle, dangling, swapped, with a slash behind.
# says: outside the write roots
import os
os.symlink(outside, "folder")
os.symlink(outside + "/victim", "file")
os.symlink(outside + "/evil", "dangling")
os.symlink("folder", "twice")
refused = 0
for name in ("folder/evil", "file", "dangling", "twice/evil", "folder/../outside/evil", "./folder//evil"):
    try:
        open(name, "w")
        print("ESCAPED", name)
    except PermissionError:
        refused += 1
for attempt in (lambda: os.chmod("file", 0o777), lambda: os.truncate("file", 0), lambda: os.unlink("folder/victim"),
                lambda: os.utime("file"), lambda: os.rename("folder/victim", "mine"), lambda: os.mkdir("folder/evil"),
                lambda: os.chown("file", 1, 1)):
    try:
        attempt()
        print("ESCAPED")
    except PermissionError:
        refused += 1
assert refused == 13
os.unlink("file")
open("twice/victim", "a")
