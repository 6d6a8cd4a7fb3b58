"""pdb in a cell. Its prompt is input(); what is typed there is user code, because it is made from text."""

import sys
from _frozen_importlib_external import PathFinder


def _cmdloop(self):
    """In place of Pdb's, which takes an interrupt for the end of a line: the cell would never end."""
    self.allow_kbdint = True
    try:
        self.cmdloop()
    except KeyboardInterrupt:
        sys.settrace(None)
        raise
    finally:
        self.allow_kbdint = False


def make_interruptible():
    """Called when a debugger starts."""
    pdb = sys.modules.get("pdb")
    if pdb is not None and hasattr(pdb, "Pdb"):
        pdb.Pdb._cmdloop = _cmdloop
        # pdb's own handler would wait for the next line of Python; ours ends the cell at once.
        pdb.Pdb.nosigint = property(lambda self: True, lambda self, value: None)


def _amend(bdb):
    """pdb.set_trace() of 3.14 asks for sys.monitoring, which sees all code, the guard's too, and is refused; and it goes on
    with the debugger of the last time, which an exception of then, the end of a cell, has left as if it were at work."""
    from contextlib import contextmanager  # bdb has imported it

    original = bdb.Bdb.__init__

    def __init__(self, skip=None, backend="settrace"):
        original(self, skip)

    @contextmanager
    def set_enterframe(self, frame):
        self.enterframe = frame
        try:
            yield
        finally:
            self.enterframe = None

    bdb.Bdb.__init__ = __init__
    bdb.Bdb.set_enterframe = set_enterframe


class _Finder:
    """Finds bdb, once; what has imported it meets it changed."""

    @classmethod
    def find_spec(cls, name, path=None, target=None):
        if name != "bdb":
            return None
        sys.meta_path.remove(cls)
        spec = PathFinder.find_spec(name)
        if spec is not None:
            spec.loader.exec_module = cls._exec_module
        return spec

    @staticmethod
    def _exec_module(module):
        loader = module.__loader__
        del loader.exec_module  # the class's own again
        loader.exec_module(module)
        _amend(module)


def amend_when_loaded():
    """Called once, before a shell starts."""
    if "bdb" in sys.modules:  # IPython's debugger has imported it
        _amend(sys.modules["bdb"])
    else:
        sys.meta_path.insert(0, _Finder)
