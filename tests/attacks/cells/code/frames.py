# Frames by tracebacks, generators, coroutines, async generators (CVE-2023-37271 and kin).
# says: guarded attribute
import operator, sys, types
try:
    1 / 0
except ZeroDivisionError as error:
    trace = error.__traceback__
generator = (x for x in [1])
async def forever():
    yield
agenerator = forever()
refused = 0
for attempt in (lambda: trace.tb_frame, lambda: generator.gi_frame, lambda: generator.gi_code, lambda: agenerator.ag_frame,
                lambda: getattr(trace, "tb_frame"), lambda: operator.attrgetter("tb_frame")(trace), lambda: (lambda: 0).__code__,
                lambda: vars(types.TracebackType)["tb_frame"].__get__(trace), lambda: sys._getframe(), lambda: sys._current_frames(),
                lambda: "{0.tb_frame}".format(trace), lambda: object.__getattribute__(trace, "tb_frame")):
    try:
        attempt()
        print("ESCAPED")
    except PermissionError:
        refused += 1
assert refused == 12, refused
trace.tb_frame
