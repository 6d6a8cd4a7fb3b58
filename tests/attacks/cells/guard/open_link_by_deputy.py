# Signals and wake-ups by way of a library: raise_signal, set_wakeup_fd, ioctl.
# says: control a device
import sys
from concurrent.futures import ThreadPoolExecutor
pool = ThreadPoolExecutor(1)
call = lambda function, *arguments, **keywords: pool.submit(function, *arguments, **keywords).result()
builtin = vars(sys.modules["builtins"])

import fcntl, array, os
fd = os.open(outside + "/victim", os.O_RDONLY)
FS_IOC_SETFLAGS = 0x40086602
call(fcntl.ioctl, fd, FS_IOC_SETFLAGS, array.array("l", [0x80]))
