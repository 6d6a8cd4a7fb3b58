"""Where a host's names are, its temporary files, and where the source of its cells is kept for tracebacks."""

import contextlib
import contextvars
import itertools
import linecache
import os
import sys
import tempfile

_current = contextvars.ContextVar("safepyrun_namespace", default=None)  # found inside of gather(), too
FOLDER = (os.path.dirname(os.path.abspath(__file__)),)

_numbers = itertools.cycle(range(10))

# Decided by the host: a cell that asked first would find none, or a folder of the cells, for the whole program.
with contextlib.suppress(FileNotFoundError):
    tempfile.gettempdir()


def srcfn(src):
    """Keeps the text for tracebacks under one of ten names, which come again in turn; returns the name."""
    name = f"<pyrun_{next(_numbers)}>"
    linecache.cache[name] = len(src), None, src.splitlines(keepends=True), name
    return name


def find_namespace(sentinel=None, frame=None):
    """The globals of the nearest caller that has the name; else those of the program."""
    frame = frame or sys._getframe(1)
    main = sys.modules.get("__main__")
    outermost = main.__dict__ if main is not None else frame.f_globals
    if not sentinel:
        return outermost
    while frame is not None:
        if sentinel in frame.f_globals:
            return frame.f_globals
        frame = frame.f_back
    running = _current.get()
    return running if running is not None and sentinel in running else outermost


def find_var(var):
    """The value of a name in the nearest caller whose globals have it; None when nobody has."""
    return find_namespace(var, sys._getframe(1)).get(var)
