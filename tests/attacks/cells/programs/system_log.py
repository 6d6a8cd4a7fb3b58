# The system's log. openlog() without a name takes that of the program, and ended the process when it was refused and there was none.
# says: write to the system's log
import syslog, sys
attempts = [lambda: syslog.syslog("evil"), lambda: syslog.openlog("evil"), lambda: syslog.setlogmask(1), lambda: syslog.closelog(), lambda: syslog.openlog()]
refused = 0
for arguments in ([], [""], [1], ["program"]):
    sys.argv = arguments
    for number, attempt in enumerate(attempts):
        try:
            attempt()
            print("ESCAPED", number)
        except PermissionError as error:
            refused += "safepyrun refused to" in str(error)
assert refused == 4 * len(attempts), refused
syslog.openlog()
