# chmod, chown, times and attributes through a descriptor that was opened for reading: Linux allows them.
import os
fd = os.open(outside + "/victim", os.O_RDONLY)
attempts = [lambda: os.chmod(fd, 0o777), lambda: os.fchmod(fd, 0o777), lambda: os.chown(fd, 1, 1),
            lambda: os.fchown(fd, 1, 1), lambda: os.utime(fd, (1, 1)), lambda: os.setxattr(fd, "user.evil", b"1"),
            lambda: os.removexattr(fd, "user.evil")]
refused = 0
for attempt in attempts:
    try:
        attempt()
        print("ESCAPED")
    except PermissionError as error:
        refused += "safepyrun refused to" in str(error)
assert refused == len(attempts), refused
attempt()
