"""Modules of the standard library that the glue needs late.

At start the working directory is not on `sys.path`; during the session it is, for the cells. A
`traceback.py` of the user's must not be what the guard formats errors with.
"""

import sys
from _thread import RLock

_trusted_path = [entry for entry in sys.path if entry]
_changing_path = RLock()


def _is_whole(module):
    return module is not None and not getattr(getattr(module, "__spec__", None), "_initializing", False)


def load(name):
    module = sys.modules.get(name)
    if _is_whole(module):
        return module
    with _changing_path:  # a subshell loads something at the same time
        path = sys.path[:]
        sys.path[:] = _trusted_path
        try:
            __import__(name)  # waits for whoever has begun
        finally:
            sys.path[:] = path
    return sys.modules[name]
