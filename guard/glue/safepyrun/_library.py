"""Modules of the standard library that the glue needs late.

At start the working directory is not on `sys.path`; during the session it is, for the cells. A
`traceback.py` of the user's must not be what the guard formats errors with.
"""

import sys

_trusted_path = [entry for entry in sys.path if entry]


def load(name):
    module = sys.modules.get(name)
    if module is None:
        path = sys.path[:]
        sys.path[:] = _trusted_path
        try:
            __import__(name)
        finally:
            sys.path[:] = path
        module = sys.modules[name]
    return module
