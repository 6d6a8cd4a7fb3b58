# Flags of os.open(): it has no mode string (a hook that reads modes is blind here).
# says: outside the write roots
import os
refused = 0
for flags in (os.O_WRONLY, os.O_RDWR, os.O_RDONLY | os.O_TRUNC, os.O_WRONLY | os.O_APPEND, 3):
    try:
        os.open(outside + "/victim", flags)
        print("ESCAPED", flags)
    except PermissionError:
        refused += 1
for flags in (os.O_CREAT, os.O_CREAT | os.O_EXCL | os.O_RDWR):
    try:
        os.open(outside + "/evil", flags)
        print("ESCAPED", flags)
    except PermissionError:
        refused += 1
assert refused == 7
os.open(outside, os.O_TMPFILE | os.O_RDWR)
