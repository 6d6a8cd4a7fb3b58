"""What Python 3.14 does otherwise than a guarded session can bear: modules of it are amended as they are loaded.

Not when the session starts: importing them would cost each of them what few of them need.
"""

import sys
from _frozen_importlib_external import PathFinder


def _bdb(bdb):
    """pdb.set_trace() asks for sys.monitoring, which sees all code, the guard's too, and is refused; and it goes on with
    the debugger of the last time, which an exception of then, the end of a cell, has left as if it were at work."""
    from contextlib import contextmanager

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


def _multiprocessing_context(context):
    """A server that forks is a program, which no cell may start; pools of threads would need it, too."""
    context._default_context._default_context = context._concrete_contexts["fork"]


_AMENDMENTS = {"bdb": _bdb, "multiprocessing.context": _multiprocessing_context}


class _Finder:
    """Finds each of them once; what has imported it meets it amended."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        amend = _AMENDMENTS.pop(name, None)
        spec = PathFinder.find_spec(name, path) if amend is not None else None
        if spec is not None:
            spec.loader.exec_module = lambda module: _load(module, amend)
        return spec


def _load(module, amend):
    loader = module.__loader__
    del loader.exec_module  # the class's own again
    loader.exec_module(module)
    amend(module)


def amend():
    """Called once, before a shell starts."""
    for name in [name for name in _AMENDMENTS if name in sys.modules]:  # in a template, or by IPython
        _AMENDMENTS.pop(name)(sys.modules[name])
    sys.meta_path.insert(0, _Finder)
