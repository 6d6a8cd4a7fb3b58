"""What Python 3.14 does otherwise than a guarded session can bear: modules of it are amended as they are loaded (_amendments)."""


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


AMENDMENTS = {"bdb": _bdb, "multiprocessing.context": _multiprocessing_context}
