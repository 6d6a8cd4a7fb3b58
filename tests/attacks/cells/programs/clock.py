# The clock of the machine, for everybody, where the kernel has the right; no event says so. A clock that nobody can set.
import time
for set_clock, value in ((time.clock_settime, 0.0), (time.clock_settime_ns, 0)):
    try:
        set_clock(time.CLOCK_MONOTONIC, value)
        print("ESCAPED")
    except OSError as error:
        assert isinstance(error, PermissionError) and "safepyrun refused" in str(error), error
time.clock_settime(time.CLOCK_MONOTONIC, 0.0)
