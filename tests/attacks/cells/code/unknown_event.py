# An event that no table knows is refused, whoever raises it.
# says: unknown events
import sys
sys.audit("pyrun.testevent")
