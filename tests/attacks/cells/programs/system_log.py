# The system's log. openlog() without a name takes that of the program, and ended the process when it was refused and there was none.
# says: write to the system's log
import syslog, sys
attempts = [lambda: syslog.syslog("evil"), lambda: syslog.openlog("evil"), lambda: syslog.setlogmask(1), lambda: syslog.closelog(), lambda: syslog.openlog()]
for arguments in ([], [""], [1], ["program"]):
    sys.argv = arguments
    assert refused(attempts) == len(attempts), arguments
syslog.openlog()
