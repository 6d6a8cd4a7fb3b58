"""What a call of RunPython prints, kept apart from what the rest of the program prints.

sys.stdout belongs to the process, a call to a task: while calls are under way, a router stands in its
place and asks the context who is printing.
"""

import contextvars
import io
import sys

_current = contextvars.ContextVar("safepyrun_capture", default=None)


def _of_target(name):
    return property(lambda self: getattr(self._target(), name))


class _Router(io.TextIOBase):
    encoding, errors, newlines, fileno, isatty, writable = map(
        _of_target, ("encoding", "errors", "newlines", "fileno", "isatty", "writable"))  # else those of TextIOBase

    def __init__(self, name, behind):
        self._name, self._behind, self._users = name, behind, 0

    def _target(self):
        capture = _current.get()
        return capture.streams[self._name] if capture is not None else self._behind

    def write(self, text):
        target = self._target()
        return target.write(text) if target is not None else len(text)  # a program without streams

    def flush(self):
        target = self._target() if _current is not None else None
        if target is not None:  # else the interpreter ends, and this module or this object is half gone
            target.flush()

    def __getattr__(self, name):
        return getattr(self._target(), name)

    def remove(self):
        self._users -= 1
        if self._users == 0 and getattr(sys, self._name) is self:
            setattr(sys, self._name, self._behind)


class Capture:
    """The streams of one call."""

    def __init__(self):
        self.streams = {"stdout": io.StringIO(), "stderr": io.StringIO()}
        self._routers = []

    def _install(self, name):
        """The program may have put another stream there, and may put back later what it found: each router knows what to do."""
        router = getattr(sys, name)
        if type(router) is not _Router:
            router = _Router(name, router)
            setattr(sys, name, router)
        if router not in self._routers:
            router._users += 1
            self._routers.append(router)

    def enter(self):
        for name in self.streams:
            self._install(name)
        self._token = _current.set(self)

    def leave(self):
        _current.reset(self._token)

    def finish(self):
        for router in self._routers:
            router.remove()
        texts = {name: stream.getvalue() for name, stream in self.streams.items()}
        return {name: text for name, text in texts.items() if text}
