# Writing modes of open(), outside. Baseline: the 10-line hook of seed systems stops these.
# says: outside the write roots
import errno
refused = 0
for mode in ("w", "a", "x", "r+", "wb", "ab+", "xb", "rb+"):
    for name in ("victim", "evil"):
        try:
            open(f"{outside}/{name}", mode)
            print("ESCAPED", mode)
        except PermissionError as error:
            refused += error.errno == errno.EACCES
assert refused == 16
open(outside + "/victim", "r+")
