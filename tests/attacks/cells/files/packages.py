# Installed packages inside a root: writing into them, or moving the folder above away to write there.
# policy: ban_defs = false; ok_dests = ["/"]
# host: module
# says: it is protected
import os, sys, sysconfig
packages = [entry for entry in sys.path if entry.endswith("-packages")][-1]
refused = 0
for attempt in (lambda: open(packages + "/evil.py", "w"), lambda: os.mkdir(packages + "/evil"),
                lambda: os.rename(os.path.dirname(packages), os.path.dirname(packages) + "-moved"),
                lambda: os.rename(packages, packages + "-moved"), lambda: os.symlink("/", packages + "/evil")):
    try:
        attempt()
        print("ESCAPED")
    except PermissionError:
        refused += 1
assert refused == 5, refused
open(packages + "/evil.py", "w")
