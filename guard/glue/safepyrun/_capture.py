"""What a call of RunPython prints, kept apart from what the rest of the program prints.

sys.stdout belongs to the process, a call to a task: while calls are under way, a router stands in its
place and asks the context who is printing.
"""

import contextvars
import io
import sys

_current = contextvars.ContextVar("safepyrun_capture", default=None)


class _Router(io.TextIOBase):
    def __init__(self, name):
        self._name, self._behind, self._users = name, None, 0

    def _target(self):
        capture = _current.get()
        return capture.streams[self._name] if capture is not None else self._behind

    def write(self, text):
        return self._target().write(text)

    def flush(self):
        target = self._target() if _current is not None else None
        if target is not None:  # else the interpreter ends, and this module or this object is half gone
            target.flush()

    def __getattr__(self, name):
        return getattr(self._target(), name)

    def install(self):
        if self._users == 0:
            self._behind = getattr(sys, self._name)
            setattr(sys, self._name, self)
        self._users += 1

    def remove(self):
        self._users -= 1
        if self._users == 0 and getattr(sys, self._name) is self:
            setattr(sys, self._name, self._behind)


_routers = [_Router("stdout"), _Router("stderr")]


class Capture:
    """The streams of one call."""

    def __init__(self):
        self.streams = {"stdout": io.StringIO(), "stderr": io.StringIO()}
        for router in _routers:
            router.install()

    def enter(self):
        self._token = _current.set(self)

    def leave(self):
        _current.reset(self._token)

    def finish(self):
        for router in _routers:
            router.remove()
        texts = {name: stream.getvalue() for name, stream in self.streams.items()}
        return {name: text for name, text in texts.items() if text}
