"""What a host's callbacks are asked about a refusal: six arguments, or one DenyInfo.

Everything here holds copies: the frame answers like a frame, but shows no object of the guarded code.
"""

import collections
import functools
import inspect

from safepyrun import _guard


@_guard.seal
class CallInfo:
    """One call on the way to what is refused."""

    def __init__(self, frame=None, *, name=None, source="frame"):
        self.frame, self.source = frame, source
        self.module, self.qualname = (frame.f_globals.get("__name__"), frame.f_code.co_qualname) if frame is not None \
            else (None, name)
        self.name = name if name is not None else f"{self.module}.{self.qualname}"

    @functools.cached_property
    def _arguments(self):
        return _guard.frame_args(self.frame, None) if self.frame is not None else ([], {})

    @property
    def args(self):
        return self._arguments[0]

    @property
    def kwargs(self):
        return self._arguments[1]


_Raw = collections.namedtuple("_Raw", "args frame msg calls frame_args")


@_guard.seal
class DenyInfo:
    """A refusal that is about to be: `event`, its `args`, `msg`, the host's `data`, and the `calls`, innermost first."""

    def __init__(self, event, args, frame, msg, data):
        self.event, self.event_args, self.frame, self.msg, self.data = event, args, frame, msg, data

    @property
    def raw(self):
        """What the form of six arguments gets, under the names of later versions."""
        return _Raw(self.event_args, self.frame, self.msg, active_calls(), frame_args_of_view)

    @functools.cached_property
    def calls(self):
        found, frame = [], self.frame
        if self.event == NATIVE_CALL and len(self.event_args) > 1:
            found.append(CallInfo(name=self.event_args[1], source="native"))
        while frame is not None:
            found.append(CallInfo(frame))
            frame = frame.f_back
        return found

    @property
    def call(self):
        return self.calls[0] if self.calls else None

    @property
    def args(self):
        return self.call.args if self.call else []

    @property
    def kwargs(self):
        return self.call.kwargs if self.call else {}

    def find(self, name):
        """The innermost call of this name ("module.function" or "function"), or None."""
        return next((call for call in self.calls if name in (call.name, call.qualname)), None)


def track_call(function):
    """A decorator: calls of this coroutine function are among `calls` of before_deny. Others stay as they are."""
    if inspect.iscoroutinefunction(function):
        _guard.track(function)
    return function


def active_calls():
    """The tracked calls that wait for what runs now, innermost first."""
    return tuple(map(CallInfo, _guard.tracked_frames()))


NATIVE_CALL = "fastaudit.call"


def frame_args_of_view(frame, obj=None):
    return _guard.frame_args(frame, obj)


def takes(function, otherwise, most=6):
    """How many arguments a callback wants, up to `most`."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return otherwise
    if any(each.kind is each.VAR_POSITIONAL for each in parameters):
        return most
    positional = [each for each in parameters if each.kind in (each.POSITIONAL_ONLY, each.POSITIONAL_OR_KEYWORD)]
    required = [each for each in positional if each.default is each.empty]
    if len(required) <= 1 and positional:
        return 1
    return min(len(positional), most)


def asking(function, sixth, *, is_pre):
    """What the C code keeps of a callback: whom to ask, and in which form. A false answer of pre_deny refuses at once.

    sixth: what the form of six arguments gets last; of before_deny, the class of the calls in it.
    """
    return None if function is None else (function, takes(function, 6), is_pre, sixth, DenyInfo)
