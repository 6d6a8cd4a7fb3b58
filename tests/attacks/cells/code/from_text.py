# Making code from text in a cell, however the built-in is reached.
import sys, types, marshal, builtins
found = vars(builtins)
lookup = lambda name: found[name]
refused = 0
plain = "x = 1"
for attempt in (lambda: lookup("exec")(plain), lambda: lookup("eval")("1"), lambda: lookup("compile")(plain, "", "exec"),
                lambda: getattr(builtins, "ex" + "ec")(plain), lambda: list(map(lookup("eval"), ["1"])),
                lambda: types.FunctionType((lambda: 0).__code__, {}), lambda: (lambda: 0).__code__.replace(co_name="x"),
                lambda: marshal.loads(b"i\0\0\0\0"), lambda: sys._getframe(),
                lambda: setattr((lambda: 0), "__defaults__", (1,)),
                lambda: setattr((lambda: 0), "__kwdefaults__", {}), lambda: setattr(type("A", (), {})(), "__class__", type("B", (), {}))):
    try:
        attempt()
        print("ESCAPED")
    except PermissionError:
        refused += 1
assert refused == 12, refused
found["eval"]("1")
